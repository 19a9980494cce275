# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may sign: the CA, its delegates, and whom the operator trusts (RFC 6960 sections 4.2.2.2 and 4.2.2.2.1)."""

from __future__ import annotations

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    OCSP,
    ROOT_CRL,
    issuing_ca,
    leaf_of,
    root_ca,
)
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import (
    NULL_VALUE,
    ODD,
    answered,
    delegate,
    signed_by,
    world,
)
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import Single, ocsp_response
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued, key_usage
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

DELEGATES_CRL = "http://crl.vectors.example/delegates.crl"


def stranger() -> Authority:
    return root_ca("Other Root", key_name="stranger", serial=0x0C)


@vector
def the_ca_by_its_key() -> Case:
    """ResponderID byKey, the SHA-1 of the CA's key: clients must understand it (RFC 9919 3.2.2)."""
    return answered(world().sign_response([world().single()], by_name=False), good())


@vector
def the_ca_by_its_name() -> Case:
    """ResponderID byName: clients should understand it."""
    return answered(world().sign_response([world().single()], by_name=True), good())


@vector
def a_delegate_by_its_key() -> Case:
    """A responder certified by the leaf's CA for OCSP signing, with nocheck: as good as the CA."""
    return answered(signed_by(delegate()), good())


@vector
def a_delegate_by_its_name() -> Case:
    """The same, named instead of hashed."""
    return answered(signed_by(delegate(), by_name=True), good())


@vector
def a_delegate_says_revoked() -> Case:
    """What a delegate says counts in both directions."""
    return answered(signed_by(delegate(), "revoked"), revoked())


@vector
def a_delegate_that_is_not_sent_along() -> Case:
    """Its certificate must be in the response (RFC 9919 3.2.2); nobody else has it."""
    return answered(signed_by(delegate(), sent=()), unknown("responder_not_authorised"))


@vector
def a_delegate_without_the_purpose() -> Case:
    """Without id-kp-OCSPSigning any server of the CA could vouch for any other."""
    signer = delegate(eku=[ExtendedKeyUsageOID.SERVER_AUTH])
    return answered(signed_by(signer), unknown("responder_not_authorised"))


@vector
def a_delegate_for_any_purpose() -> Case:
    """anyExtendedKeyUsage is not enough: the CA must have meant it to sign responses (RFC 6960 4.2.2.2)."""
    signer = delegate(eku=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    return answered(signed_by(signer), unknown("responder_not_authorised"))


@vector
def a_delegate_without_any_purpose() -> Case:
    """No extendedKeyUsage at all means every purpose elsewhere, but not here."""
    return answered(signed_by(delegate(eku=[])), unknown("responder_not_authorised"))


@vector
def a_delegate_whose_key_is_not_for_signatures() -> Case:
    """keyUsage without digitalSignature (RFC 5280 4.2.1.3)."""
    signer = delegate(usage=key_usage("key_encipherment"))
    return answered(signed_by(signer), unknown("responder_not_authorised"))


@vector
def a_delegate_with_an_unknown_critical_extension() -> Case:
    """A certificate with a critical extension that is not understood must not be used (RFC 5280 4.2)."""
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier(ODD), NULL_VALUE)
    return answered(signed_by(delegate(extra=[(odd, True)])), unknown("critical_extension"))


@vector
def a_delegate_that_has_expired() -> Case:
    """The responder's certificate ended yesterday."""
    signer = delegate(not_before=AT - 9 * DAY, not_after=AT - DAY)
    return answered(signed_by(signer), unknown("responder_expired"))


@vector
def a_delegate_of_tomorrow() -> Case:
    """The responder's certificate begins tomorrow."""
    signer = delegate(not_before=AT + DAY, not_after=AT + 9 * DAY)
    return answered(signed_by(signer), unknown("responder_expired"))


@vector
def a_delegate_of_another_ca() -> Case:
    """Certified for OCSP signing, but by a CA that has nothing to do with the leaf."""
    signer = stranger().delegate(key=key("delegate"), serial=0x2002)
    return answered(signed_by(signer), unknown("responder_not_authorised"))


