# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CAs between a certificate and its anchor: whether they are known, trusted, valid, and not revoked themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    CA_CRL,
    OCSP,
    ROOT_CRL,
    Hierarchy,
    hierarchy,
    issuing_ca,
    leaf_of,
    root_ca,
)
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.vector import (
    Case,
    good,
    revoked,
    unknown,
    usual_case,
    vector,
)
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, Authority, der, issuing_point, key_usage
from cryptography import x509

AIA = "http://aia.vectors.example/ca.crt"
SUB_CRL = "http://crl.vectors.example/sub.crl"


def _clean(**wanted: Any) -> Hierarchy:
    """The usual hierarchy with another CA certificate."""
    root = root_ca()
    ca = issuing_ca(root, **wanted)
    return Hierarchy(root, ca, leaf_of(ca, crl_urls=[CA_CRL]))


@vector
def revoked_issuer_revokes_the_leaf() -> Case:
    """The root's CRL lists the CA, the CA's own is clean: revoked, as issuer_revoked, since the CA was revoked."""
    world = hierarchy()
    reasons = {world.ca.certificate.serial_number: x509.ReasonFlags.ca_compromise}
    pages = {CA_CRL: world.ca_crl(), ROOT_CRL: world.root.crl(reasons, revoked_at=AT - DAY)}
    expected = revoked("issuer_revoked", revoked_at=AT - DAY, revocation_reason="cACompromise")
    return usual_case(expected, pages=pages)


@vector
def own_revocation_is_reported_before_that_of_the_issuer() -> Case:
    """Leaf and CA are both revoked: what is reported is the leaf's own revocation."""
    world = hierarchy()
    pages = {
        CA_CRL: world.ca_crl([world.leaf.serial]),
        ROOT_CRL: world.root.crl([world.ca.certificate.serial_number], revoked_at=AT - DAY),
    }
    return usual_case(revoked(revoked_at=AT - 2 * HOUR), pages=pages)


@vector
def issuer_of_unknown_status_makes_the_leaf_unknown() -> Case:
    """The leaf's CRL is clean, the root's is unreachable: whether the CA is revoked is unknown, so the leaf is too."""
    world = hierarchy()
    return Case(
        chain=world.chain,
        anchors=world.anchors,
        pages={CA_CRL: world.ca_crl()},
        expected=unknown("issuer_unknown", "unreachable"),
    )


@vector
def issuers_are_not_judged_if_the_policy_says_so() -> Case:
    """With judge_issuers off only the leaf is judged, and the root's CRL is not asked for."""
    world = hierarchy()
    policy = RevocationPolicy(judge_issuers=False)
    return usual_case(good(asked=(CA_CRL,)), pages={CA_CRL: world.ca_crl()}, policy=policy)


@vector
def issuer_without_pointers_is_unknown() -> Case:
    """A CA certificate that names no CRL and no responder: it cannot be judged, however long it lives."""
    world = _clean(crl_urls=[])
    return usual_case(unknown("issuer_unknown", "no_pointer"), world=world, pages={CA_CRL: world.ca_crl()})


@vector
def crl_of_the_root_signed_by_the_ca_itself_is_refused() -> Case:
    """A CRL in the root's name, signed with the CA's own key: a CA does not clear itself."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), ROOT_CRL: world.root.crl(key=world.ca.key)}
    return usual_case(unknown("issuer_unknown", "signature_invalid"), pages=pages)


@vector
def root_crl_for_cas_only_clears_the_ca() -> Case:
    """A root's CRL with onlyContainsCACerts is complete for the CAs below it (RFC 5280 5.2.5)."""
    world = hierarchy()
    point = issuing_point(ROOT_CRL, only_contains_ca_certs=True)
    return usual_case(good(), pages={CA_CRL: world.ca_crl(), ROOT_CRL: world.root.crl(point=point)})


