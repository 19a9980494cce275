# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's wall clock as the records spell it: ISO 8601, UTC, whole seconds."""

from __future__ import annotations

from datetime import datetime, timezone

ISO = "%Y-%m-%dT%H:%M:%SZ"


def utc_now() -> datetime:
    """The only place on the host that asks what time it is."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def iso(moment: datetime) -> str:
    """``2026-11-21T01:02:03Z``"""
    return moment.astimezone(timezone.utc).strftime(ISO)


def seconds_between(earlier: str, later: datetime) -> float:
    """Seconds from the ISO time ``earlier`` to ``later``; infinite if ``earlier`` is no such time."""
    try:
        started = datetime.fromisoformat(earlier[:-1] if earlier[19:] == "Z" else "").replace(tzinfo=timezone.utc)
    except ValueError:
        return float("inf")
    return (later - started).total_seconds()
