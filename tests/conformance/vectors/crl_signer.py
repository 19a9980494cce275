# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRLs signed with another key of the CA than the certificate was (RFC 5280 6.3.3 f)."""

from __future__ import annotations

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.crl_cases import WORLD, fetched, given, signer
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    CA_CRL,
    ROOT_CRL,
    issuing_ca,
    leaf_of,
    root_ca,
)
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, der, issuing_point, key_usage
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

NAME = "Vector Issuing CA"
SIGNER = "http://ca.vectors.example/signer.crt"
LEAF = WORLD.leaf.serial
POINT = issuing_point(CA_CRL)
RENEWED = issuing_ca(WORLD.root, key_name="issuing-2", serial=0x0F)
"""the same CA with a new key, certified by the same root"""
CRL_KEY = signer(NAME, WORLD.root, crl_urls=[ROOT_CRL])
"""a key of the CA for CRLs only"""


@vector
def a_ca_signs_with_its_new_key() -> Case:
    """The leaf is of the old key, the CRL of the new one; the certificate of the new one came along."""
    return given([RENEWED.crl(point=POINT)], good(), others=[RENEWED.certificate])


@vector
def listed_with_the_new_key_is_revoked() -> Case:
    """The same, and the leaf is listed."""
    return given([RENEWED.crl([LEAF], point=POINT)], revoked(), others=[RENEWED.certificate])


@vector
def a_ca_has_a_key_for_crls_alone() -> Case:
    """Its certificate has cRLSign and nothing else, and is no CA's."""
    return given([CRL_KEY.crl(point=POINT)], good(), others=[CRL_KEY.certificate])


@vector
def without_key_identifier_the_signer_is_found_by_name() -> Case:
    """The CRL does not say which key it is signed with: those of the CA's name are tried."""
    return given([CRL_KEY.crl(point=POINT, aki=False)], good(), others=[CRL_KEY.certificate])


@vector
def a_ca_certifies_its_new_key_itself() -> Case:
    """New with old: the new key's certificate is issued by the CA itself with its old key (self-issued)."""
    new = signer(NAME, WORLD.ca, crl_urls=[CA_CRL])
    of_new_key = WORLD.ca.crl(point=POINT)
    return given([new.crl(), of_new_key], good(), others=[new.certificate])


@vector
def a_key_that_only_its_own_crls_could_revoke_is_taken() -> Case:
    """All CRLs of the CA are signed with the self-issued CRL key: whether that is revoked, no one could ever tell."""
    new = signer(NAME, WORLD.ca, crl_urls=[CA_CRL])
    return given([new.crl(point=POINT)], good(), others=[new.certificate])


@vector
def a_crl_key_without_pointers_is_taken() -> Case:
    """Nobody offers revocation information about the CRL key."""
    own = signer(NAME, WORLD.ca)
    return given([own.crl(point=POINT)], good(), others=[own.certificate])


@vector
def without_its_certificate_a_signer_is_unknown() -> Case:
    """The CRL names a key of which there is no certificate at hand."""
    return given([CRL_KEY.crl(point=POINT)], unknown("issuer_mismatch"))


@vector
def a_signer_without_crl_sign_may_not() -> Case:
    """A certificate with the CA's name, but keyUsage digitalSignature."""
    other = signer(NAME, WORLD.root, usage=key_usage("digital_signature"), crl_urls=[ROOT_CRL])
    return given([other.crl(point=POINT)], unknown("signer_not_authorised"), others=[other.certificate])


@vector
def a_signer_under_another_anchor_may_not() -> Case:
    """Another trusted root has certified a CA of the same name: it says nothing about this one's certificates."""
    elsewhere = root_ca("Other Vector Root", key_name="stranger", serial=0x1A)
    namesake = issuing_ca(elsewhere, key_name="issuing-2", serial=0x1B)
    crls = [namesake.crl(point=POINT), WORLD.root_crl]
    return Case(
        chain=(*WORLD.chain, namesake.certificate),
        anchors=(*WORLD.anchors, elsewhere.certificate),
        crls=crls,
        policy=RevocationPolicy(fetch=False),
        expected=unknown("signer_not_authorised"),
    )


@vector
def a_namesake_below_another_ca_may_not() -> Case:
    """Another CA under the same root certifies the CA's name for a key of its own: any CA could do that."""
    evil = issuing_ca(WORLD.root, "Vector Evil CA", key_name="stranger", serial=0x1C)
    namesake = signer(NAME, evil)
    others = [namesake.certificate, evil.certificate]
    return given([namesake.crl(point=POINT)], unknown("signer_not_authorised"), others=others)


@vector
def what_a_namesake_lists_is_not_revoked_by_that() -> Case:
    """The same, listing the leaf: whoever may not say good may not say revoked."""
    evil = issuing_ca(WORLD.root, "Vector Evil CA", key_name="stranger", serial=0x1C)
    namesake = signer(NAME, evil)
    others = [namesake.certificate, evil.certificate]
    return given([namesake.crl([LEAF], point=POINT), WORLD.ca_crl()], good(), others=others)


@vector
def an_expired_signer_may_not() -> Case:
    """The certificate of the CRL key ran out yesterday."""
    old = signer(NAME, WORLD.root, not_after=AT - DAY, crl_urls=[ROOT_CRL])
    return given([old.crl(point=POINT)], unknown("signer_not_authorised"), others=[old.certificate])


