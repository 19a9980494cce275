# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OCSP responders say: those that a certificate names, asked, and responses given or stapled."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator, Sequence
from typing import Callable

from ansible_collections.certops.rotation.plugins.module_utils._ansible.downloads import (
    Downloads,
    fetched_from,
    reason_of,
)
from ansible_collections.certops.rotation.plugins.module_utils._ansible.question import Question
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import ocsp_urls
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp import error_status, judge_ocsp
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp_request import (
    NONCE_SIZE,
    build_request,
    get_url,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    SourceKind,
    no_answer,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.keeper import Span

# Signed ways of saying that a CertID means nothing to the responder, as a SHA-256 one does to many.
_SAYS_NOTHING = frozenset({Reason.OTHER_CERTIFICATE, Reason.RESPONDER_SAYS_UNKNOWN})
# Refusals that another hash would not change: what is refused is the moment, or the requester.
_OTHER_REFUSALS = frozenset({"try_later", "sig_required"})
_OTHER_STATUSES = frozenset({401, 407, 408, 429})
_NO_SUCH_METHOD = frozenset({405, 501})

DelegateStatus = Callable[[x509.Certificate, Question], RevocationStatus]


@dataclasses.dataclass(frozen=True)
class OcspAnswer:
    """A judged response, and its bytes if there were any."""

    finding: Finding
    response: bytes | None = None
    http_status: int | None = None
    """where it is another than 200"""

    @property
    def may_be_about_the_hash(self) -> bool:
        """Could it be that the responder knows the certificate by the CertID of another hash?"""
        if self.http_status is not None:
            return 400 <= self.http_status < 500 and self.http_status not in _OTHER_STATUSES
        if Reason.RESPONDER_ERROR in self.finding.reasons and self.response is not None:
            return error_status(self.response) not in _OTHER_REFUSALS
        return bool(_SAYS_NOTHING.intersection(self.finding.reasons))


class OcspSources:
    """Thread-safe."""

    def __init__(
        self,
        downloads: Downloads,
        policy: RevocationPolicy,
        delegate_status: DelegateStatus,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._downloads = downloads
        self._policy = policy
        self._delegate_status = delegate_status
        self._random_bytes = random_bytes

    def answers(self, question: Question, algorithms: Sequence[str]) -> Iterator[OcspAnswer]:
        """Answers of the certificate's responders, each asked with the first hash, and with the next if it refuses."""
        for url in ocsp_urls(question.certificate):
            for algorithm in algorithms:
                answer = self._answer(url, question, algorithm)
                yield answer
                if not answer.may_be_about_the_hash:
                    break

    def judge(self, response: bytes, question: Question, source: Source, nonce: bytes | None = None) -> Finding:
        """What a response, fetched, given or stapled, says."""
        return judge_ocsp(
            response,
            leaf=question.certificate,
            issuer=question.issuer,
            at=question.at,
            policy=self._policy,
            source=source,
            delegate_status=lambda delegate: self._delegate_status(delegate, question),
            nonce=nonce,
        )

    def _answer(self, url: str, question: Question, algorithm: str) -> OcspAnswer:
        answer = self._ask(url, question, algorithm, fresh=False)
        has_expired = Reason.STALE in answer.finding.reasons and answer.finding.status is RevocationStatus.UNKNOWN
        if not has_expired or answer.response is None:
            return answer
        # RFC 9919 section 7.2: a cache on the way may be the reason, so ask past it, once.
        again = self._ask(url, question, algorithm, fresh=True)
        return answer if again.response is None else again

    def _ask(self, url: str, question: Question, algorithm: str, *, fresh: bool) -> OcspAnswer:
        nonce = self._random_bytes(NONCE_SIZE) if self._policy.nonce else None
        request = build_request(question.certificate, question.issuer, algorithm, nonce=nonce)
        long_url = get_url(url, request)
        exchange = _Exchange(question, url, nonce, fresh)
        if long_url is None:
            return self._send(exchange, url, request)
        answer = self._send(exchange, long_url, None)
        if answer.http_status in _NO_SUCH_METHOD:
            return self._send(exchange, url, request)
        return answer

    def _send(self, exchange: _Exchange, url: str, body: bytes | None) -> OcspAnswer:
        question = exchange.question
        source = Source(SourceKind.OCSP, exchange.url, "GET" if body is None else "POST")
        check = (lambda response: self._span(response, question, source)) if exchange.nonce is None else None
        try:
            fetched = self._downloads.ask(url, body, fresh=exchange.fresh, check=check)
        except RotationError as error:
            finding = no_answer(question.serial, source, reason_of(error), f"{error.code}: {error.message}")
            return OcspAnswer(finding, http_status=error.facts.get("status"))
        finding = self.judge(fetched.body, question, fetched_from(source, fetched), exchange.nonce)
        return OcspAnswer(finding, fetched.body)

    def _span(self, response: bytes, question: Question, source: Source) -> Span | None:
        """Only what says good or revoked is kept: what is not known now may be known in a minute."""
        finding = self.judge(response, question, source)
        this_update, next_update = finding.evidence.this_update, finding.evidence.next_update
        if finding.status is RevocationStatus.UNKNOWN or this_update is None or next_update is None:
            return None
        return Span(this_update, next_update)


@dataclasses.dataclass(frozen=True)
class _Exchange:
    """What is asked of whom, whatever the method."""

    question: Question
    url: str
    nonce: bytes | None
    fresh: bool
