# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chains that clients would follow, and each way in which they would not."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import validate_chain
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, key_usage, make_key, name_of
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

ROOT = Authority.root()
ISSUING = ROOT.intermediate()
LEAF = ISSUING.issue(["shop.example.org", "*.shop.example.org", "192.0.2.7"])
AT = ROOT.at


def code_of(chain: object, anchors: object = (ROOT.certificate,), **wanted: object) -> str:
    arguments = {"at": AT, **wanted}
    with pytest.raises(RotationError) as caught:
        validate_chain(list(chain), anchors=list(anchors), **arguments)  # type: ignore[arg-type,call-overload]
    return caught.value.code


def test_good_chain_gives_its_path() -> None:
    spki = certificate_facts(LEAF.certificate).spki_sha256
    names = ["shop.example.org", "a.shop.example.org", "192.0.2.7", "SHOP.example.org."]
    path = validate_chain(LEAF.chain, anchors=[ROOT.certificate], at=AT, server_names=names, spki_sha256=spki)
    assert path == (LEAF.certificate, ISSUING.certificate, ROOT.certificate)


def test_root_may_be_sent_along() -> None:
    assert len(validate_chain([*LEAF.chain, ROOT.certificate], anchors=[ROOT.certificate], at=AT)) == 3


def test_intermediate_may_be_the_anchor() -> None:
    path = validate_chain(LEAF.chain, anchors=[ISSUING.certificate], at=AT)
    assert path == (LEAF.certificate, ISSUING.certificate)


@pytest.mark.parametrize("kind", ["rsa", "ec-secp384r1", "ed25519"])
def test_signatures_of_every_kind_of_key(kind: str) -> None:
    root = Authority.root(key=make_key(kind))
    assert validate_chain(root.issue().chain, anchors=[root.certificate], at=root.at)


def test_anchor_with_the_same_name_and_another_key_is_passed_over() -> None:
    assert validate_chain(LEAF.chain, anchors=[Authority.root().certificate, ROOT.certificate], at=AT)


def test_foreign_root_of_the_same_name_is_untrusted() -> None:
    assert code_of(LEAF.chain, [Authority.root().certificate]) == "chain_untrusted"


def test_no_anchors_at_all() -> None:
    assert code_of([*LEAF.chain, ROOT.certificate], []) == "chain_untrusted"


def test_missing_intermediate_is_incomplete() -> None:
    assert code_of([LEAF.certificate]) == "chain_incomplete"


def test_intermediate_of_another_ca_is_incomplete() -> None:
    assert code_of([LEAF.certificate, ROOT.intermediate("Other CA").certificate]) == "chain_incomplete"


def test_wrong_order() -> None:
    deeper = ISSUING.intermediate("Deeper")
    leaf = deeper.issue()
    assert code_of([leaf.certificate, ISSUING.certificate, deeper.certificate]) == "chain_disordered"


def test_intermediate_of_the_same_name_with_another_key() -> None:
    assert code_of([LEAF.certificate, ROOT.intermediate().certificate]) == "chain_signature_invalid"


def test_empty_chain() -> None:
    assert code_of([]) == "chain_empty"


def test_names_that_the_certificate_does_not_have() -> None:
    with pytest.raises(RotationError) as caught:
        validate_chain(
            LEAF.chain,
            anchors=[ROOT.certificate],
            at=AT,
            server_names=["shop.example.org", "b.a.shop.example.org", "example.org", "192.0.2.8", ".shop.example.org"],
        )
    assert caught.value.code == "names_differ"
    assert caught.value.facts["missing"] == ["b.a.shop.example.org", "example.org", "192.0.2.8", ".shop.example.org"]


def test_common_name_is_no_server_name() -> None:
    leaf = ISSUING.issue([], common_name="shop.example.org")
    assert code_of(leaf.chain, server_names=["shop.example.org"]) == "names_differ"


