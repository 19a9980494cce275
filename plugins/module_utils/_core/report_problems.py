# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a report means that the work is not done: failures, what nobody could see, and what is left to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

KINDS = ("failed", "unknown", "unfinished")

_DONE = frozenset({"rotated", "repaired", "finished", "kept"})
_LEFT = "left_to_the_fleet"


def problems(report: Mapping[str, Any], kinds: Collection[str]) -> list[str]:
    """A sentence for each problem of these ``kinds``."""
    found = {"failed": _failed, "unknown": _unknown, "unfinished": _unfinished}
    return [text for kind in KINDS if kind in kinds for text in found[kind](report)]


def _failed(report: Mapping[str, Any]) -> Iterator[str]:
    for one in report["failures"]:
        text = f"{one['host']}/{one['name']}: {one['step']}: {one['msg']} ({one['code']}) {one.get('remedy') or ''}"
        yield text.rstrip()


def _unknown(report: Mapping[str, Any]) -> Iterator[str]:
    for one in report["unknowns"]:
        yield f"{one['host']}/{one.get('name') or '-'}: unknown {one['what']}: {one['msg']} ({one['code']})"


def _unfinished(report: Mapping[str, Any]) -> Iterator[str]:
    """A failure has been told as such."""
    for entry in report["rotations"]:
        where, outcome = f"{entry['host']}/{entry['name']}", entry["outcome"]
        if outcome == "failed":
            continue
        reasons = entry["decision"].get("reasons") or ()
        if outcome not in _DONE or any(one["code"] == _LEFT for one in reasons):
            why = "; ".join(one["text"] for one in reasons)
            yield f"{where}: {outcome.replace('_', ' ')}" + (f" ({why})" if why else "")
        elif (entry.get("revocation") or {}).get("state") == "waiting":
            yield f"{where}: its predecessor {entry['revocation'].get('serial')} is not revoked yet"
