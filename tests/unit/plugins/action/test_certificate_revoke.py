# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action certificate_revoke, with real internal CAs and their CRLs and OCSP responses over HTTP."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.certificate_revoke import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import REVOCATION_REASONS, Revocation
from ansible_collections.certops.rotation.plugins.modules.certificate_revoke import ARGUMENT_SPEC, REASONS
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.internal_ca import Clock, TestCa, leaf_of, make_ca, order
from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem, make_key
from ansible_collections.certops.rotation.tests.support.publisher import Publisher
from cryptography import x509

PLACE = {"address": "127.0.0.1", "port": 443, "server_name": "shop.example.org"}


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    (tmp_path / "public").mkdir()
    with Publisher(tmp_path / "public") as running:
        yield running


@pytest.fixture
def ca(tmp_path: Path, publisher: Publisher) -> TestCa:
    return make_ca(tmp_path, publisher.url)


def replaced(ca: TestCa, name: str = "shop", reason: str = "superseded", **more: Any) -> dict[str, Any]:
    """A rotation whose successor is proven to be served."""
    old, new = ca.issued([order(name), order(name)])
    serial, successor = (certificate_facts(leaf_of(one)).serial for one in (old, new))
    return {
        "name": name,
        "issuer": "internal",
        "decision": {"action": "rotate", "revocation_reason": reason, "compromised": reason == "keyCompromise"},
        "served": [{**PLACE, "serial": serial}],
        "predecessor": {"serial": serial, "certificate_pem": old.chain_pem, "chain_pem": old.chain_pem},
        "issued": {"serial": successor},
        "proof": {"serial": successor, "checked": [PLACE]},
        **more,
    }


def revoke(ca: TestCa, *rotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    check_mode = bool(more.pop("check_mode", False))
    issuers = {"internal": {"type": "internal_ca", "directory": str(ca.directory)}}
    arguments = {"rotations": {"web1": list(rotations)}, "issuers": issuers, "poll_interval": 0.05, **more}
    return run_action(ActionModule, arguments, check_mode=check_mode)


def only(result: dict[str, Any]) -> dict[str, Any]:
    [rotation] = result["rotations"]["web1"]
    found: dict[str, Any] = rotation
    return found


def state(result: dict[str, Any]) -> str:
    return str(only(result)["revocation"]["state"])


# --- revoke ---


def test_revokes_what_was_replaced(ca: TestCa) -> None:
    wanted = replaced(ca, reason="keyCompromise")
    result = revoke(ca, wanted)
    revocation = only(result)["revocation"]
    assert result["changed"]
    assert (revocation["state"], revocation["reason"]) == ("revoked", "keyCompromise")
    assert revocation["serial"] == wanted["predecessor"]["serial"]
    assert only(result)["times"]["revoked"]
    assert ca.crl().get_revoked_certificate_by_serial_number(int(revocation["serial"], 16)) is not None


def test_twenty_revocations_are_one_crl(ca: TestCa) -> None:
    number = ca.crl_number()
    result = revoke(ca, *[replaced(ca, f"web{number}") for number in range(20)])
    assert {one["state"] for one in result["revocations"]} == {"revoked"}
    assert len(ca.crl()) == 20
    # Numbers follow the clock, so more than one CRL within these seconds would stand out by more than the time passed.
    assert ca.crl_number() - number < 20


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"proof": None}, "proof_missing"),
        ({"proof": {"serial": "0a", "checked": [PLACE]}}, "proof_missing"),
        ({"proof": {}, "issued": {}}, "proof_missing"),
    ],
)
def test_refuses_without_proof(ca: TestCa, change: dict[str, Any], code: str) -> None:
    result = revoke(ca, replaced(ca, **change))
    assert result["failed"] and result["code"] == code
    assert only(result)["error"]["step"] == "revoke"
    assert len(ca.crl()) == 0


