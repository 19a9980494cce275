# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a response about the very certificate? (RFC 6960 section 4.1.1, RFC 9919 section 3.2.1)"""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    OCSP,
    ROOT_CRL,
    issuing_ca,
    leaf_of,
    root_ca,
)
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import (
    SECOND,
    about_two_responders,
    answered,
    answered_by_two,
    by_hash,
    world,
)
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import Single, ocsp_response
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import ocsp_error

SHA256_IN_DER = bytes.fromhex("0609608648016503040201")


@vector
def another_serial_is_another_certificate() -> Case:
    """The CA's answer about another certificate of its own says nothing about this one."""
    return answered(world().response(serial=0x1002), unknown("other_certificate"))


@vector
def the_same_serial_of_another_ca_is_another_certificate() -> Case:
    """A serial number means something only together with the hashes of the issuer."""
    here = world()
    stranger = root_ca("Other Root", key_name="stranger", serial=0x0C)
    single = Single(here.leaf.certificate, stranger.certificate, AT)
    return answered(here.sign_response([single]), unknown("other_certificate"))


@vector
def the_issuers_name_with_another_key_is_another_issuer() -> Case:
    """issuerNameHash is right, issuerKeyHash is that of another CA of this name: both must match (RFC 6960 4.1.1)."""
    here = world()
    twin = issuing_ca(here.root, key_name="issuing-2", serial=0x0D)
    single = Single(here.leaf.certificate, twin.certificate, AT)
    return answered(here.sign_response([single]), unknown("other_certificate"))


@vector
def the_issuers_key_under_another_name_is_another_issuer() -> Case:
    """issuerKeyHash is right, issuerNameHash is not."""
    here = world()
    other = issuing_ca(here.root, "Other Issuing CA", serial=0x0D)
    single = Single(here.leaf.certificate, other.certificate, AT)
    return answered(here.sign_response([single]), unknown("other_certificate"))


@vector
def a_sha1_cert_id_is_recognised() -> Case:
    """Asked with SHA-256, answered with SHA-1: the hash of the answer is recomputed, so it is about the leaf."""
    return answered(world().response(algorithm="sha1"), good(asked=(OCSP, ROOT_CRL)))


@vector
def a_sha384_cert_id_is_recognised() -> Case:
    """Any known hash in the CertID will do."""
    return answered(world().response(algorithm="sha384"), good())


@vector
def an_unknown_hash_in_the_cert_id_matches_nothing() -> Case:
    """What is hashed with an unknown algorithm cannot be recomputed."""
    odd = SHA256_IN_DER[:-1] + b"\x7f"
    return answered(world().response().replace(SHA256_IN_DER, odd, 1), unknown("other_certificate"))


@vector
def an_unknown_hash_beside_a_known_one_does_not_matter() -> Case:
    """Of two answers about the certificate one can be recognised."""
    here = world()
    first = here.single(algorithm="sha384")
    response = here.sign_response([first, here.single()])
    return answered(response, good())


@vector
def both_hashes_in_one_response_are_one_answer() -> Case:
    """RFC 9919 3.2.1: a responder may put a SHA-1 and a SHA-256 answer into one response."""
    here = world()
    return answered(here.sign_response([here.single(algorithm="sha1"), here.single()]), good())


@vector
def the_answer_may_stand_anywhere() -> Case:
    """A response about five certificates; the one about the leaf is the fourth, and says revoked."""
    here = world()
    singles = [here.single(serial=0x1001 + number) for number in (1, 2, 3, 4)]
    return answered(here.sign_response([*singles[:3], here.single("revoked"), singles[3]]), revoked())


@vector
def what_is_said_of_others_does_not_matter() -> Case:
    """All others are revoked, the leaf is good."""
    here = world()
    singles = [here.single("revoked", serial=0x1001 + number) for number in (1, 2, 3)]
    return answered(here.sign_response([*singles, here.single()]), good())


@vector
def a_response_about_nothing_is_about_others() -> Case:
    """An empty list of answers, well signed."""
    here = world()
    empty = ocsp_response([], key=here.ca.key, responder=here.ca.certificate, produced_at=AT)
    return answered(empty, unknown("other_certificate"))


@vector
def a_long_serial_is_compared_as_a_number() -> Case:
    """Twenty octets with the highest bit set, so that a zero octet precedes them in DER."""
    here = world()
    leaf = leaf_of(here.ca, ocsp_urls=[OCSP], serial=(1 << 159) - 3)
    response = here.sign_response([Single(leaf.certificate, here.ca.certificate, AT, "revoked")])
    pages = {OCSP: response, ROOT_CRL: here.root_crl}
    return Case(chain=leaf.chain, anchors=here.anchors, pages=pages, expected=revoked())


@vector
def sha1_is_asked_when_sha256_is_unauthorized() -> Case:
    """A responder that made its responses in advance for SHA-1 only: unauthorized, then good."""
    page = by_hash(sha256=ocsp_error("unauthorized"), sha1=world().response(algorithm="sha1"))
    return answered(page, good(asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def sha1_is_asked_when_sha256_is_unknown() -> Case:
    """The same with a signed "unknown", which RFC 6960 2.2 allows a responder that does not recognise the CertID."""
    page = by_hash(sha256=world().response("unknown"), sha1=world().response("revoked", algorithm="sha1"))
    return answered(page, revoked(asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def sha1_is_asked_when_the_answer_is_about_another() -> Case:
    """The same with an answer about some other certificate."""
    page = by_hash(sha256=world().response(serial=0x1002), sha1=world().response(algorithm="sha1"))
    return answered(page, good(asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def sha1_is_not_asked_after_a_bad_signature() -> Case:
    """A wrong answer is not a refusal: the hash of the question has nothing to do with it."""
    stranger = root_ca("Other Root", key_name="stranger", serial=0x0C)
    forged = ocsp_response([world().single()], key=stranger.key, responder=world().ca.certificate)
    return answered(by_hash(sha256=forged, sha1=world().response()), unknown("signature_invalid"))


@vector
def the_second_responder_is_asked_when_the_first_is_no_use() -> Case:
    """A certificate may name several responders; the first gives an answer about another certificate in both hashes."""
    first = world().response(serial=0x1002)
    return answered_by_two(first, about_two_responders(), good(asked=(OCSP, OCSP, SECOND, ROOT_CRL)))
