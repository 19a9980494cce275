# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issuing and revoking at an internal CA, with its publication fetched over HTTP."""

from __future__ import annotations

import base64
import dataclasses
import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_creation import Identity
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_settings import load_settings, save_settings
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    REVOCATION_REASONS,
    Issued,
    Order,
    Receipt,
    Revocation,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support.internal_ca import TestCa, leaf_of, make_ca, order
from ansible_collections.certops.rotation.tests.support.pki import make_csr, make_key
from ansible_collections.certops.rotation.tests.support.publisher import Publisher
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID


def refusal(ca: TestCa, wanted: Order) -> RotationError:
    [outcome] = ca.issuer().issue([wanted])
    if not isinstance(outcome, RotationError):
        raise AssertionError("was issued")
    return outcome


def receipt(ca: TestCa, issued: Issued, reason: str) -> Receipt:
    [done] = ca.revoked([Revocation(issued.chain_pem, reason)])
    return done


def extension(certificate: x509.Certificate, kind: Any) -> Any:
    return certificate.extensions.get_extension_for_class(kind).value


# --- what a certificate looks like ---


def test_leaf_has_what_a_server_certificate_needs(ca: TestCa, publisher: Publisher) -> None:
    [issued] = ca.issued([order("shop", ["shop.example.org", "192.0.2.7", "2001:db8::1"])])
    leaf = leaf_of(issued)
    facts = certificate_facts(leaf)
    assert set(facts.names) == {"shop.example.org", "192.0.2.7", "2001:db8::1"}
    assert facts.ocsp_urls == (f"{publisher.url}/ocsp",)
    assert facts.crl_urls == (f"{publisher.url}/intermediate.crl",)
    assert facts.ca_issuers_urls == (f"{publisher.url}/intermediate.crt",)
    assert list(extension(leaf, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.SERVER_AUTH]
    usage = extension(leaf, x509.KeyUsage)
    assert usage.digital_signature and not usage.key_encipherment and not usage.key_cert_sign
    assert not facts.is_ca and not facts.must_staple
    intermediate = ca.open().intermediate_certificate
    assert facts.aki == certificate_facts(intermediate).ski
    assert leaf.not_valid_before_utc == ca.clock() - timedelta(minutes=5)
    assert leaf.not_valid_after_utc == ca.clock() + timedelta(days=47)
    assert issued.warnings == ()


def test_chain_and_trust_lead_to_the_root(ca: TestCa) -> None:
    issuer = ca.issuer()
    [issued] = ca.issued([order("shop")])
    leaf, intermediate = x509.load_pem_x509_certificates(issued.chain_pem.encode())
    trusted, root = x509.load_pem_x509_certificates(issued.trust_pem.encode())
    assert trusted == intermediate
    assert issuer.trust_anchors() == [root]
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)
    assert extension(intermediate, x509.BasicConstraints).path_length == 0