def test_refuses_where_a_listener_may_still_serve_it(ca: TestCa) -> None:
    wanted = replaced(ca)
    wanted["served"].append({**PLACE, "port": 8443, "serial": wanted["predecessor"]["serial"]})
    result = revoke(ca, wanted)
    assert result["code"] == "predecessor_still_served"
    assert "8443" in result["msg"]
    assert len(ca.crl()) == 0


def test_refuses_to_revoke_what_is_proven_to_be_served(ca: TestCa) -> None:
    wanted = replaced(ca)
    wanted["issued"] = wanted["proof"] = {"serial": wanted["predecessor"]["serial"], "checked": [PLACE]}
    assert revoke(ca, wanted)["code"] == "predecessor_still_served"


def test_refusal_stays_in_its_rotation(ca: TestCa) -> None:
    result = revoke(ca, replaced(ca, "a"), replaced(ca, "b", proof=None), keep_going=True)
    good, bad = result["rotations"]["web1"]
    assert good["revocation"]["state"] == "revoked" and bad["error"]["code"] == "proof_missing"
    assert not result.get("failed")


def test_first_is_for_compromised_keys_alone(ca: TestCa) -> None:
    compromised = replaced(ca, "a", reason="keyCompromise", proof=None, issued=None)
    other = replaced(ca, "b", proof=None, issued=None)
    result = revoke(ca, compromised, other, revoke_first=True)
    first, second = result["rotations"]["web1"]
    assert first["revocation"]["state"] == "revoked"
    assert "revocation" not in second and "error" not in second
    again = revoke(ca, first)
    assert only(again)["revocation"] == first["revocation"] and not again["changed"]


def test_already_revoked_leaves_nothing_to_do(ca: TestCa) -> None:
    wanted = replaced(ca)
    ca.revoked([Revocation(wanted["predecessor"]["certificate_pem"], "superseded")])
    number = ca.crl_number()
    wanted["predecessor"]["already_revoked"] = True
    wanted["verdict"] = {"revocation_reason": "superseded", "revoked_at": "2026-11-20T00:00:00Z"}
    wanted["proof"] = None
    result = revoke(ca, wanted)
    assert (state(result), only(result)["revocation"]["at"]) == ("already_revoked", "2026-11-20T00:00:00Z")
    assert not result["changed"] and ca.crl_number() == number


def test_revoked_for_less_than_key_compromise_is_corrected(ca: TestCa) -> None:
    wanted = replaced(ca, reason="keyCompromise", verdict={"revocation_reason": "superseded"})
    ca.revoked([Revocation(wanted["predecessor"]["certificate_pem"], "superseded")])
    wanted["predecessor"]["already_revoked"] = True
    assert state(revoke(ca, wanted)) == "revoked"
    entry = ca.crl().get_revoked_certificate_by_serial_number(int(wanted["predecessor"]["serial"], 16))
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.key_compromise


def test_predecessor_of_an_unknown_ca_is_skipped_with_its_name(ca: TestCa) -> None:
    foreign = Authority.root().issue(["shop.example.org"])
    wanted = replaced(ca)
    wanted["predecessor"] = {"serial": f"{foreign.serial:x}", "certificate_pem": foreign.chain_pem}
    wanted["served"] = []
    result = revoke(ca, wanted)
    assert state(result) == "skipped" and not result.get("failed")
    assert foreign.certificate.issuer.rfc4514_string() in only(result)["warnings"][0]


def test_predecessor_is_revoked_by_the_ca_that_issued_it(ca: TestCa, tmp_path: Path, publisher: Publisher) -> None:
    (tmp_path / "old").mkdir()
    old_ca = make_ca(tmp_path / "old", publisher.url, publish_check=False)
    issuers = {
        "internal": {"type": "internal_ca", "directory": str(ca.directory)},
        "old": {"type": "internal_ca", "directory": str(old_ca.directory)},
        "gone": {"type": "internal_ca", "directory": str(tmp_path / "gone")},
    }
    wanted = replaced(ca)
    wanted["predecessor"] = replaced(old_ca)["predecessor"]
    assert state(revoke(ca, wanted, issuers=issuers)) == "revoked"
    assert len(old_ca.crl()) == 1 and len(ca.crl()) == 0


