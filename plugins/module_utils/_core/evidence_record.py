# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts themselves remember of an incident: a run that was killed had no time to report what it had done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Dict

from ansible_collections.certops.rotation.plugins.module_utils._core.affected import Affected, affected_from

Entry = Dict[str, Any]

# States of a release that took its predecessor's place. What is only prepared did so if it is the live one.
_TOOK_THE_PLACE = frozenset({"installed", "served", "revoked", "visible", "retired"})
_NOTHING_TO_DO = frozenset({"kept", "undecided"})
# `retired` is missing: in a record it is the time at which the release's own key was destroyed.
_OF_THE_SUCCESSOR = ("serial", "spki_sha256", "order", "issuer")
_VERBS = ("detected", "decided", "prepared", "issued", "validated", "installed", "served", "revoked", "visible")


def named_by(*subjects: Mapping[str, Any]) -> Affected:
    """The keys and serials that an incident is about, by all that was said of it."""
    given: dict[str, list[Any]] = {"spki_sha256": [], "serials": []}
    for subject in subjects:
        for name, known in given.items():
            listed = subject.get(name) or []
            known += [listed] if isinstance(listed, str) else listed
    return affected_from(given) or Affected()


def with_record(entry: Entry, rotation: Mapping[str, Any], affected: Affected, since: str) -> Entry:
    """``entry``, with what ``record.json`` on the host tells of the replacement of what the incident is about.

    An entry that is kept, because a run before had replaced it, is as that run would have written it. One that goes on
    from a run before has the times at which that run had done its part.
    """
    record = record_of(rotation, affected, since)
    if record is None:
        return entry
    times = earliest(_times_of(record), entry["times"])
    if entry["outcome"] not in _NOTHING_TO_DO:
        is_same = record.get("serial") and record["serial"] == entry["after"].get("serial")
        return {**entry, "times": times} if is_same else entry
    return {**entry, "times": times, **_replaced(entry, record, times, rotation)}


def earliest(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """For each verb the earlier of two times. Times in ISO 8601 UTC are ordered as text."""
    both = {verb: (one.get(verb), other.get(verb)) for verb in (*one, *other)}
    return {verb: min(at for at in times if at) for verb, times in both.items() if any(times)}


def record_of(rotation: Mapping[str, Any], affected: Affected, since: str) -> Mapping[str, Any] | None:
    """The record of the release on the host that replaced what the incident is about; None if there is none.

    Where neither keys nor serials are named (all certificates of a CA, or all), whatever was replaced since the
    incident began counts.
    """
    named = affected.spki_sha256 or affected.serials
    for record in _records(rotation):
        supersedes = record["supersedes"]
        if named and affected.why(spki_sha256=supersedes.get("spki_sha256"), serial=supersedes.get("serial")):
            return record
        if not named and str((record.get("times") or {}).get("installed") or "") >= since:
            return record
    return None


def _records(rotation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Records of releases that took the place of a predecessor."""
    installed = rotation.get("installed") or {}
    for version in installed.get("versions") or ():
        record = version.get("record") or {}
        took_place = record.get("state") in _TOOK_THE_PLACE or (
            record.get("state") == "prepared" and version.get("version") == installed.get("live")
        )
        if took_place and (record.get("supersedes") or {}).get("serial"):
            yield record


def _times_of(record: Mapping[str, Any]) -> dict[str, str]:
    times = record.get("times") or {}
    return {verb: times[verb] for verb in _VERBS if times.get(verb)}


def _replaced(
    entry: Entry, record: Mapping[str, Any], times: dict[str, str], rotation: Mapping[str, Any]
) -> dict[str, Any]:
    """What a run that came to its end would have put into the entry."""
    supersedes = record["supersedes"]
    found: dict[str, Any] = {
        "outcome": "rotated",
        "told_by": "record",
        "before": {**{name: supersedes.get(name) for name in ("serial", "spki_sha256", "version")}, "verdict": {}},
        "after": {**entry["after"], **{name: record.get(name) for name in _OF_THE_SUCCESSOR}},
    }
    if times.get("served"):
        found["proof"] = {"serial": record.get("serial"), "checked": [], "at": times["served"]}
    revocation = _revocation(supersedes, times)
    if revocation:
        found["revocation"] = revocation
    destroyed_at = _destroyed_at(supersedes, rotation)
    if destroyed_at:
        found["retirement"] = {"destroyed": [supersedes["spki_sha256"]], "at": destroyed_at}
        times["retired"] = destroyed_at
    return found


def _revocation(supersedes: Mapping[str, Any], times: Mapping[str, str]) -> dict[str, Any] | None:
    state = "already_revoked" if supersedes.get("already_revoked") else None
    state = "visible" if times.get("visible") else "revoked" if times.get("revoked") else state
    if state is None:
        return None
    return {
        "serial": supersedes["serial"],
        "reason": supersedes.get("revocation_reason"),
        "state": state,
        "at": times.get("revoked"),
        "by": None,
        "seen_in": [],
    }


def _destroyed_at(supersedes: Mapping[str, Any], rotation: Mapping[str, Any]) -> str | None:
    """When the host wrote down that the predecessor's key is gone."""
    for line in (rotation.get("installed") or {}).get("keys_log") or ():
        is_gone = str(line.get("fate") or "").partition(":")[0] in ("retired", "revoked")
        if is_gone and line.get("spki_sha256") == supersedes.get("spki_sha256"):
            return str(line["at"])
    return None
