# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of an incident, run after run: what the last run says is the state, what was evidence stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import (
    Incident,
    Run,
    incident_name,
    make_report,
    require_report,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence_merge import MOST_HISTORY

LEAKED = "aa" * 32
SUBJECT = {"kind": "key", "spki_sha256": [LEAKED], "serials": [], "reason": "keyCompromise", "drill": False}
INCIDENT = Incident("leak", SUBJECT, "2026-11-21T01:00:00Z")
OLD, NEW, NEWER = "0a", "0b", "0c"
ERROR = {"step": "verify", "code": "not_served", "msg": "the old one is served", "remedy": "Look.", "facts": {}}
LATE = "2026-11-22T02:00:00Z"
PLACE = {"address": "192.0.2.7", "port": 443, "server_name": "shop.example.org"}


def at(minutes: int) -> str:
    return f"2026-11-21T{1 + minutes // 60:02}:{minutes % 60:02}:00Z"


def times(**minutes: int) -> dict[str, str]:
    return {verb: at(minute) for verb, minute in minutes.items()}


def found(minute: int, **more: Any) -> dict[str, Any]:
    """A certificate with the leaked key, as a look at the fleet finds it, and what was decided."""
    return {
        "host": "web1",
        "name": "shop",
        "decision": {"action": "rotate", "reasons": [{"code": "affected", "text": "its key leaked"}]},
        "served": [{**PLACE, "serial": OLD, "spki_sha256": LEAKED, "sha256": "01", "not_after": at(9)}],
        "verdict": {"status": "good", "reasons": [], "evidence": []},
        "predecessor": {"serial": OLD, "spki_sha256": LEAKED, "version": None},
        "times": times(detected=minute),
        **more,
    }


def done(minute: int, serial: str = NEW, state: str = "visible", **more: Any) -> dict[str, Any]:
    moment = times(detected=minute, issued=minute + 1, installed=minute + 2, served=minute + 3, revoked=minute + 4)
    return found(
        minute,
        issued={"serial": serial, "spki_sha256": "bb", "issuer": "internal"},
        proof={"serial": serial, "checked": [PLACE], "at": moment["served"]},
        revocation={
            "serial": OLD,
            "reason": "keyCompromise",
            "state": state,
            "at": moment["revoked"],
            "by": "certificate_key",
            "seen_in": [{"kind": "crl", "url": "http://ca/1.crl", "at": moment["revoked"]}],
        },
        retirement={"destroyed": [LEAKED], "at": at(minute + 6)},
        **{"times": {**moment, **times(visible=minute + 5, retired=minute + 6)}, **more},
    )


def failed(minute: int, **more: Any) -> dict[str, Any]:
    return found(minute, **{"error": ERROR, **more})


def kept(minute: int, **more: Any) -> dict[str, Any]:
    given = found(minute, decision={"action": "keep", "reasons": [{"code": "not_affected", "text": "fine"}]}, **more)
    del given["predecessor"]
    given["served"] = [{**PLACE, "serial": NEW, "spki_sha256": "bb", "sha256": "02", "not_after": at(99)}]
    return given


def report(*runs: Any, incident: Incident = INCIDENT, minute: int = 100) -> dict[str, Any]:
    """What the report is after these runs; each has been through JSON, like a file."""
    made: dict[str, Any] | None = None
    for number, rotations in enumerate(runs):
        given = rotations if isinstance(rotations, dict) and "host" not in rotations else {"web1": [rotations]}
        made = make_report(given, Run(f"run{number}", at(minute)), incident, made)
        assert require_report(json.loads(json.dumps(made))) == made
    assert made is not None
    return made


def entry(*runs: dict[str, Any]) -> dict[str, Any]:
    [one] = report(*runs)["rotations"]
    assert isinstance(one, dict)
    return one


def test_rotated_then_kept_stays_rotated_with_its_evidence() -> None:
    first, then = entry(done(0)), entry(done(0), kept(50))
    assert then["outcome"] == "rotated"
    for name in ("before", "after", "decision", "proof", "revocation", "retirement", "times", "replaced_by"):
        assert then[name] == first[name], name
    assert then["run"] == "run1"
    assert [one["serial"] for one in then["serving"]] == [NEW]
    assert then["history"] == []


