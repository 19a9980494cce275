# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run leaves behind for people and machines: rotations in, report out. Schema: module rotation_report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.shared_keys import shared_as_lines, shared_keys

SCHEMA = 2

_MOST_OUTPUT_LINES = 5
# Certificates in a task's result; ten thousand of them would be read by nobody.
_MOST_TOLD = 200

_OUTCOMES = {"rotate": "rotated", "repair": "repaired", "finish": "finished", "keep": "kept", "stop": "stopped"}
_TO_BE_PROVEN = frozenset({"rotate", "repair", "finish"})
_COPIED = ("installation", "rolled_back", "proof", "revocation", "retirement", "error", "sources", "wave")
_OF_A_CERTIFICATE = ("serial", "spki_sha256", "issuer_name", "not_before", "not_after", "order")


def entry_of(rotation: Mapping[str, Any]) -> dict[str, Any]:
    """One certificate on one host."""
    predecessor, issued = rotation.get("predecessor") or {}, rotation.get("issued") or {}
    return {
        "host": rotation.get("host"),
        "name": rotation.get("name"),
        "server_names": list(rotation.get("server_names") or ()),
        "issuer": rotation.get("issuer"),
        "outcome": outcome_of(rotation),
        "decision": rotation.get("decision") or {},
        "before": {
            **{name: predecessor.get(name) for name in ("serial", "spki_sha256", "version")},
            "verdict": rotation.get("verdict") or {},
        },
        # Not always the issuer that was wanted: another may have stood in.
        "after": {name: issued.get(name) for name in (*_OF_A_CERTIFICATE, "issuer")},
        **{name: rotation[name] for name in _COPIED if rotation.get(name)},
        **_seen(rotation),
        "times": dict(rotation.get("times") or {}),
        "seconds": dict(rotation.get("seconds") or {}),
        "warnings": list(rotation.get("warnings") or ()),
    }


def _seen(rotation: Mapping[str, Any]) -> dict[str, Any]:
    """What was seen to be in use: on the network when the run began, and on the host. Left out where nobody looked."""
    found: dict[str, Any] = {}
    if rotation.get("served") is not None:
        found["serving"], found["unseen"] = _served(rotation["served"]), _unseen(rotation["served"])
    installed = rotation.get("installed") or {}
    for version in installed.get("versions") or ():
        if installed.get("live") and version.get("version") == installed["live"]:
            serial = (version.get("record") or {}).get("serial")
            found["installed"] = {
                "version": version["version"],
                "serial": serial,
                "spki_sha256": version.get("spki_sha256"),
            }
    return found