@vector
def a_signer_not_yet_valid_may_not() -> Case:
    """The certificate of the CRL key is for tomorrow."""
    new = signer(NAME, WORLD.root, not_before=AT + DAY, crl_urls=[ROOT_CRL])
    return given([new.crl(point=POINT)], unknown("signer_not_authorised"), others=[new.certificate])


@vector
def a_revoked_signer_may_not() -> Case:
    """The CRL key was stolen and its certificate revoked by the root."""
    root_crl = WORLD.root.crl([CRL_KEY.certificate.serial_number])
    crls = [CRL_KEY.crl(point=POINT)]
    return given(crls, unknown("signer_revoked"), others=[CRL_KEY.certificate], root_crl=root_crl)


@vector
def what_a_revoked_signer_lists_is_not_revoked_by_that() -> Case:
    """Who stole the key may list anything."""
    root_crl = WORLD.root.crl([CRL_KEY.certificate.serial_number])
    crls = [CRL_KEY.crl([LEAF], point=POINT)]
    return given(crls, unknown("signer_revoked"), others=[CRL_KEY.certificate], root_crl=root_crl)


@vector
def a_signer_whose_status_is_not_known_may_not() -> Case:
    """The root's CRL covers the sub-CA, but another shard of it would cover the CRL key, and that is not at hand."""
    shard = "http://crl.vectors.example/root-2.crl"
    own = signer(NAME, WORLD.root, crl_urls=[shard])
    root_crl = WORLD.root.crl(point=issuing_point(ROOT_CRL))
    crls = [own.crl(point=POINT)]
    return given(crls, unknown("signer_status_unknown"), others=[own.certificate], root_crl=root_crl)


@vector
def signers_are_not_asked_about_where_issuers_are_not() -> Case:
    """judge_issuers is off: nobody asks whether CAs are revoked, and so not about the CRL key either."""
    root_crl = WORLD.root.crl([CRL_KEY.certificate.serial_number])
    policy = RevocationPolicy(fetch=False, judge_issuers=False)
    crls = [CRL_KEY.crl(point=POINT)]
    return given(crls, good(), others=[CRL_KEY.certificate], root_crl=root_crl, policy=policy)


@vector
def the_certificate_says_where_certificates_of_its_ca_are() -> Case:
    """caIssuers in the leaf leads to the new certificate of the CA (4.2.2.1)."""
    leaf = leaf_of(WORLD.ca, crl_urls=[CA_CRL], ca_issuers_urls=[SIGNER])
    pages = {SIGNER: der(RENEWED.certificate)}
    return fetched(RENEWED.crl(point=POINT), good(), chain=leaf.chain, pages=pages)


@vector
def the_crl_says_where_the_certificate_of_its_signer_is() -> Case:
    """caIssuers in the CRL (5.2.7)."""
    location = x509.UniformResourceIdentifier(SIGNER)
    description = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, location)
    crl = CRL_KEY.crl(point=POINT, extra=[(x509.AuthorityInformationAccess([description]), False)])
    return fetched(crl, good(), pages={SIGNER: der(CRL_KEY.certificate)})


@vector
def a_fetched_signer_must_be_authorised_like_any_other() -> Case:
    """What stands at the caIssuers URL is a stranger's certificate in the CA's name."""
    elsewhere = root_ca("Other Vector Root", key_name="stranger", serial=0x1A)
    namesake = signer(NAME, elsewhere)
    leaf = leaf_of(WORLD.ca, crl_urls=[CA_CRL], ca_issuers_urls=[SIGNER])
    pages = {SIGNER: der(namesake.certificate)}
    return fetched(namesake.crl(point=POINT), unknown("signer_not_authorised"), chain=leaf.chain, pages=pages)


@vector
def the_root_signs_its_crl_with_a_key_for_crls() -> Case:
    """The sub-CA is judged by a CRL that is signed with the root's CRL key, which the root has certified."""
    own = signer("Vector Root", WORLD.root)
    return given([WORLD.ca_crl()], good(), others=[own.certificate], root_crl=own.crl())


@vector
def the_sub_ca_is_revoked_by_the_roots_key_for_crls() -> Case:
    """The same, and the sub-CA is listed."""
    own = signer("Vector Root", WORLD.root)
    root_crl = own.crl([WORLD.ca.certificate.serial_number])
    return given([WORLD.ca_crl()], revoked("issuer_revoked"), others=[own.certificate], root_crl=root_crl)


@vector
def two_crl_keys_that_vouch_for_each_other_come_to_an_end() -> Case:
    """Each signs the CRL in which the other would be listed; judging must not go round in circles."""
    first_url, second_url = "http://crl.vectors.example/first.crl", "http://crl.vectors.example/second.crl"
    first = signer(NAME, WORLD.ca, crl_urls=[second_url])
    second = signer(NAME, WORLD.ca, key_name="issuing-2", serial=0x0D, crl_urls=[first_url])
    crls = [
        first.crl(point=POINT),
        first.crl(point=issuing_point(first_url)),
        second.crl(point=issuing_point(second_url)),
    ]
    return given(crls, good(), others=[first.certificate, second.certificate])


@vector
def the_old_signature_time_does_not_matter_for_the_issuer() -> Case:
    """Signed with the issuer's own key a moment ago, while a renewed CA certificate came along as well."""
    crl = WORLD.ca_crl(this_update=AT - HOUR / 60)
    return given([crl], good(), others=[RENEWED.certificate])