def test_kept_from_the_beginning_is_kept() -> None:
    assert entry(kept(0), kept(50))["outcome"] == "kept"


def test_failed_then_finished_has_the_earliest_time_of_each_verb() -> None:
    first = failed(0, issued={"serial": NEW}, times=times(detected=0, issued=1, installed=2))
    again = done(50, decision={"action": "finish", "reasons": []})
    one = entry(first, again)
    assert one["outcome"] == "finished"
    assert one["times"] == times(detected=0, issued=1, installed=2, served=53, revoked=54, visible=55, retired=56)
    assert "error" not in one
    assert [line["error"]["code"] for line in one["history"]] == ["not_served"]
    assert one["history"][0]["run"] == "run0"


def test_times_of_a_successor_that_was_given_up_are_history() -> None:
    first = failed(0, issued={"serial": NEW}, times=times(detected=0, issued=1, installed=2))
    one = entry(first, done(50, NEWER))
    assert one["after"]["serial"] == NEWER
    assert (one["times"]["detected"], one["times"]["issued"]) == (at(0), at(51))
    assert one["history"][0]["after"] == NEW
    assert one["history"][0]["times"] == times(issued=1, installed=2)


def test_failure_after_the_replacement_is_the_state_and_loses_no_evidence() -> None:
    lost = kept(50, error={"step": "host", "code": "host_unreachable", "msg": "gone", "remedy": "", "facts": {}})
    one = entry(done(0), lost)
    assert (one["outcome"], one["error"]["code"]) == ("failed", "host_unreachable")
    assert one["proof"]["serial"] == NEW
    assert one["revocation"]["by"] == "certificate_key"
    back = entry(done(0), lost, kept(60))
    assert (back["outcome"], "error" in back) == ("rotated", False)
    assert [line["error"]["code"] for line in back["history"]] == ["host_unreachable"]


def test_replacing_the_replacement_does_not_hide_what_the_incident_is_about() -> None:
    again = done(50, NEWER, predecessor={"serial": NEW, "spki_sha256": "bb", "version": "v1"})
    again["revocation"] = {"serial": NEW, "reason": "superseded", "state": "revoked", "at": at(54), "seen_in": []}
    one = entry(done(0), again)
    assert one["before"]["serial"] == OLD
    assert one["after"]["serial"] == NEWER
    assert (one["revocation"]["serial"], one["revocation"]["reason"]) == (OLD, "keyCompromise")
    assert (one["times"]["served"], one["times"]["revoked"]) == (at(3), at(4))


def test_revocation_never_goes_back_and_collects_where_it_was_seen() -> None:
    seen = {"kind": "ocsp", "url": "http://ca/ocsp", "at": at(54)}
    later = done(50, state="revoked", decision={"action": "finish", "reasons": []})
    later["revocation"].update(seen_in=[seen], by=None)
    one = entry(done(0), later)["revocation"]
    assert (one["state"], one["by"], one["at"]) == ("visible", "certificate_key", at(4))
    assert [place["kind"] for place in one["seen_in"]] == ["crl", "ocsp"]


def test_history_is_bounded() -> None:
    one = entry(*(failed(minute) for minute in range(2 * MOST_HISTORY)))
    assert len(one["history"]) == MOST_HISTORY
    assert one["history"][-1]["run"] == f"run{2 * MOST_HISTORY - 2}"


def test_order_of_runs_over_disjoint_hosts_does_not_matter() -> None:
    halves = [{"web1": [done(0)], "web2": []}, {"web3": [{**failed(1), "host": "web3"}]}]
    one, other = report(*halves), report(*reversed(halves))
    for name in ("counts", "failures", "unknowns", "metrics", "clock"):
        assert one[name] == other[name], name
    assert (
        [each["host"] for each in one["rotations"]] == [each["host"] for each in other["rotations"]] == ["web1", "web3"]
    )
    assert [each["hosts"] for each in one["incident"]["runs"]] == [2, 1]
    assert [(each["host"], each["code"]) for each in one["unknowns"]] == [("web2", "no_certificate")]


def test_subject_and_beginning_are_those_of_the_first_run() -> None:
    first = make_report({"web1": [done(0)]}, Run("r0", at(9)), INCIDENT)
    other = Incident("leak", {"kind": "all"}, at(50))
    assert make_report({}, Run("r1", at(60)), other, first)["incident"]["subject"] == SUBJECT
    assert make_report({}, Run("r1", at(60)), other, first)["incident"]["started_at"] == at(0)
    assert make_report({"web1": [done(7)]}, Run("r0", at(9)), Incident("leak"))["incident"]["started_at"] == at(7)