def test_wildcard_of_a_top_level_domain_stands_for_nothing() -> None:
    assert code_of(ISSUING.issue(["*.org"]).chain, server_names=["example.org"]) == "names_differ"


def test_address_in_a_dns_name_is_no_address() -> None:
    leaf = Authority.root().issue()
    names = x509.SubjectAlternativeName([x509.DNSName("192.0.2.7")])
    made = ISSUING.issue([], common_name="x", extra=[(names, False)])
    assert code_of(made.chain, server_names=["192.0.2.7"]) == "names_differ"
    assert leaf.certificate != made.certificate


def test_other_key() -> None:
    assert code_of(LEAF.chain, spki_sha256="00" * 32) == "key_mismatch"


@pytest.mark.parametrize(("days", "code"), [(40, "chain_expired"), (-2, "chain_not_yet_valid")])
def test_leaf_outside_its_dates(days: int, code: str) -> None:
    assert code_of(LEAF.chain, at=AT + days * DAY) == code


def test_expired_intermediate() -> None:
    issuing = ROOT.intermediate(not_before=AT - 9 * DAY, not_after=AT - DAY)
    assert code_of(issuing.issue().chain) == "chain_expired"


def test_expired_root() -> None:
    root = Authority.root(not_before=AT - 9 * DAY, not_after=AT - DAY)
    assert code_of(root.issue().chain, [root.certificate]) == "chain_expired"


def test_leaf_is_no_ca() -> None:
    rogue = Authority(LEAF.certificate, LEAF.key, AT, LEAF.chain)
    assert code_of(rogue.issue(["bank.example.org"]).chain) == "not_a_ca"


def test_ca_without_the_right_to_sign_certificates() -> None:
    assert code_of(ROOT.intermediate(usage=key_usage("crl_sign")).issue().chain) == "not_a_ca"


def test_path_length_is_kept() -> None:
    issuing = ROOT.intermediate(path_length=0)
    assert validate_chain(issuing.issue().chain, anchors=[ROOT.certificate], at=AT)
    assert code_of(issuing.intermediate("Deeper").issue().chain) == "path_too_long"


def test_client_certificate_is_for_another_purpose() -> None:
    assert code_of(ISSUING.issue(eku=[ExtendedKeyUsageOID.CLIENT_AUTH]).chain) == "wrong_purpose"


def test_unknown_critical_extension() -> None:
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
    assert code_of(ISSUING.issue(extra=[(odd, True)]).chain) == "critical_extension"
    assert validate_chain(ISSUING.issue(extra=[(odd, False)]).chain, anchors=[ROOT.certificate], at=AT)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("a.example.org", True),
        ("example.org", True),
        ("secret.example.org", False),
        ("example.com", False),
        ("notexample.org", False),
        ("192.0.2.9", True),
        ("198.51.100.1", False),
    ],
)
def test_name_constraints(name: str, allowed: bool) -> None:
    constraints = x509.NameConstraints(
        permitted_subtrees=[x509.DNSName("example.org"), x509.IPAddress(ipaddress.ip_network("192.0.2.0/24"))],
        excluded_subtrees=[x509.DNSName("secret.example.org")],
    )
    chain = ROOT.intermediate(extra=[(constraints, True)]).issue([name]).chain
    if allowed:
        assert validate_chain(chain, anchors=[ROOT.certificate], at=AT)
    else:
        assert code_of(chain) == "name_not_permitted"


def test_constraints_of_a_kind_that_is_not_evaluated_forbid() -> None:
    constraints = x509.NameConstraints([x509.DirectoryName(name_of(None))], None)
    chain = ROOT.intermediate(extra=[(constraints, True)]).issue(common_name="shop").chain
    assert code_of(chain) == "name_not_permitted"


def test_names_are_compared_without_case_and_repeated_spaces() -> None:
    root = Authority.root("Test  ROOT")
    twin = Authority.root("test root", key=root.key)
    assert validate_chain(root.issue().chain, anchors=[twin.certificate], at=AT)
