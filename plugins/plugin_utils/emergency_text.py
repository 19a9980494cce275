# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of an emergency in a few sentences, for whoever has to say yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.emergency import Standing, Subject

_MOST_NAMED = 10


@dataclass(frozen=True)
class Outlook:
    """What is known before anything is touched."""

    incident: str
    subject: Subject
    standing: Standing
    counts: Mapping[str, int]
    orders: Mapping[str, int]
    certificates: Mapping[str, Sequence[str]]
    """By SHA-256, the hosts that use it"""
    denied: Sequence[str]
    seconds: int
    over_budget: Mapping[str, str]
    """By issuer, what it will not give"""


def as_lines(outlook: Outlook) -> list[str]:
    """What is meant, who is concerned, who is not ready or not known, what it will cost."""
    counts, found = outlook.counts, outlook.standing
    lines = [
        f"incident {outlook.incident}: {_what(outlook.subject)}, to be revoked for {outlook.subject.reason}",
        f"{counts['hosts']} hosts are concerned, with {counts['certificates']} certificates;"
        f" {counts['not_affected']} hosts are not",
    ]
    shared = [hosts for hosts in outlook.certificates.values() if len(hosts) > 1]
    if shared:
        most = max(len(hosts) for hosts in shared)
        lines.append(f"{len(shared)} of the certificates are on several hosts, one of them on {most}")
    lines += _named("not ready, and left for the next run", found.not_ready)
    lines += _named("not known whether concerned", found.unknown)
    if outlook.denied:
        lines.append(f"{len(outlook.denied)} keys were added to the deny list")
    if found.ready:
        orders = ", ".join(f"{number} from {issuer}" for issuer, number in sorted(outlook.orders.items()))
        lines.append(f"{len(found.ready)} hosts are to be rotated now, which takes {orders or 'no'} new certificates")
        lines.append(f"about {_duration(outlook.seconds)}, if they are as quick as ours were")
    return [*lines, *outlook.over_budget.values()]


def _what(subject: Subject) -> str:
    if subject.kind == "all":
        return "every certificate"
    if subject.kind == "ca":
        return f"every certificate of {', '.join(subject.authorities)}"
    if subject.kind == "serial":
        return f"serial {_some(sorted(subject.serials))}"
    keys = sorted(subject.spki_sha256)
    return f"key {_some(keys)}" if keys else f"certificate {_some(sorted(subject.certificates))}"


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:3]) + (f" and {len(values) - 3} more" if values[3:] else "")


def _named(what: str, hosts: Mapping[str, Any]) -> list[str]:
    if not hosts:
        return []
    shown = [f"  {host}: {why}" for host, why in list(hosts.items())[:_MOST_NAMED]]
    more = [f"  and {len(hosts) - _MOST_NAMED} more"] if len(hosts) > _MOST_NAMED else []
    return [f"{len(hosts)} {what}:", *shown, *more]


def _duration(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