# --- what the host remembers


def on_host(state: str, live: bool = True, **supersedes: Any) -> dict[str, Any]:
    record = {
        "state": state,
        "serial": NEW,
        "spki_sha256": "bb",
        "issuer": "internal",
        "times": times(detected=1, issued=2, installed=3, served=4, revoked=5),
        "supersedes": {
            "serial": OLD,
            "spki_sha256": LEAKED,
            "version": None,
            "compromised": True,
            "revocation_reason": "keyCompromise",
            **supersedes,
        },
    }
    return {
        "live": "v2" if live else "v3",
        "versions": [{"version": "v2", "spki_sha256": "bb", "record": record}],
        "keys_log": [{"spki_sha256": LEAKED, "fate": "revoked:keyCompromise", "at": at(6), "version": "v1"}],
    }


@pytest.mark.parametrize("state", ["served", "revoked", "visible", "retired", "installed", "prepared"])
def test_what_a_killed_run_did_is_told_by_the_record(state: str) -> None:
    one = entry(kept(50, installed=on_host(state)))
    assert (one["outcome"], one["told_by"]) == ("rotated", "record")
    assert (one["before"]["serial"], one["before"]["spki_sha256"]) == (OLD, LEAKED)
    assert one["after"]["serial"] == NEW
    assert one["times"] == times(detected=1, issued=2, installed=3, served=4, revoked=5, retired=6)
    assert (one["revocation"]["state"], one["revocation"]["at"]) == ("revoked", at(5))
    assert one["retirement"] == {"destroyed": [LEAKED], "at": at(6)}
    assert entry(kept(50, installed=on_host(state)), kept(60))["outcome"] == "rotated"


def test_record_adds_nothing_to_what_a_run_has_reported() -> None:
    first, then = entry(done(2)), entry(done(2), kept(50, installed=on_host("retired")))
    assert "told_by" not in then
    assert then["decision"] == first["decision"]
    assert then["proof"] == first["proof"]
    assert then["revocation"] == first["revocation"]
    # The record has earlier ones, by the host's clock.
    assert then["times"] == first["times"]


def test_what_only_a_later_run_knows_to_be_affected_is_told_by_the_record_too() -> None:
    first = make_report({}, Run("r0", at(9)), Incident("leak", {"kind": "key", "spki_sha256": ["dd"]}, at(0)))
    later = {"web1": [kept(50, installed=on_host("retired"))]}
    [one] = make_report(later, Run("r1", at(60)), INCIDENT, first)["rotations"]
    assert one["outcome"] == "rotated"


def test_run_that_goes_on_has_the_times_of_the_killed_one() -> None:
    one = entry(done(50, decision={"action": "finish", "reasons": []}, installed=on_host("installed")))
    assert (one["times"]["issued"], one["times"]["served"]) == (at(2), at(4))
    other = entry(done(50, NEWER, installed=on_host("installed")))
    assert other["times"]["issued"] == at(51)


@pytest.mark.parametrize(
    "installed",
    [
        on_host("served", serial="ff", spki_sha256="ff"),
        on_host("rolled_back"),
        on_host("abandoned"),
        on_host("prepared", live=False),
        {"live": None, "versions": []},
    ],
)
def test_record_of_something_else_is_no_evidence(installed: dict[str, Any]) -> None:
    assert entry(kept(50, installed=installed))["outcome"] == "kept"


@pytest.mark.parametrize(("started", "outcome"), [(0, "rotated"), (30, "kept")])
def test_where_all_are_meant_what_was_replaced_since_the_beginning_counts(started: int, outcome: str) -> None:
    incident = Incident("drill", {"kind": "all"}, at(started))
    [one] = report(kept(50, installed=on_host("retired")), incident=incident)["rotations"]
    assert one["outcome"] == outcome


# --- figures