@vector
def a_delegate_of_the_root() -> Case:
    """Certified by the CA's own CA: it may speak about the CA, not about what the CA issued (RFC 6960 4.2.2.2)."""
    signer = world().root.delegate(key=key("delegate"), serial=0x2003)
    return answered(signed_by(signer), unknown("responder_not_authorised"))


@vector
def a_delegate_of_a_ca_of_the_same_name() -> Case:
    """Certified under the right name with another key."""
    twin = issuing_ca(world().root, key_name="issuing-2", serial=0x0D)
    signer = twin.delegate(key=key("delegate"), serial=0x2004)
    return answered(signed_by(signer), unknown("responder_not_authorised"))


@vector
def a_delegate_below_a_delegate() -> Case:
    """A responder that certifies another responder: not issued directly by the CA."""
    first = Authority(delegate().certificate, delegate().key, AT)
    second = first.delegate("Second Responder", key=key("leaf-2"), serial=0x2005)
    sent = (second.certificate, delegate().certificate)
    return answered(signed_by(second, sent=sent), unknown("responder_not_authorised"))


@vector
def a_delegate_of_the_reissued_ca() -> Case:
    """The CA has a newer certificate for the same key and name; what that key certified is certified by this CA."""
    newer = issuing_ca(world().root, serial=0x0E)
    signer = newer.delegate(key=key("delegate"), serial=0x2006)
    return answered(signed_by(signer), good())


@vector
def the_certificate_vouches_for_itself() -> Case:
    """The leaf's own key signs: it is no responder."""
    return answered(signed_by(world().leaf), unknown("responder_not_authorised"))


@vector
def a_responder_does_not_vouch_for_itself() -> Case:
    """A responder's certificate is judged by what it signed itself: who stole its key would call it good."""
    here = world()
    leaf = here.ca.delegate("Vector Responder", key=key("delegate"), serial=0x2007, ocsp_urls=[OCSP])
    single = Single(leaf.certificate, here.ca.certificate, AT)
    response = ocsp_response([single], key=leaf.key, responder=leaf.certificate, certificates=[leaf.certificate])
    pages = {OCSP: response, ROOT_CRL: here.root_crl}
    return Case(chain=leaf.chain, anchors=here.anchors, pages=pages, expected=unknown("responder_not_authorised"))


@vector
def a_stranger_in_the_name_of_the_ca() -> Case:
    """The ResponderID is the CA's, the signature is not."""
    response = ocsp_response([world().single()], key=key("stranger"), responder=world().ca.certificate)
    return answered(response, unknown("signature_invalid"))


@vector
def a_stranger_with_a_certificate_of_its_own() -> Case:
    """Signed by an unrelated root that sends its certificate along."""
    other = stranger()
    return answered(signed_by(Issued(other.certificate, other.key)), unknown("responder_not_authorised"))


@vector
def a_stranger_with_the_certificate_of_a_delegate() -> Case:
    """The delegate's real certificate, its real ResponderID, and another key's signature."""
    impostor = Issued(delegate().certificate, key("stranger"))
    return answered(signed_by(impostor), unknown("signature_invalid"))


@vector
def a_delegate_named_like_the_ca() -> Case:
    """byName fits the CA and its delegate, which bears the same name; the delegate's signature holds."""
    signer = world().ca.delegate("Vector Issuing CA", key=key("delegate"), serial=0x2008)
    return answered(signed_by(signer, by_name=True), good())


@vector
def a_delegate_among_strangers() -> Case:
    """Twenty certificates that are nobody's concern stand before that of the responder."""
    others = [leaf_of(world().ca, key_name="leaf-2", serial=0x3000 + number).certificate for number in range(20)]
    return answered(signed_by(delegate(), sent=(*others, delegate().certificate)), good())


@vector
def a_delegate_behind_too_many_of_its_name() -> Case:
    """Each certificate of the responder's name costs signature checks, so only the first few are tried: unknown."""
    fakes = [
        stranger().delegate("Vector Responder", key=key("leaf-2"), serial=0x3000 + number).certificate
        for number in range(20)
    ]
    response = signed_by(delegate(), sent=(*fakes, delegate().certificate), by_name=True)
    return answered(response, unknown("responder_not_authorised"))


