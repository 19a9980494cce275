# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an emergency is about: keys, serial numbers and certificates that have to go, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_LISTS = ("spki_sha256", "serials", "certificates")
_TEXT = {
    "spki_sha256": "its key {0}… is one of those that have to go",
    "serials": "{1} is one of the serial numbers that have to go",
    "certificates": "{1} is one of the certificates that have to go",
}


@dataclass(frozen=True)
class Affected:
    """Sets of lower-case hex. A pair is affected if any of them has it."""

    spki_sha256: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()
    """SHA-256 of whole certificates"""
    reason: str = "keyCompromise"
    """What they are revoked for, a CRLReason (RFC 5280 5.3.1)"""

    def why(self, *, spki_sha256: str | None, serial: str | None, sha256: str | None = None) -> str | None:
        """Why a pair with these has to go, in words; None: it is not affected."""
        for name, value in (("spki_sha256", spki_sha256), ("serials", serial), ("certificates", sha256)):
            if value is not None and value in getattr(self, name):
                return _TEXT[name].format(str(spki_sha256)[:16], serial)
        return None

    def as_dict(self) -> dict[str, Any]:
        """As the option ``affected`` of a policy."""
        return {**{name: sorted(getattr(self, name)) for name in _LISTS}, "reason": self.reason}


def affected_from(option: Mapping[str, Any] | None) -> Affected | None:
    """None for an empty option. RotationError ``policy_invalid``."""
    if not option:
        return None
    unknown = sorted(set(option) - {*_LISTS, "reason"})
    if unknown or any(not isinstance(option.get(name) or [], (list, tuple)) for name in _LISTS):
        raise RotationError(
            "policy_invalid",
            f"affected holds the lists {', '.join(_LISTS)}, and reason" + (f", not {unknown[0]}" if unknown else ""),
            remedy="Give what emergency_plan returned.",
        )
    lists = {name: frozenset(str(one).lower() for one in option.get(name) or ()) for name in _LISTS}
    return Affected(**lists, reason=str(option.get("reason") or "keyCompromise"))
