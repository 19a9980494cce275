# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the step makes of decisions; the decisions themselves are in the table of test_plan.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.rotation_plan import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued, utc_now

ROOT = Authority.root()
OLD = ROOT.issue(not_after=utc_now() + timedelta(days=80))
NEW = ROOT.issue(not_after=utc_now() + timedelta(days=90), ocsp_urls=["http://ocsp.example.org/"])


def rotation(issued: Issued = OLD, status: str = "good", **more: Any) -> dict[str, Any]:
    facts = certificate_facts(issued.certificate)
    entry = {
        "address": "192.0.2.7",
        "port": 443,
        "server_name": "shop.example.org",
        "serial": facts.serial,
        "spki_sha256": facts.spki_sha256,
        "sha256": facts.sha256,
        "names": list(facts.names),
        "not_before": as_text(facts.not_before),
        "not_after": as_text(facts.not_after),
        "key_type": facts.key_type,
        "chain_pem": issued.chain_pem,
        "status": status,
        "error": None,
    }
    verdict = {
        "status": status,
        "reasons": ["stale"] if status == "unknown" else [],
        "revocation_reason": "keyCompromise",
    }
    return {"name": "shop", "server_names": ["shop.example.org"], "served": [entry], "verdict": verdict, **more}


def live(issued: Issued, state: str = "retired", supersedes: Any = None) -> dict[str, Any]:
    record = {"state": state, "supersedes": supersedes, "stapling": "nginx"}
    spki = certificate_facts(issued.certificate).spki_sha256
    version = {"version": "v1", "spki_sha256": spki, "chain_pem": issued.chain_pem, "record": record}
    return {"live": "v1", "versions": [version], "keys_log": [], "paths": {}}


def plan(*rotations: dict[str, Any], **options: Any) -> dict[str, Any]:
    check_mode = bool(options.pop("check_mode", False))
    by_host = {f"web{number}": [one] for number, one in enumerate(rotations, 1)}
    return run_action(ActionModule, {"rotations": by_host, "keep_going": True, **options}, check_mode=check_mode)


def test_plan_is_a_sentence_a_rotation_and_names_the_hosts_with_work() -> None:
    result = plan(rotation(), rotation(status="revoked"))
    assert result["plan"][0].startswith("web1/shop: keep: good, valid until ")
    assert result["plan"][1].startswith("web2/shop: rotate: the certificate ")
    assert (result["due"], result["late"]) == (["web2"], ["web2"])
    assert result["summary"] == {"keep": 1, "rotate": 1, "repair": 0, "finish": 0, "stop": 0, "failed": 0}
    due = result["rotations"]["web2"][0]
    assert due["decision"]["compromised"] is True
    assert due["predecessor"]["already_revoked"] is True
    assert due["times"]["decided"].endswith("Z")
    assert result["changed"] is False


def test_host_with_a_prepared_key_is_not_late() -> None:
    result = plan(rotation(status="revoked", prepared={"version": "v2"}), settle=True)
    assert (result["due"], result["late"]) == (["web1"], [])


def test_check_mode_is_late_for_nobody() -> None:
    result = plan(rotation(status="revoked"), settle=True, check_mode=True)
    assert (result["due"], result["late"]) == (["web1"], [])


def test_unknown_that_must_not_be_is_an_error_with_a_remedy() -> None:
    result = plan(rotation(status="unknown"), policy={"on_unknown": "fail"})
    (found,) = result["rotations"]["web1"]
    assert found["decision"]["action"] == "stop"
    assert (found["error"]["step"], found["error"]["code"]) == ("decide", "unknown_revocation_status")
    assert found["error"]["remedy"]
    assert result["due"] == []


def test_unknown_is_a_warning_by_default() -> None:
    (found,) = plan(rotation(status="unknown"))["rotations"]["web1"]
    assert "is unknown (stale)" in found["warnings"][0]
    assert "error" not in found


def test_second_decision_takes_the_place_of_the_first() -> None:
    first = plan(rotation(OLD, "revoked"))["rotations"]["web1"][0]
    assert first["decision"]["action"] == "rotate"
    second = plan({**first, "prepared": {"version": "v2"}, "installed": live(NEW)}, settle=True)["rotations"]["web1"][0]
    assert second["decision"]["action"] == "repair"
    assert "predecessor" not in second
    assert "prepared" not in second


def test_what_is_installed_stands_for_issued_where_a_run_goes_on() -> None:
    supersedes = {"version": "v0", "serial": "0a", "spki_sha256": "ab" * 32, "compromised": True}
    given = rotation(NEW, installed=live(NEW, "served", {**supersedes, "revocation_reason": "keyCompromise"}))
    (found,) = plan(given, settle=True)["rotations"]["web1"]
    facts = certificate_facts(NEW.certificate)
    assert found["decision"]["action"] == "finish"
    assert found["predecessor"]["serial"] == "0a"
    assert (found["issued"]["serial"], found["issued"]["spki_sha256"]) == (facts.serial, facts.spki_sha256)
    assert found["issued"]["ocsp_urls"] == ["http://ocsp.example.org/"]


def test_predecessor_gets_its_version_from_the_look() -> None:
    given = rotation(OLD, "revoked", prepared={"version": "v2"}, installed=live(OLD))
    (found,) = plan(given, settle=True)["rotations"]["web1"]
    assert found["predecessor"]["version"] == "v1"
    assert found["prepared"] == {"version": "v2"}


@pytest.mark.parametrize(
    "policy", [{"renew_before": "soon"}, {"deny_list": ["x"]}, {"on_unknown": "panic"}, {"forse": 1}]
)
def test_policy_that_cannot_be_meant_fails_the_task(policy: dict[str, Any]) -> None:
    result = plan(rotation(), policy=policy)
    assert result["failed"] is True
    assert result["code"] in ("policy_invalid", "arguments_invalid")


def test_the_moment_to_decide_for_can_be_given() -> None:
    later = as_text(utc_now() + timedelta(days=70))
    (found,) = plan(rotation(), at=later)["rotations"]["web1"]
    assert [reason["code"] for reason in found["decision"]["reasons"]] == ["expiring"]
