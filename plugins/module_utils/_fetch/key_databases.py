# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking public databases about a key: crt.sh, Cert Spotter, pwnedkeys. Best effort, and never in doubt about which:
whoever did not answer is said not to have answered, which is no kind of "nothing found".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.pwned_attestation import verify_attestation
from ansible_collections.certops.rotation.plugins.module_utils._core.transparency import (
    LoggedCertificate,
    certspotter_url,
    crt_sh_url,
    read_certspotter,
    read_crt_sh,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.answer_cache import AnswerCache
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetcher

_MOST_PAGES = 50
_MOST_BYTES = 32 << 20


@dataclass
class Answer:
    """What one database said."""

    source: str
    state: str = "answered"
    """answered, partly (some of it), or not_answered"""
    asked: list[str] = field(default_factory=list)
    """URLs"""
    at: datetime | None = None
    """When it was said: the oldest of what came from the cache"""
    is_cached: bool = False
    error: RotationError | None = None
    certificates: list[LoggedCertificate] = field(default_factory=list)
    is_known: bool | None = None
    """pwnedkeys: whether the key is known to others; None where that is not known"""
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As it stands in results."""
        return {
            "source": self.source,
            "state": self.state,
            "asked": self.asked,
            "at": as_text(self.at) if self.at else None,
            "is_cached": self.is_cached,
            "error": self.error.as_result() if self.error else None,
            "certificates": [one.as_dict() for one in self.certificates],
            "is_known": self.is_known,
            "detail": self.detail,
        }


class KeyDatabases:
    """The databases, asked through one cache. No method raises: what failed is in the answer."""

    def __init__(self, http: Fetcher, cache: AnswerCache) -> None:
        self._http = http
        self._cache = cache

    def crt_sh(self, base_url: str, spki_sha256: str) -> Answer:
        """All certificates with the key, expired ones too."""
        answer = Answer("crt_sh")
        try:
            body = self._get(answer, crt_sh_url(base_url, spki_sha256))
            answer.certificates = read_crt_sh(body, base_url)
            self._keep(answer, body)
        except RotationError as error:
            _failed(answer, error)
        return answer

    def certspotter(self, base_url: str, spki_sha256: str, domains: Sequence[str], token: str | None) -> Answer:
        """Unexpired certificates with the key among those for ``domains`` and names below them."""
        answer = Answer("certspotter")
        if not domains:
            _failed(answer, RotationError("no_domain", "Cert Spotter is asked by domain, and no public one is known"))
        try:
            for domain in domains:
                self._domain(answer, base_url, spki_sha256, domain, token)
        except RotationError as error:
            _failed(answer, error)
        return answer

    def pwnedkeys(self, base_url: str, spki_sha256: str, public_key: Any) -> Answer:
        """Whether the key is known to others; believed only if the key itself signed that. Always asked anew."""
        answer = Answer("pwnedkeys", at=datetime.now(timezone.utc))
        answer.asked.append(f"{base_url.rstrip('/')}/{spki_sha256}")
        try:
            body = self._http.get(answer.asked[-1], max_bytes=1 << 20).body
            if public_key is None:
                answer.detail = "listed; without the public key the proof cannot be verified"
                return answer
            verify_attestation(body, public_key, spki_sha256)
            answer.is_known, answer.detail = True, "the key itself signed that it is known to others"
        except RotationError as error:
            if error.facts.get("status") == 404:
                answer.is_known = False
            else:
                _failed(answer, error)
        return answer

    def _domain(self, answer: Answer, base_url: str, spki_sha256: str, domain: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        after: str | None = None
        for _page in range(_MOST_PAGES):
            body = self._get(answer, certspotter_url(base_url, domain, after), headers)
            found, after = read_certspotter(body, spki_sha256)
            self._keep(answer, body)
            answer.certificates += [one for one in found if one not in answer.certificates]
            if after is None:
                return
        raise RotationError("too_many_answers", f"Cert Spotter has more than {_MOST_PAGES} pages about {domain}")

    def _get(self, answer: Answer, url: str, headers: dict[str, str] | None = None) -> bytes:
        """The body, from the cache or the network."""
        answer.asked.append(url)
        kept = self._cache.get(url, now=datetime.now(timezone.utc))
        if kept is not None:
            answer.is_cached = True
            answer.at = min(answer.at or kept.at, kept.at)
            return kept.body
        answer.at = answer.at or datetime.now(timezone.utc)
        return self._http.get(url, headers=headers, max_bytes=_MOST_BYTES).body

    def _keep(self, answer: Answer, body: bytes) -> None:
        """Only what could be read is worth keeping; what was kept before does not get younger."""
        if not self._cache.get(answer.asked[-1], now=datetime.now(timezone.utc)):
            self._cache.put(answer.asked[-1], body)


def _failed(answer: Answer, error: RotationError) -> None:
    answer.error = answer.error or error
    # What was found before the failure is still found.
    answer.state = "partly" if answer.certificates else "not_answered"
