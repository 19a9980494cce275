# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an entry of ``rotate_issuers`` to the issuer it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers import internal_ca
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issuer

# One line for each kind, in alphabetical order.
KINDS: dict[str, Callable[[str, Mapping[str, Any]], Issuer]] = {
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
