# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan of an emergency finds in rotations, and what it says about hosts that it cannot see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.emergency_plan import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued, key_pem, utc_now

ROOT, OTHER_ROOT = Authority.root("A CA"), Authority.root("Another CA")
NAMES = ["shop.example.org"]
LEAKED, OTHER = ROOT.issue(NAMES), ROOT.issue(NAMES)
FOREIGN = OTHER_ROOT.issue(NAMES)
LEAKED_KEY = certificate_facts(LEAKED.certificate).spki_sha256
DOWN = {"step": "look", "code": "host_unreachable", "msg": "The host cannot be reached", "remedy": "", "facts": {}}


def rotation(issued: Issued | None = LEAKED, **more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"address": "192.0.2.7", "port": 443, "error": {"code": "timeout", "msg": "no answer"}}
    if issued is not None:
        facts = certificate_facts(issued.certificate)
        entry |= {
            "serial": facts.serial,
            "spki_sha256": facts.spki_sha256,
            "sha256": facts.sha256,
            "not_before": as_text(facts.not_before),
            "not_after": as_text(facts.not_after),
            "chain_pem": issued.chain_pem,
            "error": None,
        }
    installed: dict[str, Any] = {"live": None, "versions": [], "paths": {}}
    made = {"name": "shop", "issuer": "internal", "server_names": NAMES, "served": [entry], "installed": installed}
    return {**made, **more}


def live(issued: Issued, version: str) -> dict[str, Any]:
    spki = certificate_facts(issued.certificate).spki_sha256
    one = {"version": version, "spki_sha256": spki, "chain_pem": issued.chain_pem, "record": {"state": "retired"}}
    return {"live": version, "versions": [one], "paths": {}}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "leaked.pem").write_text(key_pem(LEAKED.key))
    return tmp_path


