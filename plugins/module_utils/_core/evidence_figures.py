# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries of a report say together: how long it took, by which deadline, in which waves, what is unknown."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Mapping, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text

Entries = Sequence[Mapping[str, Any]]

# Metric and the time of an entry that it is measured to.
METRICS = {
    "time_to_inventory": "detected",
    "time_to_reissue": "issued",
    "time_to_serve": "served",
    "time_to_revoke_accepted": "revoked",
    "time_to_revocation_visible": "visible",
}
# Baseline Requirements 4.9.1.1: within 24 hours for a compromised key, within five days for most other reasons.
LIMITS = {"24h": timedelta(hours=24), "5d": timedelta(days=5)}
WAVE_VERBS = ("issued", "installed", "served", "revoked", "visible")

_NOT_CONCERNED = frozenset({"kept", "undecided"})
_REVOKED = frozenset({"revoked", "already_revoked", "accepted_not_published", "visible"})


def metrics(entries: Entries, since: str | None) -> dict[str, dict[str, Any]]:
    """By metric p50, p95 and max in seconds since ``since`` (nearest rank), and of how many certificates that is."""
    start = _moment(since)
    found = {}
    for metric, verb in METRICS.items():
        moments = [_moment(entry["times"].get(verb)) for entry in entries]
        seconds = sorted(max(0, round(moment - start)) for moment in moments if moment and start)
        found[metric] = {
            "count": len(seconds),
            "p50": _rank(seconds, 0.50),
            "p95": _rank(seconds, 0.95),
            "max": seconds[-1] if seconds else None,
        }
    return found


def _rank(ordered: Sequence[int], share: float) -> int | None:
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def _moment(text: Any) -> float | None:
    """Seconds since 1970; None for what is no time."""
    try:
        return from_text(text).timestamp() if text else None
    except (RotationError, AttributeError):
        return None


def clock(entries: Entries, started_at: str, at: str) -> dict[str, dict[str, Any]]:
    """For each limit its deadline, whether all that is concerned was replaced and revoked by then, and when that was.

    ``open`` until then, ``missed`` once the deadline has passed. Where nothing is concerned, it stays ``open``.
    """
    concerned = [entry for entry in entries if is_concerned(entry)]
    ends = [_end_of(entry) for entry in concerned]
    done_at = max(ends) if ends and all(ends) else None
    found = {}
    for limit, span in LIMITS.items():
        deadline = as_text(from_text(started_at) + span)
        is_late = bool(ends) and (done_at or at) > deadline
        state = "missed" if is_late else "met" if done_at else "open"
        found[limit] = {"deadline": deadline, "state": state, "at": done_at}
    return found


def is_concerned(entry: Mapping[str, Any]) -> bool:
    """Something had to be done about it, or nobody could see what is in use there."""
    return entry["outcome"] not in _NOT_CONCERNED or not (entry.get("serving") or entry.get("installed"))


def _end_of(entry: Mapping[str, Any]) -> str:
    """When the successor was served and the predecessor revoked (or not to be revoked); empty if that is not so yet."""
    served = str(entry["times"].get("served") or "")
    revocation = entry.get("revocation") or {}
    if not served:
        return ""
    if revocation.get("state") == "skipped" or not entry["before"].get("serial"):
        return served
    if revocation.get("state") not in _REVOKED:
        return ""
    return max(served, str(entry["times"].get("revoked") or revocation.get("at") or ""))


def revocations(entries: Entries) -> dict[str, dict[str, int]]:
    """Of how many predecessors the revocation came how far, by whose right, and in what it was seen."""
    found = [entry["revocation"] for entry in entries if entry.get("revocation")]
    kinds = [{str(place.get("kind")) for place in one.get("seen_in") or ()} for one in found]
    return {
        "state": dict(Counter(str(one.get("state")) for one in found)),
        "by": dict(Counter(str(one["by"]) for one in found if one.get("by"))),
        "seen_in": dict(Counter(kind for each in kinds for kind in each)),
    }


def waves(entries: Entries) -> list[dict[str, Any]]:
    """Which hosts were replaced together, and when: by the wave that the entries name, else by the run that did it."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        if any(entry["times"].get(verb) for verb in WAVE_VERBS) or entry.get("wave"):
            groups[str(entry.get("wave") or entry.get("replaced_by") or entry.get("run"))].append(entry)
    found = [_wave(name, of_wave) for name, of_wave in groups.items()]
    return sorted(found, key=lambda wave: (str(wave["times"].get("began") or "~"), wave["wave"]))


def _wave(name: str, entries: Entries) -> dict[str, Any]:
    by_verb = {verb: sorted(str(at) for one in entries if (at := one["times"].get(verb))) for verb in WAVE_VERBS}
    spans = {verb: {"first": at[0], "last": at[-1], "count": len(at)} for verb, at in by_verb.items() if at}
    every = sorted(at for times in by_verb.values() for at in times)
    return {
        "wave": name,
        "hosts": sorted({str(one["host"]) for one in entries}),
        "certificates": len(entries),
        "failed": sum(one["outcome"] == "failed" for one in entries),
        "times": {"began": every[0], "ended": every[-1]} if every else {},
        "verbs": spans,
    }


def unknowns(entries: Entries, silent_hosts: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Hosts, endpoints and revocations that nobody could see, each with the reason."""
    return [
        *(_nothing_known_of(host) for host in silent_hosts),
        *(unknown for entry in entries for unknown in _unknowns_of(entry)),
    ]


def _nothing_known_of(host: str) -> dict[str, Any]:
    msg = "no certificate is declared for this host, and none was found on it"
    return {"what": "host", "host": host, "name": None, "code": "no_certificate", "msg": msg}


def _unknowns_of(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    known = {"host": entry["host"], "name": entry["name"]}
    error = entry.get("error") or {}
    if error.get("code") == "host_unreachable":
        yield {"what": "host", **known, "code": error["code"], "msg": error.get("msg")}
    seen = {_place(one) for one in (entry.get("proof") or {}).get("checked") or ()}
    for one in entry.get("unseen") or ():
        if _place(one) not in seen:
            yield {"what": "endpoint", **known, **one}
    verdict = entry["before"].get("verdict") or {}
    # Where no endpoint answered, that has been said already; what is short-lived cannot be revoked.
    is_left_unsaid = entry.get("unseen") or entry.get("revocation") or verdict.get("reasons") == ["short_lived"]
    if verdict.get("status") == "unknown" and not is_left_unsaid:
        reasons = ", ".join(map(str, verdict.get("reasons") or ())) or "no reason given"
        code, msg = "unknown_revocation_status", f"its status is unknown: {reasons}"
        yield {"what": "status", **known, "code": code, "msg": msg}


def _place(one: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return one.get("address"), one.get("port"), one.get("server_name")