def test_rsa_leaf_may_encipher_keys(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop", key=make_key("rsa"))])
    assert extension(leaf_of(issued), x509.KeyUsage).key_encipherment


def test_must_staple_is_copied_from_the_order(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop", must_staple=True)])
    assert certificate_facts(leaf_of(issued)).must_staple


def test_without_ocsp_no_certificate_names_a_responder(tmp_path: Path, publisher: Publisher) -> None:
    ca = make_ca(tmp_path, publisher.url, ocsp=False)
    [issued] = ca.issued([order("shop")])
    assert certificate_facts(leaf_of(issued)).ocsp_urls == ()
    assert not (ca.published / "ocsp").exists()
    assert not (ca.directory / "ocsp.pem").exists()
    assert refusal(ca, order("other", must_staple=True)).code == "ca_refused"


def test_name_too_long_for_the_subject_leaves_it_empty(ca: TestCa) -> None:
    name = f"{'a' * 60}.example.org"
    [issued] = ca.issued([order("long", [name])])
    leaf = leaf_of(issued)
    assert not list(leaf.subject)
    assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_serials_are_random_and_end_in_no_slash(ca: TestCa) -> None:
    issued = ca.issued([order(f"web{number}") for number in range(40)])
    serials = {leaf_of(one).serial_number for one in issued}
    assert len(serials) == 40
    assert all(0 < serial < 2**128 and serial & 0x3F != 0x3F for serial in serials)
    assert max(serials) > 2**120


@pytest.mark.parametrize("key_type", ["ec-secp256r1", "rsa-2048"])
def test_ca_of_another_key_type_issues_and_revokes(tmp_path: Path, publisher: Publisher, key_type: str) -> None:
    ca = make_ca(tmp_path, publisher.url, Identity(root_key_type=key_type, intermediate_key_type=key_type))
    [issued] = ca.issued([order("shop")])
    assert receipt(ca, issued, "superseded").state == "revoked"


# --- the same again, and what is refused ---


def test_same_request_again_gets_the_same_certificate(ca: TestCa) -> None:
    wanted = order("shop")
    [first] = ca.issued([wanted])
    [second] = ca.issued([wanted])
    assert first.chain_pem == second.chain_pem
    assert (first.is_new, second.is_new) == (True, False)


def test_same_request_twice_in_one_call_is_one_certificate(ca: TestCa) -> None:
    wanted = order("shop")
    first, second = ca.issued([wanted, wanted])
    assert first.chain_pem == second.chain_pem


def test_answer_lost_by_a_killed_process_is_published_by_the_next_order(ca: TestCa) -> None:
    wanted = order("shop")
    ca.issued([wanted])
    with ca.open().store.writing() as records:
        records.mark_answered([record.serial for record in records.answered(at=ca.clock())], None)
    files = [path for path in (ca.published / "ocsp").rglob("*") if path.is_file()]
    for path in files:
        path.unlink()
    ca.issued([wanted])
    assert all(path.is_file() for path in files)


def test_key_certified_for_other_names_is_refused(ca: TestCa) -> None:
    key = make_key()
    ca.issued([order("shop", key=key)])
    assert refusal(ca, order("shop", ["shop.example.org", "www.example.org"], key=key)).code == "key_blocked"


def test_key_of_an_expired_certificate_is_refused(ca: TestCa) -> None:
    wanted = order("shop")
    ca.issued([wanted])
    ca.clock.pass_by(days=48)
    assert refusal(ca, wanted).code == "key_blocked"


@pytest.mark.parametrize("reason", ["superseded", "keyCompromise"])
def test_key_of_a_revoked_certificate_is_refused(ca: TestCa, reason: str) -> None:
    wanted = order("shop")
    [issued] = ca.issued([wanted])
    receipt(ca, issued, reason)
    assert refusal(ca, wanted).code == "key_blocked"


def test_request_for_other_names_than_ordered_is_refused(ca: TestCa) -> None:
    csr = make_csr(["shop.example.org"], make_key())
    error = refusal(ca, Order("web1", "shop", csr, ("other.example.org",)))
    assert error.code == "csr_names_differ"
    assert error.facts == {"requested": ["shop.example.org"], "ordered": ["other.example.org"]}


def test_request_without_names_is_refused(ca: TestCa) -> None:
    csr = make_csr([], make_key())
    assert refusal(ca, Order("web1", "shop", csr, ("shop.example.org",))).code == "csr_names_differ"
    assert refusal(ca, Order("web1", "shop", csr, ())).code == "ca_refused"


def test_names_compare_in_canonical_form(ca: TestCa) -> None:
    csr = make_csr(["shop.example.org", "2001:db8::1"], make_key())
    [issued] = ca.issued([Order("web1", "shop", csr, ("2001:0DB8::0001", "Shop.Example.Org"))])
    assert set(certificate_facts(leaf_of(issued)).names) == {"shop.example.org", "2001:db8::1"}


def test_name_outside_the_policy_is_refused(tmp_path: Path, publisher: Publisher) -> None:
    ca = make_ca(tmp_path, publisher.url, allowed_names=("example.org", ".example.net", "192.0.2.0/24"))
    allowed = ["example.org", "a.example.org", "*.example.org", "a.example.net", "192.0.2.7"]
    assert ca.issued([order("allowed", allowed)])
    for name in ("badexample.org", "example.net", "192.0.3.7", "2001:db8::1", "example.com"):
        error = refusal(ca, order("refused", [name]))
        assert (error.code, error.facts["names"]) == ("ca_refused", [name])


@pytest.mark.parametrize(
    "name", ["shop.example.org\n", "{{ lookup('pipe', 'id') }}", "../etc", "a b", "1.2.3.4.5", "*"]
)
def test_malformed_name_is_refused(ca: TestCa, name: str) -> None:
    csr = make_csr(["shop.example.org"], make_key())
    assert refusal(ca, Order("web1", "shop", csr, (name,))).code == "name_invalid"


def test_request_with_a_broken_signature_is_refused(ca: TestCa) -> None:
    good = x509.load_pem_x509_csr(order("shop").csr_pem.encode())
    der = bytearray(good.public_bytes(Encoding.DER))
    der[-1] ^= 1
    pem = f"-----BEGIN CERTIFICATE REQUEST-----\n{base64.b64encode(der).decode()}\n-----END CERTIFICATE REQUEST-----\n"
    assert refusal(ca, Order("web1", "shop", pem, ("shop.example.org",))).code == "csr_invalid"


@pytest.mark.parametrize(
    "text", ["", "no request", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"]
)
def test_what_is_no_request_is_refused(ca: TestCa, text: str) -> None:
    assert refusal(ca, Order("web1", "shop", text, ("shop.example.org",))).code == "csr_invalid"


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024), id="rsa-1024"),
        pytest.param(lambda: rsa.generate_private_key(public_exponent=3, key_size=2048), id="exponent-3"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP256K1()), id="secp256k1"),
        pytest.param(lambda: make_key("ed25519"), id="ed25519"),
    ],
)
def test_weak_key_is_refused(ca: TestCa, key: Any) -> None:
    assert refusal(ca, order("shop", key=key())).code == "key_weak"