def test_first_certificate_of_a_name_has_nothing_to_revoke(ca: TestCa) -> None:
    result = revoke(ca, {**replaced(ca), "predecessor": None})
    assert "revocation" not in only(result) and not result["changed"]


@pytest.mark.parametrize("action", ["keep", "stop"])
def test_kept_certificates_are_not_revoked(ca: TestCa, action: str) -> None:
    wanted = replaced(ca, decision={"action": action, "revocation_reason": "superseded"})
    assert "revocation" not in only(revoke(ca, wanted))


def test_switched_off_it_skips_and_warns_of_compromised_keys(ca: TestCa) -> None:
    assert "warnings" not in only(revoke(ca, replaced(ca, "a"), revoke_predecessor=False))
    result = revoke(ca, replaced(ca, "b", reason="keyCompromise"), revoke_predecessor=False)
    assert state(result) == "skipped" and only(result)["warnings"]
    assert len(ca.crl()) == 0


def test_check_mode_revokes_nothing_and_says_what_it_would(ca: TestCa) -> None:
    wanted = replaced(ca, proof=None, issued=None)
    result = revoke(ca, wanted, check_mode=True)
    assert result["changed"] and result["revocations"][0]["serial"] == wanted["predecessor"]["serial"]
    assert "revocation" not in only(result)
    assert len(ca.crl()) == 0


def test_unpublished_revocation_is_told(ca: TestCa) -> None:
    wanted = replaced(ca)
    ca.published.rename(ca.published.with_name("away"))
    result = revoke(ca, wanted)
    assert state(result) == "accepted_not_published"
    assert "publish_failed" in only(result)["warnings"][0]


# --- certificates on their own ---


def test_certificate_on_its_own_needs_revoke_first(ca: TestCa, tmp_path: Path) -> None:
    [issued] = ca.issued([order("shop")])
    (tmp_path / "old.pem").write_text(issued.chain_pem)
    entry = {"path": str(tmp_path / "old.pem"), "reason": "cessationOfOperation"}
    assert revoke(ca, certificates=[entry])["code"] == "proof_missing"
    assert len(ca.crl()) == 0
    done = revoke(ca, certificates=[entry], revoke_first=True)
    assert done["revocations"][0]["state"] == "revoked"
    confirmed = revoke(ca, certificates=[entry], phase="confirm")
    assert confirmed["revocations"][0]["state"] == "visible"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"path": "/nothing", "reason": "superseded"}, "certificate_unreadable"),
        ({"pem": "no certificate", "reason": "superseded"}, "not_a_certificate"),
        ({"reason": "superseded"}, "arguments_invalid"),
        ({"pem": "x", "reason": "certificateHold"}, "arguments_invalid"),
        ({"pem": Authority.root().issue(["a.example.org"]).chain_pem, "reason": "superseded"}, "issuer_not_configured"),
    ],
)
def test_certificate_that_cannot_be_revoked_has_a_code(ca: TestCa, entry: dict[str, Any], code: str) -> None:
    result = revoke(ca, certificates=[entry], revoke_first=True)
    assert result["failed"] and result["code"] == code


def seen_at(issued: Any, port: int = 443) -> dict[str, Any]:
    """What fleet_status would have seen on one host."""
    return {
        "web1": [
            {"name": "shop", "issuer": "internal", "served": [{**PLACE, "port": port, "chain_pem": issued.chain_pem}]}
        ]
    }


NOTHING_SEEN: dict[str, Any] = {"web1": [{"name": "shop", "issuer": "internal", "served": []}]}


