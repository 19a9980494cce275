# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after: what is another than it was, when it began with a change of firewall, resolver or chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import (
    Seen,
    certificates,
    client_view,
    entries,
    host_name,
    host_view,
    place,
)


def snapshot(rotation: Seen) -> dict[str, dict[str, str]]:
    """What can change unnoticed, in words that can be compared: reachability, resolution, chain, staple."""
    known = certificates(rotation)
    return {
        "reachability": dict(_reachability(rotation)),
        "resolution": dict(_resolution(rotation)),
        "chain": {place(one): _chain(known[one["sha256"]]) for one in entries(rotation) if one.get("sha256")},
        "staple": {place(one): _staples(one) for one in entries(rotation) if one.get("sha256")},
    }


def changes(before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> list[str]:
    """One sentence for each difference; what was looked at once only is no change."""
    found = []
    for theme, seen in now.items():
        earlier = before.get(theme) or {}
        for what, word in seen.items():
            if what in earlier and earlier[what] != word:
                found.append(f"{theme} of {what}: was {earlier[what]}, is {word}")
    return found


def _reachability(rotation: Seen) -> Iterator[tuple[str, str]]:
    for entry in entries(rotation):
        yield place(entry), "reached" if entry.get("sha256") else str(entry["error"]["code"])
    for view, where in ((client_view(rotation), CONTROL_NODE), (host_view(rotation), host_name(rotation))):
        for source in view.get("sources") or ():
            yield f"{source['url']} from {where}", str(source["code"])


def _resolution(rotation: Seen) -> Iterator[tuple[str, str]]:
    addresses: dict[str, set[str]] = {}
    for entry in entries(rotation):
        addresses.setdefault(str(entry["asked"]), set()).add(str(entry["address"]))
    for name, found in addresses.items():
        yield name, " ".join(sorted(found))
    resolvers = host_view(rotation).get("resolvers")
    if resolvers is not None:
        yield f"name servers of {host_name(rotation)}", " ".join(resolvers) or "none"


def _chain(one: Mapping[str, Any]) -> str:
    error = (one.get("chain_error") or {}).get("code")
    return f"{one['chain_length']} certificate(s) from {one['serial']}" + (f", {error}" if error else "")


def _staples(entry: Seen) -> str:
    """How many handshakes went without one is chance; whether all or none did is not."""
    words = sorted({"absent" if one is None else str(one["status"]) for one in entry["staples"]})
    return " and ".join(words) or "not looked at"