def test_keys_of_the_ca_itself_are_never_certified(ca: TestCa) -> None:
    opened = ca.open()
    for key in (opened.root.key, opened.intermediate.key):
        assert refusal(ca, order("shop", key=key)).code == "key_blocked"


def test_one_refusal_does_not_stop_the_others(ca: TestCa) -> None:
    outcomes = ca.issuer().issue([order("a"), order("b", key=make_key("ed25519")), order("c")])
    assert [isinstance(outcome, RotationError) for outcome in outcomes] == [False, True, False]


# --- revocation ---


def test_revoked_certificate_is_in_the_crl_with_reason_and_time(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    number = ca.crl_number()
    ca.clock.pass_by(hours=1)
    done = receipt(ca, issued, "keyCompromise")
    assert (done.state, done.at, done.warnings) == ("revoked", ca.clock(), ())
    entry = ca.crl().get_revoked_certificate_by_serial_number(leaf_of(issued).serial_number)
    assert entry is not None
    assert entry.revocation_date_utc == ca.clock()
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.key_compromise
    assert ca.crl_number() > number


def test_unspecified_is_said_by_omission(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    receipt(ca, issued, "unspecified")
    entry = ca.crl().get_revoked_certificate_by_serial_number(leaf_of(issued).serial_number)
    assert entry is not None and not list(entry.extensions)


def test_second_revocation_is_already_revoked(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    first = receipt(ca, issued, "superseded")
    number = ca.crl_number()
    ca.clock.pass_by(hours=1)
    again = receipt(ca, issued, "cessationOfOperation")
    assert (again.state, again.at) == ("already_revoked", first.at)
    assert ca.crl_number() == number


def test_key_compromise_replaces_another_reason_and_keeps_the_time(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    first = receipt(ca, issued, "superseded")
    ca.clock.pass_by(hours=1)
    assert receipt(ca, issued, "keyCompromise") == first
    entry = ca.crl().get_revoked_certificate_by_serial_number(leaf_of(issued).serial_number)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.key_compromise
    assert entry.revocation_date_utc == first.at
    assert receipt(ca, issued, "superseded").state == "already_revoked"


@pytest.mark.parametrize("reason", sorted(REVOCATION_REASONS))
def test_every_reason_is_published(ca: TestCa, reason: str) -> None:
    [issued] = ca.issued([order("shop")])
    assert receipt(ca, issued, reason).state == "revoked"


@pytest.mark.parametrize("reason", ["certificateHold", "removeFromCRL", "key_compromise", ""])
def test_other_reason_is_not_accepted(ca: TestCa, reason: str) -> None:
    [issued] = ca.issued([order("shop")])
    [outcome] = ca.issuer().revoke([Revocation(issued.chain_pem, reason)])
    assert isinstance(outcome, RotationError) and outcome.code == "reason_not_accepted"


def test_certificate_of_another_ca_is_unknown(ca: TestCa, tmp_path: Path, publisher: Publisher) -> None:
    (tmp_path / "other").mkdir()
    other = make_ca(tmp_path / "other", publisher.url, publish_check=False)
    [issued] = other.issued([order("shop")])
    [outcome] = ca.issuer().revoke([Revocation(issued.chain_pem, "superseded")])
    assert isinstance(outcome, RotationError) and outcome.code == "certificate_unknown"
    assert not ca.issuer().issued(leaf_of(issued))
    assert other.issuer().issued(leaf_of(issued))


def test_many_revocations_are_one_crl(ca: TestCa) -> None:
    issued = ca.issued([order(f"web{number}") for number in range(20)])
    number = ca.crl_number()
    ca.clock.pass_by(seconds=5)
    receipts = ca.revoked([Revocation(one.chain_pem, "superseded") for one in issued])
    assert {one.state for one in receipts} == {"revoked"}
    assert len(ca.crl()) == 20
    assert ca.crl_number() == number + 5


def test_intermediate_is_revoked_in_the_crl_of_the_root(ca: TestCa) -> None:
    opened = ca.open()
    [outcome] = ca.revoked([Revocation(opened.chain_pem, "cACompromise")])
    assert isinstance(outcome, Receipt) and outcome.state == "revoked"
    serial = opened.intermediate_certificate.serial_number
    assert ca.crl("root.crl").get_revoked_certificate_by_serial_number(serial) is not None


def test_publication_that_differs_is_told_truthfully(ca: TestCa, publisher: Publisher, tmp_path: Path) -> None:
    [issued] = ca.issued([order("shop")])
    (tmp_path / "stale").mkdir()
    (tmp_path / "stale" / "intermediate.crl").write_bytes((ca.published / "intermediate.crl").read_bytes())
    publisher.folder = tmp_path / "stale"
    done = receipt(ca, issued, "superseded")
    assert done.state == "accepted_not_published"
    assert "publish_differs" in done.warnings[0]
    publisher.folder = ca.published.resolve()
    assert receipt(ca, issued, "superseded").state == "already_revoked"


def test_unreachable_publication_is_a_warning_for_issue_and_a_state_for_revoke(tmp_path: Path) -> None:
    ca = make_ca(tmp_path, "http://127.0.0.1:9")
    [issued] = ca.issued([order("shop")])
    assert "publish_unreachable" in issued.warnings[0]
    assert receipt(ca, issued, "superseded").state == "accepted_not_published"


def test_unwritable_publication_is_finished_by_the_next_refresh(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    away = ca.published.rename(ca.published.with_name("away"))
    done = receipt(ca, issued, "superseded")
    assert done.state == "accepted_not_published" and "publish_failed" in done.warnings[0]
    away.rename(ca.published)
    ca.refresh()
    assert len(ca.crl()) == 1


# --- opening ---


def test_missing_directory_is_an_error_and_stays_missing(tmp_path: Path) -> None:
    config = {"internal": {"type": "internal_ca", "directory": str(tmp_path / "nothing")}}
    with pytest.raises(RotationError) as caught:
        open_issuer("internal", config)
    assert caught.value.code == "ca_directory_missing"
    assert not (tmp_path / "nothing").exists()


def test_missing_database_is_an_error_and_stays_missing(ca: TestCa) -> None:
    (ca.directory / "ca.sqlite3").unlink()
    with pytest.raises(RotationError) as caught:
        ca.issued([order("shop")])
    assert caught.value.code == "ca_store_failed"
    assert not (ca.directory / "ca.sqlite3").exists()


def test_unknown_issuer_names_the_known(ca: TestCa) -> None:
    with pytest.raises(RotationError) as caught:
        open_issuer("internl", {"internal": {"type": "internal_ca", "directory": str(ca.directory)}})
    assert caught.value.code == "issuer_unknown"
    assert "internal" in caught.value.message


@pytest.mark.parametrize(
    "entry",
    [None, "ca", {}, {"type": "acne"}, {"type": "internal_ca"}, {"type": "internal_ca", "directory": "/x", "dir": 1}],
)
def test_malformed_issuer_is_invalid(entry: Any) -> None:
    with pytest.raises(RotationError) as caught:
        open_issuer("internal", {"internal": entry})
    assert caught.value.code == "issuer_invalid"


def test_protected_ca_needs_its_passphrase(tmp_path: Path, publisher: Publisher) -> None:
    make_ca(tmp_path, publisher.url, passphrase="open sesame")
    entry = {"type": "internal_ca", "directory": str(tmp_path / "ca")}
    assert "ENCRYPTED" in (tmp_path / "ca" / "root.key").read_text()
    [outcome] = open_issuer("i", {"i": {**entry, "passphrase": "open sesame"}}).issue([order("shop")])
    assert isinstance(outcome, Issued)
    for given in ({}, {"passphrase": "wrong"}):
        with pytest.raises(RotationError) as caught:
            open_issuer("i", {"i": {**entry, **given}}).issue([order("shop2")])
        assert caught.value.code == "ca_passphrase"
        assert "sesame" not in str(caught.value.as_result())


def test_exposed_key_is_not_used(ca: TestCa) -> None:
    (ca.directory / "intermediate.key").chmod(0o640)
    with pytest.raises(RotationError) as caught:
        ca.issued([order("shop")])
    assert caught.value.code == "ca_key_exposed"


@pytest.mark.parametrize("whose", ["root", "responder"])
def test_key_of_another_certificate_signs_nothing(ca: TestCa, whose: str) -> None:
    stray = {"root": "root.key", "responder": "ocsp.pem"}[whose]
    shutil.copy(ca.directory / stray, ca.directory / "intermediate.key")
    with pytest.raises(RotationError) as caught:
        ca.issued([order("shop")])
    assert caught.value.code == "ca_key_mismatch"
    assert caught.value.remedy


def test_shorter_life_of_settings_is_taken_up(ca: TestCa) -> None:
    settings = load_settings(ca.directory)
    save_settings(ca.directory, dataclasses.replace(settings, leaf_days=5))
    [issued] = ca.issued([order("shop")])
    assert leaf_of(issued).not_valid_after_utc == ca.clock() + timedelta(days=5)


def test_twenty_certificates_take_less_than_15_ms_each(ca: TestCa) -> None:
    orders = [order(f"web{number}") for number in range(20)]
    issuer = ca.issuer()
    issuer.issue([order("warm")])
    # Of the processor, because other tests share it.
    began = time.process_time()
    issuer.issue(orders)
    assert (time.process_time() - began) / 20 < 0.015


# --- its own certificates ---


def test_certificates_are_found_by_serial_and_by_key(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    facts = certificate_facts(leaf_of(issued))
    for found in (ca.issuer().find(serial=facts.serial), ca.issuer().find(spki_sha256=facts.spki_sha256)):
        [[leaf, *above]] = found
        assert certificate_facts(leaf).sha256 == facts.sha256
        assert above == [ca.open().intermediate.certificate]
    assert ca.issuer().find(serial="0a") == [] == ca.issuer().find(spki_sha256="0" * 64)
    # The CA's own certificates are not for this: revoking one is another matter altogether.
    assert ca.issuer().find(serial=certificate_facts(ca.open().intermediate.certificate).serial) == []
