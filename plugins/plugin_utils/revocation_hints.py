# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA that has revoked a certificate says so by a renewal window in the past (RFC 9773 section 4.2).

A sign, no proof: nobody signs it, and a window passes by itself, too. So it only counts where the last hint before
the revocation was another, and CRL and OCSP decide wherever a certificate names any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.ari import RenewalHint, read_hint
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import HintsAtRenewal
from ansible_collections.certops.rotation.plugins.plugin_utils.issuer_of_predecessor import (
    issuer_of_predecessor,
    predecessor_certificate,
)

_AT_ONCE = 16
# With these, the next question would only take time.
_SILENCE = frozenset({"acme_timeout", "acme_unreachable", "acme_unavailable", "acme_tls_failed", "acme_rate_limited"})

Sign = dict[str, Any]
"""As in ``revocation.seen_in``."""


def signs_of_revocation(rotations: Sequence[Mapping[str, Any]], issuers: OpenIssuers) -> list[Sign | None]:
    """For each rotation what its predecessor's CA hints at, asked anew, once; None where that is nothing.

    A CA that does not answer is no failure; one that cannot be reached is not asked for the others.
    """
    silent: set[str] = set()

    def ask(rotation: Mapping[str, Any]) -> Sign | None:
        name = None
        try:
            name, issuer = issuer_of_predecessor(rotation, issuers)
            if name in silent or not isinstance(issuer, HintsAtRenewal):
                return None
            at = datetime.now(timezone.utc)
            answer = issuer.renewal_hint_now(predecessor_certificate(rotation), at=at)
        except RotationError as error:
            if name and error.code in _SILENCE:
                silent.add(name)
            return None
        return sign_of(*answer, earlier=_earlier(rotation), at=at) if answer else None

    if not rotations:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE, len(rotations))) as pool:
        return list(pool.map(ask, rotations))


def sign_of(hint: RenewalHint, url: str, *, earlier: RenewalHint | None, at: datetime) -> Sign | None:
    """A window wholly in the past, unless there was one before the revocation."""
    if not hint.is_past(at) or (earlier is not None and earlier.is_past(at)):
        return None
    return {"kind": "ari", "url": url, "at": as_text(at)}


def _earlier(rotation: Mapping[str, Any]) -> RenewalHint | None:
    """What the CA said when it was decided to rotate; None where that is not known."""
    try:
        sha256 = certificate_facts(predecessor_certificate(rotation)).sha256
        known = (rotation.get("renewal_hints") or {}).get(sha256)
        return read_hint({"suggestedWindow": known["window"]}) if known else None
    except (RotationError, LookupError, TypeError):
        return None