@vector
def root_crl_for_users_only_does_not_clear_the_ca() -> Case:
    """A root's CRL with onlyContainsUserCerts says nothing of CAs."""
    world = hierarchy()
    point = issuing_point(ROOT_CRL, only_contains_user_certs=True)
    pages = {CA_CRL: world.ca_crl(), ROOT_CRL: world.root.crl(point=point)}
    return usual_case(unknown("issuer_unknown", "scope_mismatch"), pages=pages)


@vector
def serials_belong_to_their_issuer() -> Case:
    """The root's CRL lists the serial that the leaf has: another issuer's certificate, so good."""
    world = hierarchy()
    return usual_case(good(), pages={CA_CRL: world.ca_crl(), ROOT_CRL: world.root.crl([world.leaf.serial])})


@vector
def root_as_issuer_of_the_leaf() -> Case:
    """A leaf directly below the anchor: its CRL is the root's, and there is no CA to judge."""
    root = root_ca()
    leaf = leaf_of(root, crl_urls=[ROOT_CRL])
    return Case(
        chain=leaf.chain,
        anchors=[root.certificate],
        pages={ROOT_CRL: root.crl()},
        expected=good(asked=(ROOT_CRL,)),
    )


@vector
def revoked_ca_two_levels_above() -> Case:
    """Root, CA, sub-CA, leaf; the CA in the middle is revoked by the root: revoked."""
    root = root_ca()
    middle = issuing_ca(root)
    sub = issuing_ca(middle, "Vector Sub CA", key_name="issuing-2", serial=0x0C, crl_urls=[CA_CRL])
    leaf = leaf_of(sub, crl_urls=[SUB_CRL])
    pages = {SUB_CRL: sub.crl(), CA_CRL: middle.crl(), ROOT_CRL: root.crl([middle.certificate.serial_number])}
    return Case(chain=leaf.chain, anchors=[root.certificate], pages=pages, expected=revoked("issuer_revoked"))


@vector
def all_levels_clean_is_good() -> Case:
    """Root, CA, sub-CA, leaf; the CRL of each level is clean: good, and each is asked for once."""
    root = root_ca()
    middle = issuing_ca(root)
    sub = issuing_ca(middle, "Vector Sub CA", key_name="issuing-2", serial=0x0C, crl_urls=[CA_CRL])
    leaf = leaf_of(sub, crl_urls=[SUB_CRL])
    pages = {SUB_CRL: sub.crl(), CA_CRL: middle.crl(), ROOT_CRL: root.crl()}
    expected = good(asked=(SUB_CRL, CA_CRL, ROOT_CRL))
    return Case(chain=leaf.chain, anchors=[root.certificate], pages=pages, expected=expected)


@vector
def wrong_anchor_is_untrusted() -> Case:
    """The trust anchor is another root: unknown, whatever the CRLs of the untrusted CA say."""
    world = hierarchy()
    other = root_ca("Another Root", key_name="stranger")
    return Case(
        chain=world.chain,
        anchors=[other.certificate],
        pages={CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl},
        expected=unknown("chain_incomplete", exactly=False),
    )


@vector
def anchor_of_the_same_name_and_another_key_is_untrusted() -> Case:
    """A root with the right name and the wrong key did not sign the CA: untrusted."""
    world = hierarchy()
    impostor = root_ca(key_name="stranger")
    return Case(
        chain=world.chain,
        anchors=[impostor.certificate],
        pages={CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl},
        expected=unknown("chain_untrusted", exactly=False),
    )


@vector
def no_anchors_at_all_is_never_good() -> Case:
    """Nothing is trusted, so nothing is good; the root in the chain does not vouch for itself."""
    world = hierarchy()
    return Case(
        chain=[*world.chain, world.root.certificate],
        pages={CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl},
        expected=unknown("chain_untrusted", exactly=False),
    )


