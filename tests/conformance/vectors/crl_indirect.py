# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Indirect CRLs: one issuer lists the certificates of several CAs (RFC 5280 5.2.5, 5.3.3, 6.3.3 b 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.certops.rotation.tests.conformance.crl_cases import (
    OFFLINE,
    WORLD,
    fetched,
    given,
    leaf_with,
    point_at,
    signer,
)
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, CA_CRL, ROOT_CRL, issuing_ca, root_ca
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, Authority, der, issuing_point, key_usage
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

NAME = "Vector CRL Issuer"
ISSUER = signer(NAME, WORLD.root, crl_urls=[ROOT_CRL])
LEAF = leaf_with(point_at(CA_CRL, crl_issuer=ISSUER.subject))
"""its only distribution point says that the CRL is issued by ISSUER"""
OTHER_CA = issuing_ca(WORLD.root, "Other Vector CA", key_name="issuing-2", serial=0x0E)
SECOND = "http://crl.vectors.example/indirect.crl"
ALL = frozenset(flag for flag in x509.ReasonFlags if flag.value not in ("unspecified", "removeFromCRL"))
OURS = frozenset({x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise})

Listed = Sequence["tuple[int, x509.Name | None]"]
"""serials, each with what its certificateIssuer names"""


def indirect(entries: Listed = (), *, issuer: Authority = ISSUER, **wanted: Any) -> bytes:
    """An indirect CRL bound to CA_CRL; ``flagged`` False: it does not say that it is indirect."""
    point = issuing_point(wanted.pop("url", CA_CRL), indirect_crl=wanted.pop("flagged", True))
    builder = x509.CertificateRevocationListBuilder(issuer.subject, AT - HOUR, AT + 7 * DAY)
    builder = builder.add_extension(wanted.pop("point", point), critical=True)
    ski = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
    builder = builder.add_extension(aki, critical=False).add_extension(x509.CRLNumber(1), critical=False)
    for serial, named in entries:
        entry = x509.RevokedCertificateBuilder(serial, AT - 2 * HOUR)
        if named is not None:
            entry = entry.add_extension(x509.CertificateIssuer([x509.DirectoryName(named)]), critical=True)
        builder = builder.add_revoked_certificate(entry.build())
    made = builder.sign(issuer.key, hashes.SHA256(), ecdsa_deterministic=True)
    return made.public_bytes(serialization.Encoding.DER)


def _given(crl: bytes, expected: Any, **wanted: Any) -> Case:
    wanted.setdefault("others", [ISSUER.certificate])
    wanted.setdefault("leaf", LEAF)
    return given([crl], expected, **wanted)


@vector
def an_indirect_crl_without_the_certificate_is_good() -> Case:
    """The certificate names who issues its CRL, and that CRL does not list it."""
    return _given(indirect(), good())


@vector
def listed_under_its_issuer_is_revoked() -> Case:
    """The entry names the certificate's issuer (certificateIssuer)."""
    return _given(indirect([(LEAF.serial, WORLD.ca.subject)]), revoked(revoked_at=AT - 2 * HOUR))


@vector
def the_issuer_named_by_an_entry_holds_for_those_that_follow() -> Case:
    """The leaf's entry names nobody; an entry before it has named its issuer (5.3.3)."""
    entries: Listed = [(1, OTHER_CA.subject), (2, WORLD.ca.subject), (3, None), (LEAF.serial, None)]
    return _given(indirect(entries), revoked())


@vector
def the_same_serial_of_another_ca_is_not_ours() -> Case:
    """Listed under another CA: serial numbers are unique for each issuer only."""
    return _given(indirect([(LEAF.serial, OTHER_CA.subject)]), good())


@vector
def another_issuer_named_in_between_ends_the_inheritance() -> Case:
    """Our CA is named first, then another one; the leaf's serial follows that."""
    entries: Listed = [(1, WORLD.ca.subject), (2, OTHER_CA.subject), (LEAF.serial, None)]
    return _given(indirect(entries), good())


@vector
def the_same_serial_under_two_cas_is_found_under_ours() -> Case:
    """Two entries with one serial number, of two CAs."""
    entries: Listed = [(LEAF.serial, OTHER_CA.subject), (LEAF.serial, WORLD.ca.subject)]
    return _given(indirect(entries), revoked())


@vector
def before_any_name_entries_are_the_crl_issuers_own() -> Case:
    """The leaf's serial stands before any certificateIssuer (5.3.3)."""
    return _given(indirect([(LEAF.serial, None), (2, WORLD.ca.subject)]), good())


