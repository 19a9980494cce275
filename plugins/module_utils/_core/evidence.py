# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run, or of an incident that several runs and waves work on. Schema: module rotation_report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.affected import Affected
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence_figures import (
    clock,
    metrics,
    revocations,
    unknowns,
    waves,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence_merge import merged
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence_record import named_by, with_record
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import certificate_name
from ansible_collections.certops.rotation.plugins.module_utils._core.report import SCHEMA, entry_of

MOST_RUNS = 1000

Rotations = Mapping[str, Sequence[Mapping[str, Any]]]
Report = Dict[str, Any]

_NO_NAMES = frozenset({"latest"})


@dataclass(frozen=True)
class Run:
    """The run that reports."""

    name: str
    at: str
    check_mode: bool = False
    fail_on: frozenset[str] = frozenset()
    """Codes of reasons that count as a failure."""
    wave: str = ""
    """What to call these hosts together, where the rotations do not say it themselves."""


@dataclass(frozen=True)
class Incident:
    """What several runs work on together."""

    name: str
    subject: Mapping[str, Any] = field(default_factory=dict)
    started_at: str = ""


def incident_name(name: str) -> str:
    """``name``, which is safe as the name of a folder beside those of the runs. RotationError ``name_invalid``."""
    if name in _NO_NAMES:
        raise RotationError(
            "name_invalid",
            f"{name!r} cannot be the name of an incident: it is that of a link.",
            remedy="Take another name, such as leaked-key-2026-11.",
        )
    return certificate_name(name)


def make_report(
    rotations: Rotations, run: Run, incident: Incident | None = None, earlier: Mapping[str, Any] | None = None
) -> Report:
    """The report of one run or, with ``incident``, what ``earlier`` (its report so far) is continued to."""
    known = _incident(rotations, run, incident, earlier) if incident else None
    everything = [rotation for of_host in rotations.values() for rotation in of_host]
    entries = [_entry(rotation, run) for rotation in everything]
    if known and incident:
        # A later run may know of more that is affected than the first.
        affected = named_by(known["subject"], incident.subject)
        entries = _with_records(entries, everything, affected, known["started_at"])
        entries = merged((earlier or {}).get("rotations") or (), entries)
    silent = _silent_hosts(rotations, entries, earlier)
    return assembled(entries, run, known, silent)


def assembled(entries: list[dict[str, Any]], run: Run, incident: dict[str, Any] | None, silent: list[str]) -> Report:
    """The report of these entries. What comes first is what people read first."""
    since = incident["started_at"] if incident else _first_look(entries)
    return {
        "schema": SCHEMA,
        "run": run.name,
        "written_at": run.at,
        "check_mode": run.check_mode,
        "incident": incident,
        "counts": dict(Counter(entry["outcome"] for entry in entries)),
        "clock": clock(entries, incident["started_at"], run.at) if incident else None,
        "metrics": {"since": since, **metrics(entries, since)},
        "revocations": revocations(entries),
        "waves": waves(entries),
        "failures": failures_of(entries, run.fail_on),
        "unknowns": unknowns(entries, silent),
        "rotations": entries,
    }


def failures_of(entries: Iterable[Mapping[str, Any]], fail_on: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """What failed, with the next step for the operator."""
    found = []
    for entry in entries:
        known = {"host": entry["host"], "name": entry["name"]}
        error: Mapping[str, Any] = entry.get("error") or {}
        if error:
            found.append({**known, **{name: error.get(name) for name in ("step", "code", "msg", "remedy")}})
            continue
        for reason in entry["decision"].get("reasons") or ():
            if reason["code"] in fail_on:
                facts = {"step": "decide", "code": reason["code"], "msg": reason["text"], "remedy": ""}
                found.append({**known, **facts})
    return found


def require_report(report: Any, *, of_one_run: bool = False) -> Report:
    """``report`` as it was read, if it can be continued. RotationError ``report_newer``, ``report_damaged``.

    :param of_one_run: it is only to be shown, so it need not be that of an incident.
    """
    if not isinstance(report, dict) or not isinstance(report.get("schema"), int):
        raise RotationError("report_damaged", "It is no report.")
    if report["schema"] > SCHEMA:
        raise RotationError(
            "report_newer", f"It has schema {report['schema']}, and this version of the collection knows {SCHEMA}."
        )
    entries, incident = report.get("rotations"), report.get("incident")
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise RotationError("report_damaged", "It has no certificates as a report has them.")
    if not _is_incident(incident) and not (of_one_run and incident is None):
        raise RotationError("report_damaged", "It is not the report of an incident.")
    return report


def _is_incident(incident: Any) -> bool:
    if not isinstance(incident, dict) or not isinstance(incident.get("started_at"), str):
        return False
    try:
        from_text(incident["started_at"])
    except RotationError:
        return False
    return isinstance(incident.get("subject"), dict) and isinstance(incident.get("runs"), list)


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("outcome"), str):
        return False
    texts = all(isinstance(entry.get(name), str) for name in ("host", "name"))
    dicts = all(isinstance(entry.get(name), dict) for name in ("before", "after", "times", "decision", "seconds"))
    return texts and dicts and isinstance(entry.get("warnings"), list)


def _with_records(
    entries: list[dict[str, Any]], rotations: Iterable[Mapping[str, Any]], affected: Affected, since: str
) -> list[dict[str, Any]]:
    return [with_record(entry, one, affected, since) for entry, one in zip(entries, rotations)]


def _entry(rotation: Mapping[str, Any], run: Run) -> dict[str, Any]:
    entry = {"run": run.name, **entry_of(rotation)}
    if run.wave and not entry.get("wave"):
        entry["wave"] = run.wave
    if entry.get("proof"):
        entry["replaced_by"] = run.name
    return entry


def _incident(rotations: Rotations, run: Run, incident: Incident, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the first run said of it stays; each run adds itself."""
    known: Mapping[str, Any] = (earlier or {}).get("incident") or {}
    this = {"run": run.name, "at": run.at, "hosts": len(rotations), "check_mode": run.check_mode}
    if run.wave:
        this["wave"] = run.wave
    started_at = known.get("started_at") or incident.started_at or _first_detected(rotations) or run.at
    return {
        "name": incident.name,
        "subject": dict(known.get("subject") or incident.subject),
        "started_at": as_text(from_text(started_at)),
        "runs": [*(known.get("runs") or ()), this][-MOST_RUNS:],
    }


def _first_detected(rotations: Rotations) -> str | None:
    times = (one.get("times") or {} for of_host in rotations.values() for one in of_host)
    return min((str(each["detected"]) for each in times if each.get("detected")), default=None)


def _first_look(entries: Iterable[Mapping[str, Any]]) -> str | None:
    return min((str(entry["times"]["detected"]) for entry in entries if entry["times"].get("detected")), default=None)


def _silent_hosts(
    rotations: Rotations, entries: Iterable[Mapping[str, Any]], earlier: Mapping[str, Any] | None
) -> list[str]:
    """Hosts of which nothing is known, by this run and the earlier ones."""
    heard = {str(entry["host"]) for entry in entries}
    before = [str(one["host"]) for one in (earlier or {}).get("unknowns") or () if one.get("code") == "no_certificate"]
    return sorted({*before, *(host for host, of_host in rotations.items() if not of_host)} - heard)
