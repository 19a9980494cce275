# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator wants: when a certificate is due, what unknown means, which keys are denied, what is forced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.affected import Affected, affected_from
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(d|h|m|%)\Z")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
ON_UNKNOWN = ("warn", "fail", "rotate")
REVOCATION_REASONS = (
    "unspecified",
    "keyCompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
)


@dataclass(frozen=True)
class PlanPolicy:
    """When and why certificates are rotated."""

    renew_before: timedelta | float = 1 / 3
    """A time before the end, or the fraction of the lifetime that remains, from which on a certificate is due."""
    on_unknown: str = "warn"
    force: frozenset[str] | bool = False
    """True for all, or names: ``shop``, or ``web1/shop`` for that of one host."""
    force_reason: str = "superseded"
    deny_list: frozenset[str] = frozenset()
    affected: Affected | None = None
    """In an emergency, what has to go; nothing else is touched."""
    issuer_instead: Mapping[str, str] = field(default_factory=dict)
    """By name of an issuer, the one that a rotation is ordered from in its place."""
    leave_shared: bool = False
    """Whether a key that hosts share is left to another run, because this one does not see all of them."""

    def is_forced(self, rotation: Mapping[str, Any]) -> bool:
        if isinstance(self.force, bool):
            return self.force
        name = str(rotation.get("name"))
        return name in self.force or f"{rotation.get('host')}/{name}" in self.force

    def due_from(self, lifetime: timedelta) -> timedelta:
        """How long before its end a certificate of this lifetime is due."""
        if isinstance(self.renew_before, timedelta):
            return self.renew_before
        return lifetime * self.renew_before


def policy_from(options: Mapping[str, Any]) -> PlanPolicy:
    """The policy as options say it. RotationError ``policy_invalid``."""
    known = {one.name for one in fields(PlanPolicy)}
    unknown = sorted(set(options) - known)
    if unknown:
        raise _invalid(f"unknown: {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    on_unknown = options.get("on_unknown") or "warn"
    if on_unknown not in ON_UNKNOWN:
        raise _invalid(f"on_unknown is {on_unknown!r}; it is one of {', '.join(ON_UNKNOWN)}")
    reason = options.get("force_reason") or "superseded"
    if reason not in REVOCATION_REASONS:
        raise _invalid(f"force_reason is {reason!r}; it is one of {', '.join(REVOCATION_REASONS)}")
    return PlanPolicy(
        renew_before=renew_before(options.get("renew_before")),
        on_unknown=on_unknown,
        force=_force(options.get("force")),
        force_reason=reason,
        deny_list=deny_list(options.get("deny_list") or ()),
        affected=affected_from(options.get("affected")),
        issuer_instead={str(name): str(other) for name, other in (options.get("issuer_instead") or {}).items()},
        leave_shared=bool(options.get("leave_shared")),
    )


def renew_before(value: object) -> timedelta | float:
    """``0.333`` and ``33%`` are fractions of the lifetime, ``30d`` and ``12h`` times; a number from 1 on means days."""
    if value is None or value == "":
        return 1 / 3
    text = str(value).strip().lower()
    match = _TIME.match(text)
    if match and match[2] != "%":
        return float(match[1]) * _UNITS[match[2]]
    try:
        number = float(match[1]) / 100 if match else float(text)
    except ValueError as exc:
        raise _renew_before_invalid(value) from exc
    if isinstance(value, bool) or not 0 <= number < 36500 or (match and number >= 1):
        raise _renew_before_invalid(value)
    return number if number < 1 else timedelta(days=number)


def deny_list(fingerprints: Iterable[object]) -> frozenset[str]:
    """SHA-256 of public keys in lower-case hex, however they are written. RotationError ``policy_invalid``."""
    found = set()
    for given in fingerprints:
        text = str(given).strip().lower().replace(":", "").removeprefix("sha256")
        if not _SHA256.match(text):
            raise _invalid(f"{str(given)[:80]!r} in deny_list is not a SHA-256 in hex")
        found.add(text)
    return frozenset(found)


def _force(value: object) -> frozenset[str] | bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        lower = value.strip().lower()
        if lower in ("true", "yes", "on", "1"):
            return True
        return frozenset({value.strip()}) if lower not in ("false", "no", "off", "0", "") else False
    if isinstance(value, (list, tuple)):
        return frozenset(str(name) for name in value)
    raise _invalid("force is neither true nor a list of names")


def _renew_before_invalid(value: object) -> RotationError:
    return _invalid(
        f"renew_before is {str(value)[:40]!r}; write a fraction of the lifetime (0.333) or a time (30d, 12h)"
    )


def _invalid(what: str) -> RotationError:
    return RotationError("policy_invalid", f"The policy cannot be used: {what}.", remedy="Correct the option.")
