# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Predecessors that others serve still: one certificate on many hosts is revoked when the last of them is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Rotation = dict[str, Any]

_Certificate = tuple[str, str]
_Place = tuple[Any, Any, Any]


def withhold(rotations: Iterable[Rotation], seen: Iterable[Mapping[str, Any]] = (), *, hold: bool = False) -> None:
    """Note in ``withheld`` of each proven rotation which hosts still serve its predecessor, if any do.

    :param seen: rotations of hosts that have no part in this run, as they were seen.
    :param hold: withhold all of them, whoever serves them: a later run is to finish.
    """
    own = list(rotations)
    proven = {place for rotation in own for place in _proven(rotation)}
    serving: dict[_Certificate, set[str]] = {}
    for rotation in (*own, *seen):
        for certificate, place in _served(rotation):
            if place not in proven:
                serving.setdefault(certificate, set()).add(str(rotation.get("host")))
    for rotation in own:
        rotation.pop("withheld", None)
        predecessor = rotation.get("predecessor") or {}
        hosts = serving.get((str(predecessor.get("serial")), str(predecessor.get("spki_sha256"))), set())
        # What its own host still serves is a failure of its own, and revoke says so.
        others = sorted(hosts - {str(rotation.get("host"))})
        if rotation.get("proof") and predecessor.get("serial") and (hold or others):
            rotation["withheld"] = {"hosts": others}


def _served(rotation: Mapping[str, Any]) -> Iterator[tuple[_Certificate, _Place]]:
    for entry in rotation.get("served") or ():
        if entry.get("serial"):
            yield (entry["serial"], str(entry.get("spki_sha256"))), _place(entry)


def _proven(rotation: Mapping[str, Any]) -> Iterator[_Place]:
    return (_place(entry) for entry in (rotation.get("proof") or {}).get("checked") or ())


def _place(entry: Mapping[str, Any]) -> _Place:
    return entry.get("address"), entry.get("port"), entry.get("server_name")