@pytest.mark.parametrize("how", ["certificates", "lists"])
@pytest.mark.parametrize("what", ["serial", "spki_sha256"])
def test_certificate_is_found_at_the_ca_by_serial_and_by_key(ca: TestCa, what: str, how: str) -> None:
    old, _other = ca.issued([order("shop"), order("other")])
    facts = certificate_facts(leaf_of(old))
    value = getattr(facts, what).upper()
    named: dict[str, Any] = {"certificates": [{what: value, "reason": "superseded"}]}
    if how == "lists":
        named = {
            "serials" if what == "serial" else "keys": [f"00{value}" if what == "serial" else value],
            "reason": "superseded",
        }
    result = revoke(ca, seen=NOTHING_SEEN, **named)
    [one] = result["revocations"]
    assert (one["serial"], one["state"], one["by"]) == (facts.serial, "revoked", "ca")
    assert result["lines"] == [f"localhost/{facts.serial}: {facts.serial} revoked at {one['at']} (superseded), by ca"]
    assert len(ca.crl()) == 1


def test_what_is_still_served_is_refused_unless_revoked_first(ca: TestCa) -> None:
    [old] = ca.issued([order("shop")])
    named = {"serials": [certificate_facts(leaf_of(old)).serial], "reason": "superseded", "seen": seen_at(old)}
    for phase in ("plan", "revoke"):
        refused = revoke(ca, phase=phase, **named)
        assert refused["code"] == "still_served" and "web1: 127.0.0.1:443" in refused["msg"]
    assert len(ca.crl()) == 0
    assert revoke(ca, revoke_first=True, **named)["revocations"][0]["state"] == "revoked"


def test_a_second_time_is_fine_and_said(ca: TestCa) -> None:
    [old] = ca.issued([order("shop")])
    named = {"serials": [certificate_facts(leaf_of(old)).serial], "reason": "superseded", "seen": NOTHING_SEEN}
    first = revoke(ca, **named)
    second = revoke(ca, **named)
    assert first["changed"] and not second["changed"] and not second.get("failed")
    assert second["revocations"][0]["state"] == "already_revoked"


def test_plan_asks_nothing_and_names_what_is_meant(ca: TestCa) -> None:
    [old] = ca.issued([order("shop")])
    facts = certificate_facts(leaf_of(old))
    seen = {"web1": [{"name": "shop", "installed": {"live": "v1", "versions": [
        {"version": "v0", "has_key": True, "spki_sha256": facts.spki_sha256, "chain_pem": old.chain_pem, "record": {}}
    ]}}]}  # fmt: skip
    result = revoke(ca, phase="plan", keys=[facts.spki_sha256], reason="keyCompromise", seen=seen)
    assert not result["changed"] and len(ca.crl()) == 0
    # An internal CA does not need the key to sign, although web1 has it.
    assert result["signing"] == [] and result["revocations"][0]["state"] == "planned"
    [rotation] = result["rotations"]["web1"]
    assert (rotation["name"], rotation["predecessor"]["version"], rotation["issuer"]) == ("shop", "v0", "internal")
    done = revoke(ca, rotation)
    assert only(done)["revocation"]["state"] == "revoked"


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"serials": ["0b"]}, "certificate_not_found"),
        ({"serials": ["not hex"]}, "serial_invalid"),
        ({"keys": ["0b"]}, "fingerprint_invalid"),
        ({"keys": ["0" * 64]}, "certificate_not_found"),
        ({"paths": ["/nothing"]}, "certificate_unreadable"),
        ({"serials": ["0b"], "reason": ""}, "arguments_invalid"),
        ({"serials": ["0b"], "reason": "certificateHold"}, "arguments_invalid"),
    ],
)
def test_what_cannot_be_found_has_a_code(ca: TestCa, named: dict[str, Any], code: str) -> None:
    result = revoke(ca, seen=NOTHING_SEEN, **{"reason": "superseded", **named})
    assert result["failed"] and result["code"] == code