def test_metrics_count_from_the_beginning_by_nearest_rank() -> None:
    rotations = {f"web{n}": [{**done(n), "host": f"web{n}"}] for n in range(20)}
    made = report(rotations)["metrics"]
    assert made["since"] == at(0)
    assert made["time_to_inventory"] == {"count": 20, "p50": 9 * 60, "p95": 18 * 60, "max": 19 * 60}
    assert made["time_to_reissue"]["max"] == 20 * 60
    assert made["time_to_serve"]["p50"] == 12 * 60
    assert made["time_to_revoke_accepted"]["count"] == 20
    assert made["time_to_revocation_visible"]["max"] == 24 * 60
    nothing = make_report({}, Run("r", at(0)))["metrics"]
    assert nothing["time_to_serve"] == {"count": 0, "p50": None, "p95": None, "max": None}


@pytest.mark.parametrize(
    ("rotations", "minute", "states"),
    [
        ([done(0)], 100, ("met", "met")),
        ([done(0), failed(0, name="blog")], 100, ("open", "open")),
        ([done(0, state="skipped")], 100, ("met", "met")),
        ([done(0, state="failed")], 100, ("open", "open")),
        ([kept(0)], 100, ("open", "open")),
        ([kept(0, served=[])], 100, ("open", "open")),
    ],
)
def test_clock_is_met_when_all_is_served_and_revoked(
    rotations: list[dict[str, Any]], minute: int, states: tuple[str, str]
) -> None:
    made = report({"web1": rotations}, minute=minute)["clock"]
    assert (made["24h"]["state"], made["5d"]["state"]) == states
    assert made["24h"]["deadline"] == "2026-11-22T01:00:00Z"
    assert made["5d"]["deadline"] == "2026-11-26T01:00:00Z"


@pytest.mark.parametrize(
    ("rotation", "now", "states"),
    [
        (failed(0), "2026-11-22T01:00:00Z", ("open", "open")),
        (failed(0), "2026-11-22T01:00:01Z", ("missed", "open")),
        (failed(0), "2026-11-27T00:00:00Z", ("missed", "missed")),
        (done(0), "2026-11-27T00:00:00Z", ("met", "met")),
        (
            done(0, times={"served": at(3), "revoked": "2026-11-22T02:00:00Z"}),
            "2026-11-27T00:00:00Z",
            ("missed", "met"),
        ),
        (kept(0), "2026-11-27T00:00:00Z", ("open", "open")),
    ],
)
def test_clock_is_missed_by_what_came_too_late(rotation: dict[str, Any], now: str, states: tuple[str, str]) -> None:
    made = make_report({"web1": [rotation]}, Run("r", now), INCIDENT)["clock"]
    assert (made["24h"]["state"], made["5d"]["state"]) == states


def test_clock_and_incident_are_null_for_a_single_run() -> None:
    made = make_report({"web1": [done(0)]}, Run("r", at(9)))
    assert (made["clock"], made["incident"]) == (None, None)
    assert made["metrics"]["since"] == at(0)


def test_revocations_are_counted_by_state_right_and_source() -> None:
    skipped = done(0, state="skipped", name="blog")
    skipped["revocation"].update(by=None, seen_in=[])
    assert report({"web1": [done(0), skipped, kept(0, name="other")]})["revocations"] == {
        "state": {"visible": 1, "skipped": 1},
        "by": {"certificate_key": 1},
        "seen_in": {"crl": 1},
    }


def test_waves_are_those_named_else_the_runs_that_replaced() -> None:
    first = {"web1": [done(0)]}
    second = {"web1": [kept(40)], "web2": [{**done(30), "host": "web2"}], "web3": [{**failed(30), "host": "web3"}]}
    made = report(first, second)["waves"]
    assert [(wave["wave"], wave["hosts"]) for wave in made] == [("run0", ["web1"]), ("run1", ["web2"])]
    assert made[0]["verbs"]["served"] == {"first": at(3), "last": at(3), "count": 1}
    named = {host: [{**one, "wave": "canary"} for one in of_host] for host, of_host in second.items()}
    [wave] = make_report(named, Run("r", at(99)), INCIDENT)["waves"]
    assert (wave["wave"], wave["certificates"], wave["failed"]) == ("canary", 3, 1)
    [wave] = make_report(first, Run("r", at(99), wave="2"), INCIDENT)["waves"]
    assert (wave["wave"], wave["times"]) == ("2", {"began": at(1), "ended": at(5)})