@vector
def revoked_by_an_untrusted_ca_is_still_revoked() -> Case:
    """The chain leads to no anchor, but its direct issuer has revoked the leaf: revoked, and untrusted."""
    world = hierarchy()
    impostor = root_ca(key_name="stranger")
    return Case(
        chain=world.chain,
        anchors=[impostor.certificate],
        pages={CA_CRL: world.ca_crl([world.leaf.serial])},
        expected=revoked("revoked", "chain_untrusted"),
    )


@vector
def missing_intermediate_is_incomplete() -> Case:
    """Only the leaf is given, and it does not say where its issuer is: nothing can be verified."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), OCSP: world.response(), ROOT_CRL: world.root_crl}
    return Case(
        chain=[world.leaf.certificate],
        anchors=world.anchors,
        pages=pages,
        expected=unknown("chain_incomplete", exactly=False, asked=()),
    )


def _with_pointer() -> Hierarchy:
    world = hierarchy()
    return dataclasses.replace(world, leaf=leaf_of(world.ca, crl_urls=[CA_CRL], ca_issuers_urls=[AIA]))


@vector
def missing_intermediate_is_found_by_its_pointer() -> Case:
    """Only the leaf is given, its caIssuers URL leads to the CA's certificate (RFC 5280 4.2.2.1): good."""
    world = _with_pointer()
    pages = {AIA: der(world.ca.certificate), CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl}
    return Case(chain=[world.leaf.certificate], anchors=world.anchors, pages=pages, expected=good())


@vector
def pointer_to_a_ca_that_did_not_sign_is_of_no_use() -> Case:
    """The caIssuers URL leads to a CA of the right name and another key: it is fetched over plain HTTP, so verified."""
    world = _with_pointer()
    impostor = issuing_ca(root_ca(), key_name="stranger")
    pages = {AIA: der(impostor.certificate), CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl}
    return Case(
        chain=[world.leaf.certificate],
        anchors=world.anchors,
        pages=pages,
        expected=unknown("chain_incomplete", exactly=False),
    )


@vector
def missing_intermediate_is_not_fetched_when_nothing_is() -> Case:
    """With fetch off the caIssuers URL is not followed, so that a verdict can be reproduced."""
    world = _with_pointer()
    pages = {AIA: der(world.ca.certificate), CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl}
    return Case(
        chain=[world.leaf.certificate],
        anchors=world.anchors,
        pages=pages,
        policy=RevocationPolicy(fetch=False),
        expected=unknown("chain_incomplete", exactly=False, asked=()),
    )


@vector
def order_and_strangers_in_the_chain_do_not_matter() -> Case:
    """The root is sent along and a stranger's certificate stands in between: the path is found all the same."""
    world = hierarchy()
    stranger = root_ca("A Stranger", key_name="stranger").certificate
    chain = [world.leaf.certificate, world.root.certificate, stranger, world.ca.certificate]
    pages = {CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl}
    return Case(chain=chain, anchors=world.anchors, pages=pages, expected=good())


@vector
def cross_signed_ca_is_judged_on_the_path_to_the_anchor() -> Case:
    """The CA has a certificate of each of two roots; only one root is trusted, and its CRL is the one that counts."""
    world = hierarchy()
    other = root_ca("Another Root", key_name="rsa-root", serial=0x0D)
    crossed = issuing_ca(other, serial=0x0E, crl_urls=[SUB_CRL])
    chain = [world.leaf.certificate, world.ca.certificate, crossed.certificate]
    pages = {CA_CRL: world.ca_crl(), ROOT_CRL: world.root.crl([0x0B]), SUB_CRL: other.crl()}
    return Case(chain=chain, anchors=[other.certificate], pages=pages, expected=good(asked=(CA_CRL, SUB_CRL)))


@vector
def expired_intermediate_is_an_invalid_chain() -> Case:
    """The CA's certificate ended yesterday: clients refuse the chain, so the leaf is not good."""
    world = _clean(not_after=AT - DAY)
    return usual_case(unknown("chain_invalid", exactly=False), world=world, pages={CA_CRL: world.ca_crl()})


