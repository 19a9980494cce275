# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a CRL what the certificate's issuer signed, and for this time? (RFC 5280 6.3.3 f and g)"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance import der_writer as writer
from ansible_collections.certops.rotation.tests.conformance.crl_cases import WORLD, entry, fetched, written
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    CA_CRL,
    ROOT_CRL,
    Hierarchy,
    hierarchy,
    issuing_ca,
    leaf_of,
    root_ca,
)
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, key_usage
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

HOLD = x509.ReasonFlags.certificate_hold
KEY_COMPROMISE = x509.ReasonFlags.key_compromise


def _world_with(key_name: str, **wanted: Any) -> Hierarchy:
    """The usual one with another CA."""
    root = root_ca()
    ca = issuing_ca(root, key_name=key_name, **wanted)
    return Hierarchy(root, ca, leaf_of(ca, crl_urls=[CA_CRL]))


@vector
def all_that_an_entry_says_is_told() -> Case:
    """An entry with a reason and an invalidity date: both are in the verdict, with the time of revocation (5.3)."""
    invalid_since = AT - 9 * DAY
    crl = WORLD.ca_crl(
        {WORLD.leaf.serial: KEY_COMPROMISE},
        entry_extra=[(x509.InvalidityDate(invalid_since.replace(tzinfo=None)), False)],
    )
    expected = revoked(
        revoked_at=AT - 2 * HOUR,
        revocation_reason="keyCompromise",
        invalidity_date=invalid_since,
        asked=(CA_CRL, ROOT_CRL),
    )
    return fetched(crl, expected)


@vector
def a_hold_counts_as_revoked() -> Case:
    """certificateHold: not to be trusted now, though it may be again (RFC 5280 5.3.1)."""
    return fetched(WORLD.ca_crl({WORLD.leaf.serial: HOLD}), revoked("on_hold", revocation_reason="certificateHold"))


@vector
def pem_is_read() -> Case:
    """A CRL in PEM instead of DER, as private CAs publish by accident."""
    pem = x509.load_der_x509_crl(WORLD.ca_crl()).public_bytes(serialization.Encoding.PEM)
    return fetched(pem, good())


@vector
def a_forged_crl_proves_nothing() -> Case:
    """Signed with a stranger's key in the name of the CA, naming its key: the signature does not hold."""
    return fetched(WORLD.ca_crl(key=key("stranger")), unknown("signature_invalid"))


@vector
def an_entry_changed_on_the_way_breaks_the_signature() -> Case:
    """The leaf was listed; somebody on the way changed one bit of its serial number in the CRL."""
    serial = WORLD.leaf.serial.to_bytes(2, "big")
    crl = WORLD.ca_crl([WORLD.leaf.serial])
    return fetched(
        crl.replace(b"\x02\x02" + serial, b"\x02\x02" + bytes([serial[0], serial[1] ^ 1])), unknown("signature_invalid")
    )


@vector
def a_crl_of_another_ca_is_no_answer() -> Case:
    """At the CA's URL stands the CRL of its root: another issuer, which no distribution point names (6.3.3 b 1)."""
    return fetched(WORLD.root_crl, unknown("issuer_mismatch"))


@vector
def a_crl_of_a_namesake_is_no_answer() -> Case:
    """The CRL bears the CA's name, but names a key of which there is no certificate (authorityKeyIdentifier)."""
    namesake = issuing_ca(WORLD.root, key_name="issuing-2", serial=0x0F)
    return fetched(namesake.crl(), unknown("issuer_mismatch"))


@vector
def a_crl_without_key_identifier_is_verified_by_name() -> Case:
    """No authorityKeyIdentifier in the CRL: the signature holds with the issuer's key, and that is enough."""
    return fetched(WORLD.ca_crl(aki=False), good())


@vector
def sha1_is_too_weak() -> Case:
    """Signed over SHA-1: collisions can be made on purpose, so it proves nothing."""
    return fetched(written(algorithm=hashes.SHA1()), unknown("signature_weak"))


@vector
def inner_and_outer_algorithm_must_agree() -> Case:
    """The algorithm inside of what is signed is another than the one outside (5.1.1.2)."""
    return fetched(written(inner=writer.signature_algorithm(WORLD.ca.key, hashes.SHA384())), unknown("unreadable"))


@vector
def a_ca_without_crl_sign_may_not() -> Case:
    """The CA's keyUsage lacks cRLSign (6.3.3 f)."""
    world = _world_with("issuing", usage=key_usage("key_cert_sign"))
    return fetched(world.ca_crl(), unknown("signer_not_authorised"), world=world)


@vector
def rsa_signatures_hold() -> Case:
    """A CA with an RSA key."""
    world = _world_with("rsa-issuing")
    return fetched(world.ca_crl(), good(), world=world)


@vector
def ed25519_signatures_hold() -> Case:
    """A CA with an Ed25519 key."""
    world = _world_with("ed25519-issuing")
    return fetched(world.ca_crl([world.leaf.serial]), revoked(), world=world)


@vector
def p384_signatures_hold() -> Case:
    """A CA with a P-384 key."""
    world = _world_with("p384-issuing")
    return fetched(world.ca_crl(), good(), world=world)


@vector
def an_expired_crl_is_stale() -> Case:
    """nextUpdate has passed: what was revoked since is not in it."""
    return fetched(WORLD.ca_crl(this_update=AT - 9 * DAY, next_update=AT - DAY), unknown("stale"))


@vector
def a_crl_from_the_future_says_nothing_about_now() -> Case:
    """thisUpdate is an hour ahead, more than clocks may differ."""
    return fetched(WORLD.ca_crl(this_update=AT + HOUR), unknown("from_the_future"))


