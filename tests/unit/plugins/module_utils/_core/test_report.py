# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations in, report out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Run, make_report
from ansible_collections.certops.rotation.plugins.module_utils._core.report import (
    as_lines,
    entry_of,
    failures,
    outcome_of,
)

AT = "2026-11-21T01:02:03Z"
ERROR = {"step": "verify", "code": "not_served", "msg": "the old one is served", "remedy": "Look.", "facts": {}}
REVOKED = {"code": "revoked", "text": "the certificate served is revoked"}
UNKNOWN = {"code": "status_unknown", "text": "its status is unknown"}


def rotation(action: str | None, *reasons: dict[str, str], **more: Any) -> dict[str, Any]:
    decision = {"decision": {"action": action, "reasons": list(reasons)}} if action else {}
    return {"host": "web1", "name": "shop", **decision, **more}


def report(*rotations: dict[str, Any]) -> dict[str, Any]:
    return make_report({"web1": rotations}, Run("r1", AT))


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (rotation("rotate", proof={"at": AT}), "rotated"),
        (rotation("repair", proof={"at": AT}), "repaired"),
        (rotation("finish", proof={"at": AT}), "finished"),
        (rotation("rotate"), "to_rotate"),
        (rotation("repair"), "to_repair"),
        (rotation("finish"), "to_finish"),
        (rotation("keep"), "kept"),
        (rotation("stop"), "stopped"),
        (rotation(None), "undecided"),
        (rotation("rotate", proof={"at": AT}, error=ERROR), "failed"),
    ],
)
def test_outcome_follows_decision_proof_and_error(given: dict[str, Any], outcome: str) -> None:
    assert outcome_of(given) == outcome


def test_report_counts_outcomes_and_is_plain_data() -> None:
    found = report(rotation("keep"), rotation("keep"), rotation("rotate", error=ERROR))
    assert (found["schema"], found["run"], found["written_at"], found["check_mode"]) == (2, "r1", AT, False)
    assert found["counts"] == {"kept": 2, "failed": 1}
    assert json.loads(json.dumps(found)) == found


def test_entry_has_evidence_and_no_chain_and_no_request() -> None:
    given = rotation(
        "rotate",
        REVOKED,
        verdict={"status": "revoked"},
        predecessor={
            "serial": "0a",
            "spki_sha256": "aa",
            "version": None,
            "certificate_pem": "PEM",
            "chain_pem": "PEM",
        },
        prepared={"version": "v2", "csr_pem": "PEM"},
        issued={"serial": "0b", "spki_sha256": "bb", "chain_pem": "PEM", "not_after": AT},
        times={"detected": AT},
        seconds={"detect": 0.1},
    )
    entry = entry_of(given)
    assert entry["before"] == {"serial": "0a", "spki_sha256": "aa", "version": None, "verdict": {"status": "revoked"}}
    assert (entry["after"]["serial"], entry["after"]["not_after"]) == ("0b", AT)
    assert (entry["times"], entry["seconds"]) == ({"detected": AT}, {"detect": 0.1})
    assert "PEM" not in json.dumps(entry)


def test_lines_say_failures_first_and_nothing_of_what_was_kept() -> None:
    rotated = rotation(
        "rotate", REVOKED, proof={"at": AT}, predecessor={"serial": "0a"}, issued={"serial": "0b"},
        revocation={"state": "visible", "reason": "superseded"}, warnings=["slow"],
    )  # fmt: skip
    failed = {**rotation("rotate", error=ERROR), "name": "blog"}
    assert as_lines(report(rotation("keep"), rotated, failed)) == [
        "1 failed, 1 kept, 1 rotated",
        "web1/blog: failed",
        "  verify: the old one is served (not_served) Look.",
        "web1/shop: rotated (the certificate served is revoked)",
        "  serial 0a -> 0b",
        "  predecessor: visible (superseded)",
        "  warning: slow",
    ]
    assert as_lines(make_report({}, Run("r", AT, check_mode=True))) == ["no certificates"]


def test_kept_with_a_warning_is_told() -> None:
    assert "web1/shop: kept" in as_lines(report(rotation("keep", warnings=["clocks differ"])))


def test_failures_are_those_of_hosts_with_an_error_a_stop_or_a_code_asked_for() -> None:
    rotations = {
        "fine": [rotation("keep", UNKNOWN)],
        "failed": [rotation("rotate", error=ERROR), rotation("keep")],
        "stopped": [rotation("stop", UNKNOWN)],
    }
    assert failures(rotations) == {
        "failed": "shop: verify: the old one is served (not_served). Look.",
        "stopped": "shop: stopped: its status is unknown",
    }
    asked = failures(rotations, ["status_unknown"])
    assert asked["fine"] == "shop: its status is unknown (status_unknown)"
    assert failures({}) == {}


def test_lines_end_with_the_last_words_of_the_program_that_failed() -> None:
    output = "\n".join(f"line {number}" for number in range(9))
    lines = as_lines(report(rotation("rotate", error={**ERROR, "facts": {"output": output}})))
    assert [line.strip() for line in lines[-5:]] == ["line 4", "line 5", "line 6", "line 7", "line 8"]


def test_lines_tell_keys_that_several_hosts_use_until_they_are_rotated() -> None:
    served = [{"serial": "0a", "spki_sha256": "aa", "sha256": "cc"}]
    kept, done = rotation("keep", served=served), rotation("rotate", served=served, proof={"at": AT})
    fleet = {host: [{**kept, "host": host}] for host in ("web1", "web2")}
    assert as_lines(make_report(fleet, Run("r1", AT))) == [
        "2 kept",
        "2 hosts use one key, aa (certificate 0a): web1, web2",
    ]
    fleet["web2"] = [{**done, "host": "web2"}]
    assert not any("one key" in line for line in as_lines(make_report(fleet, Run("r1", AT))))
