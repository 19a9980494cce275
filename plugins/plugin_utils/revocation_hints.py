# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA that has revoked a certificate says so by a renewal window in the past (RFC 9773 section 4.2).

A sign, no proof: nobody signs it, and a window passes by itself, too. So it only counts where the last hint before
the revocation was another, and CRL and OCSP decide wherever a certificate names any.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
# These pass, if anything does while somebody waits.
_MAY_PASS = frozenset({"acme_timeout", "acme_unavailable", "acme_server_internal"})
_GROWTH, _LONGEST_PAUSE = 2.0, 15.0

Sign = dict[str, Any]
"""As in ``revocation.seen_in``."""


@dataclass(frozen=True)
class Told:
    """What a CA has said about one certificate."""

    sign: Sign | None = None
    may_come: bool = False
    """No sign yet; asked later, there may be one."""


class HintWatch:
    """Asks the CAs of predecessors for signs of their revocation, again and again, and each time after a longer pause.

    The interval that a CA wants between two questions (RFC 9773 section 4.3.1) is for those who wait for a renewal. It
    is hours, nobody could wait for a revocation by it, so it is a handful of questions here. A CA that limits them is
    not asked again.
    """

    def __init__(self, issuers: OpenIssuers, *, pause: float) -> None:
        self._issuers = issuers
        self._pause = pause
        self._next = 0.0
        self._given_up: set[str] = set()

    def ask_in_turn(self, rotations: Sequence[Mapping[str, Any]], *, at_once: bool) -> list[Told] | None:
        """As ``ask``, for those that are asked about again; None while it is too soon for that and not ``at_once``."""
        if not at_once and time.monotonic() < self._next:
            return None
        told = self.ask(rotations)
        self._next = time.monotonic() + self._pause
        self._pause = max(self._pause, min(self._pause * _GROWTH, _LONGEST_PAUSE))
        return told

    def ask(self, rotations: Sequence[Mapping[str, Any]]) -> list[Told]:
        """For each rotation what its predecessor's CA hints at now. A CA that does not answer is no failure.

        One that is down is not asked for the others, and one that cannot be asked at all not again either.
        """
        if not rotations:
            return []
        silent = set(self._given_up)
        with ThreadPoolExecutor(min(_AT_ONCE, len(rotations))) as pool:
            return list(pool.map(lambda rotation: self._told(rotation, silent), rotations))

    def _told(self, rotation: Mapping[str, Any], silent: set[str]) -> Told:
        name = ""
        try:
            name, issuer = issuer_of_predecessor(rotation, self._issuers)
            if not isinstance(issuer, HintsAtRenewal) or name in self._given_up:
                return Told()
            if name in silent:
                return Told(may_come=True)
            at = datetime.now(timezone.utc)
            answer = issuer.renewal_hint_now(predecessor_certificate(rotation), at=at)
        except RotationError as error:
            if error.code in _SILENCE:
                silent.add(name)
                if error.code not in _MAY_PASS:
                    self._given_up.add(name)
            return Told(may_come=error.code in _MAY_PASS)
        if answer is None:
            return Told()
        sign = sign_of(*answer, earlier=_earlier(rotation), at=at)
        # A window that has passed once shows nothing, now and later.
        return Told(sign, may_come=sign is None and not answer[0].is_past(at))


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