@vector
def a_crl_that_does_not_say_indirect_is_for_its_own_issuer() -> Case:
    """indirectCRL is not set, so it says nothing about certificates of others (6.3.3 b 1)."""
    return _given(indirect(flagged=False), unknown("issuer_mismatch"))


@vector
def entries_for_others_in_a_direct_crl_spoil_it() -> Case:
    """The CA's own CRL has an entry with a certificateIssuer, but does not say that it is indirect."""
    crl = indirect([(1, OTHER_CA.subject)], issuer=WORLD.ca, flagged=False)
    return fetched(crl, unknown("critical_extension"))


@vector
def the_cas_own_crl_may_be_indirect() -> Case:
    """Issued by the CA itself, with entries of others too; before any name they are its own."""
    crl = indirect([(WORLD.leaf.serial, None), (2, OTHER_CA.subject)], issuer=WORLD.ca)
    return fetched(crl, revoked())


@vector
def in_the_cas_own_indirect_crl_others_are_others() -> Case:
    """The leaf's serial is listed under another CA."""
    return fetched(indirect([(WORLD.leaf.serial, OTHER_CA.subject)], issuer=WORLD.ca), good())


@vector
def who_is_not_named_by_the_certificate_is_not_heard() -> Case:
    """The certificate's point does not name ISSUER: a file with its CRL is passed over."""
    return _given(indirect([(WORLD.leaf.serial, WORLD.ca.subject)]), unknown("not_asked"), leaf=WORLD.leaf)


@vector
def a_crl_of_the_wrong_issuer_at_the_url_is_no_answer() -> Case:
    """The point names ISSUER, and at its URL stands an indirect CRL of somebody else under the same root."""
    other = signer("Other Vector CRL Issuer", WORLD.root, key_name="issuing-2", crl_urls=[ROOT_CRL])
    chain = (*LEAF.chain, other.certificate)
    crl = indirect([(LEAF.serial, WORLD.ca.subject)], issuer=other)
    return fetched(crl, unknown("issuer_mismatch"), chain=chain)


@vector
def an_indirect_crl_is_fetched() -> Case:
    """From the URL in the point that names its issuer."""
    chain = (*LEAF.chain, ISSUER.certificate)
    return fetched(indirect([(LEAF.serial, WORLD.ca.subject)]), revoked(asked=(CA_CRL, ROOT_CRL)), chain=chain)


@vector
def without_the_crl_issuers_certificate_nothing_is_verified() -> Case:
    """No certificate of ISSUER is at hand."""
    return _given(indirect(), unknown("issuer_mismatch"), others=[])


@vector
def the_crl_issuers_certificate_is_found_by_pointer() -> Case:
    """caIssuers in the leaf leads to it."""
    url = "http://ca.vectors.example/issuer.crt"
    leaf = leaf_with(point_at(CA_CRL, crl_issuer=ISSUER.subject), ca_issuers_urls=[url])
    return fetched(indirect(), good(), chain=leaf.chain, pages={url: der(ISSUER.certificate)})


@vector
def a_crl_issuer_under_another_anchor_may_not() -> Case:
    """Its certificate leads to a root that is trusted, but is not the certificate's (6.3.3 f)."""
    elsewhere = root_ca("Other Vector Root", key_name="stranger", serial=0x1A)
    foreign = signer(NAME, elsewhere)
    return Case(
        chain=(*LEAF.chain, foreign.certificate),
        anchors=(*WORLD.anchors, elsewhere.certificate),
        crls=[indirect(issuer=foreign), WORLD.root_crl],
        policy=OFFLINE,
        expected=unknown("signer_not_authorised"),
    )


@vector
def a_crl_issuer_without_crl_sign_may_not() -> Case:
    """Its keyUsage is digitalSignature."""
    other = signer(NAME, WORLD.root, usage=key_usage("digital_signature"), crl_urls=[ROOT_CRL])
    return _given(indirect(issuer=other), unknown("signer_not_authorised"), others=[other.certificate])


@vector
def a_revoked_crl_issuer_may_not() -> Case:
    """The root has revoked its certificate."""
    root_crl = WORLD.root.crl([ISSUER.certificate.serial_number])
    return _given(indirect(), unknown("signer_revoked"), root_crl=root_crl)


@vector
def a_crl_issuer_below_a_sub_ca_may() -> Case:
    """It is certified by another CA than the leaf, below the same root."""
    below = signer(NAME, OTHER_CA)
    others = [below.certificate, OTHER_CA.certificate]
    return _given(indirect(issuer=below), good(), others=others)


