# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that several hosts use: what leaks on one of them is leaked for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_MOST_HOSTS_TOLD = 3
_MOST_KEYS_TOLD = 10


def shared_keys(seen: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Keys in use on several hosts, those on most of them first, with the serials of their certificates.

    :param seen: a host, and what is used there: ``spki_sha256`` and ``serial``, if there is a certificate.
    """
    # Dictionaries, not sets: the order is that of the fleet.
    used: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for host, one in seen:
        if one.get("spki_sha256") and one.get("serial"):
            hosts, serials = used.setdefault(one["spki_sha256"], ({}, {}))
            hosts[host] = serials[one["serial"]] = None
    found = [
        {"spki_sha256": key, "hosts": list(hosts), "serials": list(serials)}
        for key, (hosts, serials) in used.items()
        if len(hosts) > 1
    ]
    return sorted(found, key=lambda one: -len(one["hosts"]))


def shared_as_lines(shared: list[dict[str, Any]]) -> list[str]:
    """The same for people."""
    lines = [_line(one["spki_sha256"], one["hosts"], one["serials"]) for one in shared[:_MOST_KEYS_TOLD]]
    more = len(shared) - len(lines)
    return [*lines, f"and {more} more keys that several hosts use"] if more else lines


def _line(key: str, hosts: list[str], serials: list[str]) -> str:
    further = f" and {len(hosts) - _MOST_HOSTS_TOLD} more" if len(hosts) > _MOST_HOSTS_TOLD else ""
    what = f"certificate {serials[0]}" if len(serials) == 1 else f"{len(serials)} certificates"
    return f"{len(hosts)} hosts use one key, {key} ({what}): {', '.join(hosts[:_MOST_HOSTS_TOLD])}{further}"