@vector
def a_delegate_without_nocheck_or_pointer() -> Case:
    """Without id-pkix-ocsp-nocheck its own status matters (RFC 6960 4.2.2.2.1), and there is no way to learn it."""
    return answered(signed_by(delegate(nocheck=False)), unknown("responder_status_unknown"))


@vector
def a_delegate_that_its_crl_clears() -> Case:
    """Without nocheck, but in no CRL of the CA: good."""
    signer = delegate(nocheck=False, crl_urls=[DELEGATES_CRL])
    return answered(signed_by(signer), good(), pages={DELEGATES_CRL: world().ca.crl()})


@vector
def a_delegate_that_is_revoked() -> Case:
    """Without nocheck and in the CA's CRL: nothing that it signs counts, a good response least of all."""
    signer = delegate(nocheck=False, crl_urls=[DELEGATES_CRL])
    crl = world().ca.crl([signer.serial])
    return answered(signed_by(signer), unknown("responder_revoked"), pages={DELEGATES_CRL: crl})


@vector
def a_revoked_delegate_revokes_nothing() -> Case:
    """The same delegate says revoked: its key may be in other hands, so that is no verified "revoked" either."""
    signer = delegate(nocheck=False, crl_urls=[DELEGATES_CRL])
    crl = world().ca.crl([signer.serial])
    return answered(signed_by(signer, "revoked"), unknown("responder_revoked"), pages={DELEGATES_CRL: crl})


@vector
def a_delegate_whose_crl_is_stale() -> Case:
    """Without nocheck, and the CRL that would clear it has expired."""
    signer = delegate(nocheck=False, crl_urls=[DELEGATES_CRL])
    crl = world().ca.crl(this_update=AT - 9 * DAY, next_update=AT - DAY)
    return answered(signed_by(signer), unknown("responder_status_unknown"), pages={DELEGATES_CRL: crl})


@vector
def a_delegate_that_a_given_crl_clears() -> Case:
    """Without nocheck and without network: the CA's CRL is given as a file, and so is the response."""
    here = world()
    signer = delegate(nocheck=False, crl_urls=[DELEGATES_CRL])
    return Case(
        chain=here.chain,
        anchors=here.anchors,
        crls=(here.ca.crl(), here.root_crl),
        ocsp_responses=(signed_by(signer, "revoked"),),
        policy=RevocationPolicy(fetch=False),
        expected=revoked(),
    )


@vector
def a_delegate_that_a_given_crl_revokes() -> Case:
    """The same, and the delegate is listed: its "revoked" does not count; that the CRL does not list the leaf does."""
    here = world()
    signer = delegate(nocheck=False, crl_urls=[DELEGATES_CRL])
    return Case(
        chain=here.chain,
        anchors=here.anchors,
        crls=(here.ca.crl([signer.serial]), here.root_crl),
        ocsp_responses=(signed_by(signer, "revoked"),),
        policy=RevocationPolicy(fetch=False),
        expected=good(),
    )


@vector
def a_responder_that_the_operator_trusts() -> Case:
    """Of another CA and without any purpose, but configured: the first of the three ways of RFC 6960 4.2.2.2."""
    other = leaf_of(stranger(), key_name="leaf-2")
    policy = RevocationPolicy(trusted_responders=(other.certificate,))
    return answered(signed_by(other, sent=()), good(), policy=policy)


@vector
def a_responder_that_was_trusted_has_expired() -> Case:
    """Configured, but its certificate ended yesterday."""
    other = leaf_of(stranger(), key_name="leaf-2", not_after=AT - DAY, not_before=AT - 9 * DAY)
    policy = RevocationPolicy(trusted_responders=(other.certificate,))
    return answered(signed_by(other), unknown("responder_expired"), policy=policy)


@vector
def another_certificate_of_a_trusted_responders_name() -> Case:
    """The name of the configured responder is not enough."""
    trusted = leaf_of(stranger(), key_name="leaf-2", common_name="Trusted Responder")
    other = leaf_of(stranger(), key_name="delegate", common_name="Trusted Responder")
    policy = RevocationPolicy(trusted_responders=(trusted.certificate,))
    return answered(signed_by(other, by_name=True), unknown("responder_not_authorised"), policy=policy)