def _served(served: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The different certificates, and at how many places each was seen."""
    found: dict[str, dict[str, Any]] = {}
    for one in served:
        if one.get("serial"):
            facts = {name: one.get(name) for name in ("serial", "spki_sha256", "not_after")}
            known = found.setdefault(f"{one.get('sha256')} {one['serial']}", {**facts, "places": 0})
            known["places"] += 1
    return list(found.values())


def _unseen(served: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The places at which no certificate was to be seen, and why."""
    return [
        {
            **{name: one.get(name) for name in ("address", "port", "server_name")},
            **{name: one["error"].get(name) for name in ("code", "msg")},
        }
        for one in served
        if one.get("error") and not one.get("serial")
    ]


def outcome_of(rotation: Mapping[str, Any]) -> str:
    """``failed`` whatever was decided, if there is an error; else what the decision led to.

    What only was looked at, by the role check or in check mode, is ``to_rotate``, ``to_repair`` or ``to_finish``.
    """
    if rotation.get("error"):
        return "failed"
    action = (rotation.get("decision") or {}).get("action", "")
    if action in _TO_BE_PROVEN and not rotation.get("proof"):
        return f"to_{action}"
    return _OUTCOMES.get(action, "undecided")


def failures(rotations: Mapping[str, Sequence[Mapping[str, Any]]], fail_on: Iterable[str] = ()) -> dict[str, str]:
    """By host, in sentences, why it counts as failed; hosts without a failure are not in it."""
    codes = frozenset(fail_on)
    found = {
        host: [text for one in of_host for text in _failures_of(one, codes)] for host, of_host in rotations.items()
    }
    return {host: "\n".join(texts) for host, texts in found.items() if texts}


def _failures_of(rotation: Mapping[str, Any], codes: frozenset[str]) -> list[str]:
    error, decision = rotation.get("error"), rotation.get("decision") or {}
    if error:
        remedy = f" {error['remedy']}" if error.get("remedy") else ""
        return [f"{rotation.get('name')}: {error['step']}: {error['msg']} ({error['code']}).{remedy}"]
    reasons = decision.get("reasons") or ()
    if decision.get("action") == "stop":
        return [f"{rotation.get('name')}: stopped: {'; '.join(reason['text'] for reason in reasons)}"]
    return [
        f"{rotation.get('name')}: {reason['text']} ({reason['code']})" for reason in reasons if reason["code"] in codes
    ]


def as_lines(report: Mapping[str, Any], *, of_all_runs: bool = False) -> list[str]:
    """The report in a few lines: counts, then every certificate that was not simply kept, failures first."""
    counts = ", ".join(f"{number} {outcome.replace('_', ' ')}" for outcome, number in sorted(report["counts"].items()))
    # What earlier runs of an incident did has been told by them.
    is_told = of_all_runs or not report.get("incident")
    told = [one for one in report["rotations"] if is_told or one.get("run") == report["run"]]
    notable = [entry for entry in told if entry["outcome"] != "kept" or entry["warnings"]]
    notable.sort(key=lambda entry: entry["outcome"] != "failed")
    lines = [line for entry in notable[:_MOST_TOLD] for line in _lines(entry)]
    if len(notable) > _MOST_TOLD:
        lines.append(f"and {len(notable) - _MOST_TOLD} more, which the report has")
    return [counts or "no certificates", *_incident_lines(report), *lines, *_shared_lines(report)]


def _shared_lines(report: Mapping[str, Any]) -> list[str]:
    """Keys that several hosts use; what was seen before a rotation is of no interest after it."""
    untouched = (entry for entry in report["rotations"] if not entry.get("proof"))
    used = ((str(entry["host"]), one) for entry in untouched for one in entry.get("serving") or ())
    return shared_as_lines(shared_keys(used))


def _incident_lines(report: Mapping[str, Any]) -> list[str]:
    incident, clock = report.get("incident"), report.get("clock")
    if not incident or not clock:
        return []
    drill = ", a drill" if (incident["subject"] or {}).get("drill") else ""
    limits = (f"{limit} limit {one['state']} ({one['deadline']})" for limit, one in clock.items())
    return [f"incident {incident['name']}{drill}, since {incident['started_at']}: {', '.join(limits)}"]


def _output_of(error: Mapping[str, Any]) -> list[str]:
    """The last words of the program that failed, such as nginx's own about its configuration."""
    output = (error.get("facts") or {}).get("output")
    return str(output).strip().splitlines()[-_MOST_OUTPUT_LINES:] if output else []


def _lines(entry: Mapping[str, Any]) -> list[str]:
    reasons = "; ".join(reason["text"] for reason in entry["decision"].get("reasons") or ())
    outcome = entry["outcome"].replace("_", " ")
    lines = [f"{entry['host']}/{entry['name']}: {outcome}" + (f" ({reasons})" if reasons else "")]
    if entry["before"]["serial"] and entry["after"]["serial"]:
        lines.append(f"  serial {entry['before']['serial']} -> {entry['after']['serial']}")
    revocation = entry.get("revocation")
    if revocation:
        lines.append(f"  predecessor: {revocation['state']} ({revocation.get('reason')})")
    error = entry.get("error")
    if error:
        lines.append(f"  {error['step']}: {error['msg']} ({error['code']}) {error.get('remedy') or ''}".rstrip())
        lines.extend(f"    {line}" for line in _output_of(error))
    return lines + [f"  warning: {text}" for text in entry["warnings"]]
