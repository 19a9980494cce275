# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an entry of ``rotate_issuers`` to the issuer it means."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers import internal_ca
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issuer


def _open_acme(name: str, entry: Mapping[str, Any]) -> Issuer:
    """Loaded when it is used: its libraries take 0.4 s to import, which no run without an ACME CA is to wait for."""
    return importlib.import_module(f"{__package__}.acme").open_acme(name, entry)


# One line for each kind, in alphabetical order.
KINDS: dict[str, Callable[[str, Mapping[str, Any]], Issuer]] = {
    "acme": _open_acme,
    "internal_ca": internal_ca.open_internal_ca,
}


def open_issuer(name: str, config: Mapping[str, Any]) -> Issuer:
    """The issuer called ``name`` in ``config``, which is ``rotate_issuers`` whole: ``{name: {type: ..., ...}}``.

    :raises RotationError: ``issuer_unknown``, ``issuer_invalid``, and whatever the issuer itself finds missing.
    """
    if name not in config:
        known = sorted(config)
        raise RotationError(
            "issuer_unknown",
            f"there is no issuer {name!r}; known are: {', '.join(known) or 'none'}",
            remedy="Correct the certificate's issuer, or add it to rotate_issuers.",
            issuer=name,
            known=known,
        )
    entry = config[name]
    if isinstance(entry, Mapping):
        # Of every kind; see ``fallbacks``.
        entry = {key: value for key, value in entry.items() if key != "fallback"}
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise RotationError(
            "issuer_invalid",
            f"the issuer {name!r} has the type {kind!r}; possible are: {', '.join(sorted(KINDS))}",
            remedy="Give the entry of rotate_issuers one of these as its type.",
            issuer=name,
            known=sorted(KINDS),
        )
    return KINDS[kind](name, entry)


def fallbacks(name: str, config: Mapping[str, Any]) -> list[str]:
    """The issuers to try where ``name`` cannot issue, in order: ``fallback`` of its entry. Theirs do not count.

    :raises RotationError: ``issuer_invalid``, ``issuer_unknown``.
    """
    entry = config.get(name)
    given = entry.get("fallback") if isinstance(entry, Mapping) else None
    others = [given] if isinstance(given, str) else given or []
    if not isinstance(others, (list, tuple)) or not all(isinstance(one, str) for one in others):
        raise RotationError("issuer_invalid", f"fallback of the issuer {name!r} is no list of issuers", issuer=name)
    unknown = [one for one in others if one not in config]
    if unknown:
        raise RotationError(
            "issuer_unknown",
            f"the issuer {name!r} falls back on {', '.join(unknown)}, which is not in rotate_issuers",
            remedy="Correct fallback, or add the issuer.",
            issuer=name,
        )
    return [str.__str__(one) for one in others if one != name]