def plan(place: Path, *rotations: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
    by_host = {f"web{number}": [one] for number, one in enumerate(rotations, 1)}
    always = {"rotations": by_host, "report_directory": str(place), "deny_list_path": str(place / "deny_list")}
    if not {"authorities", "everything", "serials", "certificate_paths", "spki_sha256"} & set(options):
        options["key_path"] = str(place / "leaked.pem")
    return run_action(ActionModule, {**always, **options}, check_mode=check_mode)


def test_only_hosts_with_the_key_are_concerned(place: Path) -> None:
    planned = plan(place, rotation(), rotation(OTHER))
    assert planned["hosts"] == ["web1"] and list(planned["rotations"]) == ["web1"]
    assert planned["affected"]["spki_sha256"] == [LEAKED_KEY]
    assert planned["incident"] == f"key-{LEAKED_KEY[:16]}"
    assert planned["orders"] == {"internal": 1}
    assert planned["server_names"] == NAMES
    assert planned["counts"] == {
        "hosts": 1, "certificates": 1, "orders": 1, "not_ready": 0, "unknown": 0, "not_affected": 1,
    }  # fmt: skip


def test_key_is_denied_before_all_else_and_once(place: Path) -> None:
    assert plan(place, rotation(), check_mode=True)["denied"] == []
    assert not (place / "deny_list").exists()
    assert plan(place, rotation())["denied"] == [LEAKED_KEY]
    again = plan(place, rotation())
    assert (again["denied"], again["changed"]) == ([], False)


def test_host_that_serves_it_and_cannot_be_logged_in_to_is_not_ready(place: Path) -> None:
    planned = plan(place, rotation(error=DOWN, installed=None), rotation())
    assert planned["hosts"] == ["web2"]
    assert planned["not_ready"] == {"web1": "The host cannot be reached (host_unreachable)"}


def test_host_of_which_nothing_is_seen_is_unknown_and_not_absent(place: Path) -> None:
    """Down; unreachable while it serves something harmless, with files that nobody saw; not looked at, and silent."""
    planned = plan(
        place,
        rotation(None, error=DOWN, installed=None),
        rotation(OTHER, error=DOWN, installed=None),
        rotation(None, installed=None),
    )
    assert list(planned["unknown"]) == ["web1", "web2", "web3"]
    assert "no answer" in planned["unknown"]["web3"]
    assert list(planned["rotations"]) == ["web1", "web2", "web3"]


def test_serial_number_means_the_key_and_its_other_certificates(place: Path) -> None:
    same_key = ROOT.issue(NAMES, key=LEAKED.key)
    serial = certificate_facts(LEAKED.certificate).serial
    planned = plan(place, rotation(), rotation(same_key), rotation(OTHER), serials=[serial.upper()])
    assert planned["hosts"] == ["web1", "web2"]
    assert planned["denied"] == [LEAKED_KEY]
    superseded = plan(place, rotation(), rotation(same_key), serials=[serial], reason="superseded")
    assert superseded["hosts"] == ["web1"]


def test_ca_is_meant_by_its_certificate_and_others_are_left_alone(place: Path) -> None:
    (place / "ca.pem").write_text(ROOT.pem)
    planned = plan(place, rotation(), rotation(FOREIGN), authorities=[str(place / "ca.pem")], incident="ca-1")
    assert planned["hosts"] == ["web1"]
    assert planned["affected"]["reason"] == "superseded" and planned["denied"] == []


def test_what_was_made_since_the_incident_began_is_the_replacement(place: Path) -> None:
    """By the version's time, or because the incident's report has its key."""
    (place / "all-1").mkdir()
    incident = {"started_at": "2026-11-20T00:00:00Z"}
    made = {"after": {"spki_sha256": LEAKED_KEY}}
    (place / "all-1" / "report.json").write_text(json.dumps({"incident": incident, "rotations": [made]}))
    newer = ROOT.issue(NAMES)
    planned = plan(
        place,
        rotation(LEAKED),
        rotation(newer, installed=live(newer, "20261121T000000Z-a1b2c3")),
        rotation(OTHER, installed=live(OTHER, "20261119T000000Z-a1b2c3")),
        everything=True,
        incident="all-1",
    )
    assert planned["hosts"] == ["web3"] and planned["started_at"] == "2026-11-20T00:00:00Z"


def test_host_that_failed_and_turns_out_not_to_be_concerned_is_told(place: Path) -> None:
    """Else the incident's report would say for ever that it failed."""
    incident = f"key-{LEAKED_KEY[:16]}"
    (place / incident).mkdir()
    said = {"host": "web2", "name": "nginx", "error": DOWN}
    report = {"incident": {"started_at": "2026-11-20T00:00:00Z"}, "rotations": [said]}
    (place / incident / "report.json").write_text(json.dumps(report))
    planned = plan(place, rotation(OTHER), rotation(OTHER), rotation())
    assert planned["hosts"] == ["web3"] and sorted(planned["rotations"]) == ["web2", "web3"]
    assert planned["rotations"]["web2"][0]["decision"]["action"] == "keep"


def test_ca_and_everything_need_a_name(place: Path) -> None:
    assert plan(place, rotation(), everything=True)["code"] == "incident_unnamed"


def test_report_that_cannot_be_read_stops_the_plan(place: Path) -> None:
    (place / "all-1").mkdir()
    (place / "all-1" / "report.json").write_text("{")
    assert plan(place, rotation(), everything=True, incident="all-1")["code"] == "report_unreadable"


def test_shared_certificate_is_replaced_in_one_wave(place: Path) -> None:
    waves = ["1", "100%"]
    assert plan(place, rotation(), waves=waves)["waves"] == waves
    assert plan(place, rotation(shared="farm"), waves=waves)["waves"] == ["100%"]


def test_issuer_instead_is_who_the_orders_are_counted_for(place: Path) -> None:
    assert plan(place, rotation(), issuer_instead={"internal": "other"})["orders"] == {"other": 1}


def test_private_key_is_in_no_result(place: Path) -> None:
    body = "".join(key_pem(LEAKED.key).splitlines()[1:-1])
    assert body[:40] not in json.dumps(plan(place, rotation()))


def test_expired_certificate_of_the_key_is_still_replaced(place: Path) -> None:
    now = utc_now()
    expired = ROOT.issue(NAMES, key=LEAKED.key, not_before=now - 20 * DAY, not_after=now - DAY)
    assert plan(place, rotation(expired))["hosts"] == ["web1"]


def test_answers_of_a_survey_are_texts_and_an_empty_one_names_nothing(place: Path) -> None:
    answers: dict[str, Any] = {
        "spki_sha256": f"{LEAKED_KEY.upper()}, {'ab' * 32},",
        "serials": "",
        "authorities": "",
        "certificate_paths": "",
    }
    result = plan(place, rotation(), rotation(OTHER), key_path="", **answers)
    assert result["hosts"] == ["web1"], result
    nothing = plan(place, rotation(), key_path="", **{**answers, "spki_sha256": " "})
    assert nothing["failed"] and nothing["code"] == "emergency_about_nothing"