@vector
def issuer_that_is_no_ca_is_an_invalid_chain() -> Case:
    """A server certificate that signed another one: basicConstraints is missing (RFC 5280 6.1.4 k)."""
    root = root_ca()
    fake = leaf_of(root, key_name="leaf-2", common_name="Vector Issuing CA", crl_urls=[ROOT_CRL])
    ca = Authority(fake.certificate, fake.key, AT, (fake.certificate,))
    world = Hierarchy(root, ca, leaf_of(ca, serial=0x1002, crl_urls=[CA_CRL]))
    return usual_case(unknown("chain_invalid", exactly=False), world=world, pages={CA_CRL: world.ca_crl()})


@vector
def ca_that_may_not_sign_crls_does_not_clear() -> Case:
    """The CA's keyUsage lacks cRLSign: its CRL counts for nothing (RFC 5280 6.3.3 f)."""
    world = _clean(usage=key_usage("key_cert_sign"))
    return usual_case(unknown("signer_not_authorised"), world=world, pages={CA_CRL: world.ca_crl()})


@vector
def crl_of_the_cas_other_key_does_not_clear() -> Case:
    """A CRL of a CA with the same name and another key, as its AKI says: not this CA's (RFC 5280 6.3.3 c)."""
    world = _clean()
    namesake = issuing_ca(world.root, key_name="issuing-2", serial=0x0C)
    pages = {CA_CRL: namesake.crl(point=issuing_point(CA_CRL))}
    return usual_case(unknown("issuer_mismatch"), world=world, pages=pages)


@vector
def anchor_itself_has_nothing_to_judge() -> Case:
    """The certificate is a trust anchor: it has no issuer that could revoke it, so unknown without a pointer."""
    root = root_ca()
    return Case(chain=[root.certificate], anchors=[root.certificate], expected=unknown("no_pointer"))


@vector
def self_signed_leaf_is_untrusted() -> Case:
    """A self-signed server certificate that is no anchor: nobody vouches for it."""
    lonely = root_ca("Lonely", key_name="stranger")
    return Case(
        chain=[lonely.certificate],
        anchors=[root_ca().certificate],
        expected=unknown("chain_untrusted", "no_pointer"),
    )


@vector
def rsa_hierarchy_is_good() -> Case:
    """The same with RSA keys of 2048 bits and PKCS #1 v1.5 signatures."""
    root = root_ca(key_name="rsa-root")
    ca = issuing_ca(root, key_name="rsa-issuing")
    world = Hierarchy(root, ca, leaf_of(ca, key_name="rsa-leaf", crl_urls=[CA_CRL]))
    return usual_case(good(), world=world, pages={CA_CRL: world.ca_crl()})


@vector
def ed25519_hierarchy_is_revoked() -> Case:
    """The same with Ed25519 keys (RFC 8410), and the leaf listed."""
    root = root_ca()
    ca = issuing_ca(root, key_name="ed25519-issuing")
    world = Hierarchy(root, ca, leaf_of(ca, key_name="ed25519-leaf", crl_urls=[CA_CRL]))
    return usual_case(revoked(), world=world, pages={CA_CRL: world.ca_crl([world.leaf.serial])})


@vector
def leaf_signed_with_another_key_than_its_issuers_is_incomplete() -> Case:
    """A leaf in the CA's name, signed with a stranger's key: the CA in the chain is not its issuer."""
    world = hierarchy()
    impostor = issuing_ca(root_ca(), key_name="stranger")
    fake = leaf_of(dataclasses.replace(impostor, key=key("stranger")), crl_urls=[CA_CRL])
    return Case(
        chain=[fake.certificate, world.ca.certificate],
        anchors=world.anchors,
        pages={CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl},
        expected=unknown("chain_incomplete", exactly=False),
    )