def test_retried_host_is_in_the_wave_that_replaced_it() -> None:
    runs = [({"web1": [failed(0)]}, "1"), ({"web1": [done(9)]}, "2"), ({"web1": [kept(50)]}, "3")]
    made: dict[str, Any] | None = None
    for number, (rotations, wave) in enumerate(runs):
        made = make_report(rotations, Run(f"r{number}", at(60), wave=wave), INCIDENT, made)
    assert made is not None
    assert [wave["wave"] for wave in made["waves"]] == ["2"]


def test_what_nobody_could_see_is_listed_with_the_reason_until_it_was_seen() -> None:
    silent = {**PLACE, "error": {"code": "connection_refused", "msg": "refused"}}
    unknown = {"status": "unknown", "reasons": ["stale"]}
    gone = failed(0, name="gone", error={"step": "host", "code": "host_unreachable", "msg": "no route", "remedy": ""})
    made = report({"web1": [kept(0) | {"served": [silent]}, gone, kept(0, name="old", verdict=unknown)]})
    assert [(one["what"], one["name"], one["code"], one["msg"]) for one in made["unknowns"]] == [
        ("host", "gone", "host_unreachable", "no route"),
        ("status", "old", "unknown_revocation_status", "its status is unknown: stale"),
        ("endpoint", "shop", "connection_refused", "refused"),
    ]
    assert made["unknowns"][2]["port"] == 443
    assert report(kept(0) | {"served": [silent]}, kept(9))["unknowns"] == []
    assert report(done(0, served=[silent]))["unknowns"] == []
    assert report(kept(0, verdict={"status": "unknown", "reasons": ["short_lived"]}))["unknowns"] == []


def test_why_a_host_could_not_be_looked_at_is_history_once_it_was() -> None:
    """Where nothing is declared, an entry for all of the host stands for certificates that nobody knows of yet."""
    blind = {"host": "web1", "name": "nginx", "server_names": [], "listeners": [], "error": ERROR}
    first, still = report(blind), report(blind, {"web2": [done(5, host="web2")]})
    assert [one["name"] for one in first["failures"]] == ["nginx"] == [one["name"] for one in still["failures"]]
    made = report(blind, {"web1": [done(5), kept(5, name="other")]})
    assert [(one["name"], one["outcome"]) for one in made["rotations"]] == [("other", "kept"), ("shop", "rotated")]
    assert [[said["error"]["code"] for said in one["history"]] for one in made["rotations"]] == [[ERROR["code"]]] * 2
    assert made["failures"] == made["unknowns"] == []
    # And back: what is known of its certificates stays.
    again = report({"web1": [done(5)]}, blind)
    assert [(one["name"], one["outcome"]) for one in again["rotations"]] == [("nginx", "failed"), ("shop", "rotated")]


def test_failures_have_a_remedy_and_those_asked_for_are_among_them() -> None:
    made = make_report({"web1": [failed(0), kept(0)]}, Run("r", at(9), fail_on=frozenset({"not_affected"})))
    assert [(one["step"], one["code"], one["remedy"]) for one in made["failures"]] == [
        ("verify", "not_served", "Look."),
        ("decide", "not_affected", ""),
    ]


# --- what cannot be continued


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([], "report_damaged"),
        ({}, "report_damaged"),
        ({"schema": "2"}, "report_damaged"),
        ({"schema": 3}, "report_newer"),
        ({"schema": 1, "rotations": []}, "report_damaged"),
        ({"schema": 2, "incident": None, "rotations": []}, "report_damaged"),
        ({"schema": 2, "incident": {}, "rotations": {}}, "report_damaged"),
        ({"schema": 2, "incident": {}, "rotations": [{"host": "web1"}]}, "report_damaged"),
        ({"schema": 2, "incident": {}, "rotations": [None]}, "report_damaged"),
    ],
)
def test_what_is_no_report_of_an_incident_is_not_continued(given: Any, code: str) -> None:
    with pytest.raises(RotationError) as raised:
        require_report(given)
    assert raised.value.code == code


@pytest.mark.parametrize("name", ["latest", "", "../up", "a/b", ".hidden", "a..b", "x" * 101])
def test_names_of_incidents_are_safe(name: str) -> None:
    with pytest.raises(RotationError) as raised:
        incident_name(name)
    assert raised.value.code == "name_invalid"
