# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report in words that its formats share. Names and messages come from hosts, CAs and inventories: trust none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

METRIC_NAMES = {
    "time_to_inventory": "Time to inventory",
    "time_to_reissue": "Time to reissue",
    "time_to_serve": "Time to serve",
    "time_to_revoke_accepted": "Time to revoke accepted",
    "time_to_revocation_visible": "Time to revocation visible",
}
# In the order in which a reader wants to know of them.
OUTCOMES = (
    "failed", "stopped", "undecided", "to_rotate", "to_repair", "to_finish", "rotated", "repaired", "finished", "kept",
)  # fmt: skip

# Controls, line separators, and what turns the direction of writing: they could make a text look like another one.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_MOST_NAMED = 10


def visible(value: Any) -> str:
    """``value`` as text of one line, in which every character can be seen."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", "" if value is None else str(value))


def title(report: Mapping[str, Any]) -> str:
    incident = report.get("incident")
    if not incident:
        return f"Certificate rotation {report['run']}"
    drill = " (drill)" if (incident.get("subject") or {}).get("drill") else ""
    return f"Incident {incident['name']}{drill}"


def subject_text(subject: Mapping[str, Any]) -> str:
    """What an incident is about, in a line."""
    words = [str(subject.get("kind") or "not said")]
    for name, noun in (("spki_sha256", "key SHA-256"), ("serials", "serial")):
        listed = subject.get(name) or ()
        values = [listed] if isinstance(listed, str) else list(listed)
        words += [f"{noun} {value}" for value in values[:_MOST_NAMED]]
        words += [f"and {len(values) - _MOST_NAMED} more"] if len(values) > _MOST_NAMED else []
    words += [f"issued by {subject['issuer']}"] if subject.get("issuer") else []
    words += [f"reason {subject['reason']}"] if subject.get("reason") else []
    return visible(", ".join(words))


def span(seconds: Any) -> str:
    """A time span for people: ``45 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if seconds is None:
        return "–"
    left = round(seconds)
    if left < 60:
        return f"{left} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for unit, size in units:
        number, left = divmod(left, size)
        parts.append((number, unit))
    first = next(index for index, (number, _unit) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


def outcome_counts(report: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Outcomes and how many have them, those first that need a person."""
    counts: Mapping[str, int] = report["counts"]
    known = [name for name in OUTCOMES if counts.get(name)]
    return [(name, counts[name]) for name in [*known, *sorted(set(counts) - set(OUTCOMES))]]


def revocation_lines(report: Mapping[str, Any]) -> list[str]:
    """What became of the predecessors, by whose right, and where it was seen."""
    names = {"state": "predecessors", "by": "revoked by right of", "seen_in": "revocation seen in"}
    lines = []
    for name, text in names.items():
        counts = [
            f"{visible(word).replace('_', ' ')} ({number})" for word, number in report["revocations"][name].items()
        ]
        if counts:
            lines.append(f"{text}: {', '.join(counts)}")
    return lines


def grouped(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Failures or unknowns that are the same but for the place: the first of each kind, and all its places."""
    groups: dict[tuple[Any, Any, Any], dict[str, Any]] = {}
    for one in found:
        key = (one.get("what"), one.get("step"), one.get("code"))
        group = groups.setdefault(key, {**one, "places": []})
        group["places"].append(place(one))
    return sorted(groups.values(), key=lambda group: -len(group["places"]))


def place(one: Mapping[str, Any]) -> str:
    """Where something failed or could not be seen."""
    where = str(one.get("host")) + (f"/{one['name']}" if one.get("name") else "")
    if one.get("address"):
        where += f" at {one['address']} port {one.get('port')}"
        where += f" as {one['server_name']}" if one.get("server_name") else ""
    return visible(where)
