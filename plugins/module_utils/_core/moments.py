# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time as they stand in rotations: ISO 8601, UTC, whole seconds, ``2026-11-21T01:02:03Z``."""

from __future__ import annotations

import functools
from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError


@functools.lru_cache(maxsize=4096)
def as_text(moment: datetime) -> str:
    """``moment`` (aware) in UTC."""
    return moment.astimezone(timezone.utc).isoformat()[:19] + "Z"


def from_text(text: str) -> datetime:
    """The moment that ``text`` names; without a zone it is meant in UTC. RotationError ``time_invalid``."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as exc:
        raise RotationError(
            "time_invalid",
            f"{text!r} is not a time in ISO 8601.",
            remedy="Write it like 2026-11-21T01:02:03Z.",
            text=text,
        ) from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
