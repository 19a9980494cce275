# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the world can see that a certificate is revoked: each source that it names, verified like any client would."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Prefer,
    RevocationPolicy,
    RevocationStatus,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetched, Fetcher


@dataclasses.dataclass(frozen=True)
class Sight:
    """What one look has shown about one certificate."""

    seen_in: list[dict[str, Any]]
    """As in ``revocation.seen_in``."""
    missing: list[str]
    """Sources that the certificate names, and that do not show it."""

    @property
    def has_no_source(self) -> bool:
        """The certificate names none: only its CA could say something."""
        return not self.missing and not self.seen_in


class _PastCaches:
    """A cache on the way must not make a revocation look later than it is."""

    def __init__(self, http: Fetcher) -> None:
        self._http = http

    def get(self, url: str, *, headers: Any = None, max_bytes: int | None = None) -> Fetched:
        return self._http.get(url, headers={**(headers or {}), "Cache-Control": "no-cache"}, max_bytes=max_bytes)

    def post(self, url: str, body: bytes, *, headers: Any = None, max_bytes: int | None = None) -> Fetched:
        return self._http.post(url, body, headers=headers, max_bytes=max_bytes)


def sight(http: Fetcher, anchors: Sequence[x509.Certificate]) -> Callable[[str], Sight]:
    """A look at chains (PEM), all with the same fresh memory: each CRL is fetched once."""
    policy = RevocationPolicy(prefer=Prefer.BOTH, judge_issuers=False)
    judging = Judging(http=_PastCaches(http), policy=policy, anchors=anchors)
    return lambda chain_pem: _look(judging, read_certificates(chain_pem.encode(), "the predecessor's chain"))


def _look(judging: Judging, chain: Sequence[x509.Certificate]) -> Sight:
    at = datetime.now(timezone.utc)
    facts = certificate_facts(chain[0])
    verdict = judging.verdict(chain, at=at)
    shown = [
        one.source
        for one in verdict.evidence
        if one.serial == facts.serial and one.status is RevocationStatus.REVOKED and one.source.url
    ]
    places = {(source.kind.value, source.url): None for source in shown}
    named = [("crl", url) for url in facts.crl_urls] + [("ocsp", url) for url in facts.ocsp_urls]
    # Several URLs of one kind are copies of the same: one of them will do.
    kinds_shown = {kind for kind, _url in places}
    return Sight(
        seen_in=[{"kind": kind, "url": url, "at": as_text(at)} for kind, url in places],
        missing=[f"{kind} {url}" for kind, url in named if kind not in kinds_shown],
    )