@vector
def a_revoked_ca_above_the_crl_issuer_takes_it_along() -> Case:
    """The CA that certified the CRL issuer is revoked."""
    below = signer(NAME, OTHER_CA)
    others = [below.certificate, OTHER_CA.certificate]
    root_crl = WORLD.root.crl([OTHER_CA.certificate.serial_number])
    return _given(indirect(issuer=below), unknown("signer_revoked"), others=others, root_crl=root_crl)


@vector
def another_shard_of_an_indirect_crl_is_never_good() -> Case:
    """Right issuer, wrong distribution point."""
    crl = indirect(url="http://crl.vectors.example/2.crl")
    return _given(crl, unknown("scope_mismatch"))


@vector
def a_point_that_is_only_an_issuer_takes_its_crls() -> Case:
    """The point has no name of its own, just a cRLIssuer, and the CRL is bound to nothing (4.2.1.13)."""
    leaf = leaf_with(point_at(crl_issuer=ISSUER.subject))
    return _given(indirect(point=issuing_point(indirect_crl=True)), good(), leaf=leaf)


@vector
def a_point_that_is_only_an_issuer_takes_crls_bound_to_its_name() -> Case:
    """The CRL is bound to a point with the name of its issuer (6.3.3 b 2 i)."""
    leaf = leaf_with(point_at(crl_issuer=ISSUER.subject))
    point = issuing_point(full_name=[x509.DirectoryName(ISSUER.subject)], indirect_crl=True)
    return _given(indirect(point=point), good(), leaf=leaf)


@vector
def a_point_that_is_only_an_issuer_takes_no_other_shard() -> Case:
    """The CRL is bound to some URL."""
    leaf = leaf_with(point_at(crl_issuer=ISSUER.subject))
    return _given(indirect(), unknown("scope_mismatch"), leaf=leaf)


@vector
def the_cas_own_full_crl_is_as_good() -> Case:
    """The certificate names ISSUER, but its own CA has a full CRL too, given as a file (6.3.3, last paragraph)."""
    return _given(WORLD.ca.crl(), good())


@vector
def a_direct_and_an_indirect_point_cover_all_reasons_together() -> Case:
    """The CA speaks for its keys, ISSUER for all else."""
    leaf = leaf_with(
        point_at(CA_CRL, reasons=OURS),
        point_at(SECOND, reasons=ALL - OURS, crl_issuer=ISSUER.subject),
    )
    chain = (*leaf.chain, ISSUER.certificate)
    return fetched(WORLD.ca_crl(), good(), chain=chain, pages={SECOND: indirect(url=SECOND)})


@vector
def an_issuer_speaks_for_the_reasons_of_its_own_point_only() -> Case:
    """Two points, each with another issuer and other reasons; only the first one's CRL is there, bound to nothing."""
    other = signer("Other Vector CRL Issuer", WORLD.root, key_name="issuing-2", crl_urls=[ROOT_CRL])
    leaf = leaf_with(
        point_at(CA_CRL, reasons=OURS, crl_issuer=ISSUER.subject),
        point_at(SECOND, reasons=ALL - OURS, crl_issuer=other.subject),
    )
    crl = indirect(point=issuing_point(indirect_crl=True))
    return _given(crl, unknown("partial_reasons"), leaf=leaf)


@vector
def an_issuer_does_not_speak_for_the_point_of_the_ca() -> Case:
    """The CA's own point is for all reasons, ISSUER's for some; only ISSUER's CRL is there, bound to nothing."""
    leaf = leaf_with(point_at(CA_CRL), point_at(SECOND, reasons=OURS, crl_issuer=ISSUER.subject))
    crl = indirect(point=issuing_point(indirect_crl=True))
    return _given(crl, unknown("partial_reasons"), leaf=leaf)


@vector
def a_ca_that_names_itself_as_crl_issuer_must_say_indirect() -> Case:
    """cRLIssuer is the CA itself, which it should have left out (4.2.1.13); its shard is not flagged (6.3.3 b 1)."""
    leaf = leaf_with(point_at(CA_CRL, crl_issuer=WORLD.ca.subject))
    return given([WORLD.ca_crl()], unknown("scope_mismatch"), leaf=leaf)


@vector
def a_relative_name_continues_the_name_of_the_crl_issuer() -> Case:
    """The point has a cRLIssuer and a name relative to that; the CRL is bound to the full name (4.2.1.13)."""
    relative = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "shard 1")])
    leaf = leaf_with(x509.DistributionPoint(None, relative, None, [x509.DirectoryName(ISSUER.subject)]))
    name = x509.DirectoryName(x509.Name([*ISSUER.subject.rdns, relative]))
    return _given(indirect(point=issuing_point(full_name=[name], indirect_crl=True)), good(), leaf=leaf)