@vector
def clocks_may_differ_a_little() -> Case:
    """thisUpdate is four minutes ahead; the default tolerance is five."""
    return fetched(WORLD.ca_crl(this_update=AT + timedelta(minutes=4)), good())


@vector
def without_next_update_a_crl_could_be_replayed_for_ever() -> Case:
    """No nextUpdate, which RFC 5280 5.1.2.5 requires."""
    return fetched(written(next_update=None), unknown("next_update_missing"))


@vector
def next_update_before_this_update_is_never_fresh() -> Case:
    """A CRL that ends before it begins."""
    crl = written(this_update=AT + timedelta(minutes=4), next_update=AT - timedelta(minutes=4))
    return fetched(crl, unknown("stale"))


@vector
def older_than_the_policy_wants_is_stale() -> Case:
    """Fresh by its own word, but two days old where the policy wants one at most."""
    return fetched(WORLD.ca_crl(this_update=AT - 2 * DAY), unknown("stale"), policy=RevocationPolicy(max_age=DAY))


@vector
def revoked_in_an_expired_crl_stays_revoked() -> Case:
    """A revocation is for ever, so an old CRL proves it as well as a fresh one."""
    crl = WORLD.ca_crl([WORLD.leaf.serial], this_update=AT - 9 * DAY, next_update=AT - DAY, revoked_at=AT - 10 * DAY)
    return fetched(crl, revoked(revoked_at=AT - 10 * DAY))


@vector
def a_hold_in_an_expired_crl_proves_nothing() -> Case:
    """Holds can be lifted, so the CRL must be of the right time."""
    crl = WORLD.ca_crl({WORLD.leaf.serial: HOLD}, this_update=AT - 9 * DAY, next_update=AT - DAY)
    return fetched(crl, unknown("stale"))


@vector
def a_later_revocation_says_nothing_about_an_earlier_time() -> Case:
    """Judged for a time before the revocation, by a CRL that was made after it."""
    crl = WORLD.ca_crl([WORLD.leaf.serial], this_update=AT + 2 * DAY, revoked_at=AT + DAY)
    return fetched(crl, unknown("from_the_future"))


@vector
def an_expired_certificate_is_never_good() -> Case:
    """CAs drop the entries of certificates that have expired, so an absence means nothing then (3.3)."""
    leaf = leaf_of(WORLD.ca, crl_urls=[CA_CRL], not_before=AT - 90 * DAY, not_after=AT - DAY)
    crls = [WORLD.ca_crl(), WORLD.root_crl]
    return Case(chain=leaf.chain, anchors=WORLD.anchors, crls=crls, expected=unknown("expired"))


@vector
def an_expired_certificate_that_is_still_listed_is_revoked() -> Case:
    """Not dropped yet: a verified revocation counts."""
    leaf = leaf_of(WORLD.ca, crl_urls=[CA_CRL], not_before=AT - 90 * DAY, not_after=AT - DAY)
    crls = [WORLD.ca_crl([leaf.serial]), WORLD.root_crl]
    return Case(chain=leaf.chain, anchors=WORLD.anchors, crls=crls, expected=revoked())


@vector
def a_revoked_ca_takes_its_certificates_along() -> Case:
    """The sub-CA is in the CRL of the root, the leaf in none."""
    root_crl = WORLD.root.crl({WORLD.ca.certificate.serial_number: x509.ReasonFlags.ca_compromise})
    expected = revoked("issuer_revoked", revocation_reason="cACompromise")
    return fetched(WORLD.ca_crl(), expected, pages={ROOT_CRL: root_crl})


@vector
def a_stale_root_crl_leaves_the_sub_ca_unknown() -> Case:
    """The leaf's CRL is fine, but whether its CA is revoked cannot be told."""
    root_crl = WORLD.root.crl(this_update=AT - 400 * DAY, next_update=AT - 35 * DAY)
    return fetched(WORLD.ca_crl(), unknown("issuer_unknown", "stale"), pages={ROOT_CRL: root_crl})


@vector
def the_next_url_is_asked_where_one_is_stale() -> Case:
    """Two URLs in one distribution point are alternatives: the mirror has the fresh CRL."""
    mirror = "http://mirror.vectors.example/ca.crl"
    names = [x509.UniformResourceIdentifier(url) for url in (CA_CRL, mirror)]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])
    leaf = leaf_of(WORLD.ca, extra=[(points, False)])
    old = WORLD.ca_crl(this_update=AT - 9 * DAY, next_update=AT - DAY)
    return fetched(old, good(asked=(CA_CRL, mirror, ROOT_CRL)), chain=leaf.chain, pages={mirror: WORLD.ca_crl()})


@vector
def an_ldap_url_is_not_asked() -> Case:
    """Only http is; where nothing else is named, the answer is unknown."""
    leaf = leaf_of(WORLD.ca, crl_urls=["ldap://directory.vectors.example/cn=ca?certificateRevocationList"])
    return fetched(WORLD.ca_crl(), unknown("unsupported_pointer", asked=(ROOT_CRL,)), chain=leaf.chain)


@vector
def revoked_although_the_ca_lists_it_twice() -> Case:
    """On hold first, then for good, both in the same CRL: the final entry counts."""
    hold = writer.extension("2.5.29.21", writer.enumerated(6))
    crl = written(entries=[entry(WORLD.leaf.serial, hold), entry(WORLD.leaf.serial)])
    return fetched(crl, revoked(revocation_reason="unspecified"))


@vector
def no_pointers_but_files() -> Case:
    """No distribution points, but a full CRL of the issuer is given as a file (6.3.3, last paragraph)."""
    world = hierarchy(crl=False, ocsp=False)
    crls = [world.ca.crl(), world.root_crl]
    return Case(chain=world.chain, anchors=world.anchors, crls=crls, expected=good(asked=()))