def test_internal_ca_takes_no_signature_of_a_key(ca: TestCa, tmp_path: Path) -> None:
    key = make_key()
    [old] = ca.issued([order("shop", key=key)])
    serial = certificate_facts(leaf_of(old)).serial
    (tmp_path / "own.pem").write_text(key_pem(key))
    (tmp_path / "other.pem").write_text(key_pem(make_key()))
    named = {"serials": [serial], "reason": "keyCompromise", "seen": NOTHING_SEEN}
    assert revoke(ca, key_path=str(tmp_path / "own.pem"), **named)["code"] == "key_not_asked"
    assert revoke(ca, key_path=str(tmp_path / "other.pem"), **named)["code"] == "key_mismatch"
    assert len(ca.crl()) == 0


# --- confirm ---


def test_confirm_sees_it_in_crl_and_ocsp(ca: TestCa, publisher: Publisher) -> None:
    revoked = only(revoke(ca, replaced(ca)))
    result = revoke(ca, revoked, phase="confirm", deadline=5)
    assert state(result) == "visible"
    seen = {one["kind"]: one["url"] for one in only(result)["revocation"]["seen_in"]}
    assert seen == {"crl": f"{publisher.url}/intermediate.crl", "ocsp": f"{publisher.url}/ocsp"}
    assert only(result)["times"]["visible"]
    assert "warnings" not in only(result)


def test_confirm_fetches_the_crl_once_for_all(ca: TestCa, publisher: Publisher) -> None:
    revoked = revoke(ca, *[replaced(ca, f"web{number}") for number in range(5)])["rotations"]["web1"]
    publisher.requests.clear()
    result = revoke(ca, *revoked, phase="confirm", deadline=5)
    assert {one["state"] for one in result["revocations"]} == {"visible"}
    assert publisher.requests.count("GET /intermediate.crl") == 1


def test_confirm_looks_again_until_it_is_visible(ca: TestCa, publisher: Publisher, tmp_path: Path) -> None:
    wanted = replaced(ca)
    shutil.copytree(ca.published, tmp_path / "stale")
    publisher.folder = tmp_path / "stale"
    revoked = only(revoke(ca, wanted))
    assert revoked["revocation"]["state"] == "accepted_not_published"
    timer = threading.Timer(0.4, setattr, (publisher, "folder", ca.published))
    timer.start()
    result = revoke(ca, revoked, phase="confirm", deadline=10)
    timer.join()
    assert state(result) == "visible"


def test_confirm_gives_up_truthfully(ca: TestCa, publisher: Publisher, tmp_path: Path) -> None:
    wanted = replaced(ca)
    shutil.copytree(ca.published, tmp_path / "stale")
    revoked = only(revoke(ca, wanted))
    publisher.folder = tmp_path / "stale"
    result = revoke(ca, revoked, phase="confirm", deadline=0.2)
    assert state(result) == "accepted_not_published"
    assert not result.get("failed")
    assert "not yet to be seen" in only(result)["warnings"][-1]
    shutil.copy(ca.published / "intermediate.crl", tmp_path / "stale")
    half = revoke(ca, only(result), phase="confirm", deadline=0.2)
    assert state(half) == "visible"
    assert [one["kind"] for one in only(half)["revocation"]["seen_in"]] == ["crl"]
    assert "ocsp" in only(half)["warnings"][-1]


def test_confirm_passes_by_what_has_expired(tmp_path: Path, publisher: Publisher) -> None:
    clock = Clock()
    clock.pass_by(days=-50)
    ca = make_ca(tmp_path, publisher.url, clock=clock)
    revoked = only(revoke(ca, replaced(ca)))
    assert state(revoke(ca, revoked, phase="confirm", deadline=0)) == "revoked"


def test_check_mode_waits_for_nothing(ca: TestCa) -> None:
    wanted = replaced(ca, revocation={"serial": "0a", "reason": "superseded", "state": "revoked"})
    assert state(revoke(ca, wanted, phase="confirm", check_mode=True)) == "revoked"


def test_reasons_offered_are_those_accepted() -> None:
    assert set(REASONS) == REVOCATION_REASONS
    assert ARGUMENT_SPEC["issuers"] == {"type": "dict", "required": True, "no_log": True}
