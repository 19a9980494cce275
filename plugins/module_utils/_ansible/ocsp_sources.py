# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OCSP responders say: those that a certificate names, asked, and responses given or stapled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._ansible.downloads import (
    Downloads,
    Span,
    fetched_from,
    reason_of,
)
from ansible_collections.certops.rotation.plugins.module_utils._ansible.question import Question
from ansible_collections.certops.rotation.plugins.module_utils._core import ocsp
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import ocsp_urls
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    SourceKind,
    no_answer,
)

# What a responder that knows only SHA-1 CertIDs answers to a SHA-256 one (RFC 9919 section 3.1 keeps SHA-1 for these).
_WORTH_SHA1 = frozenset({Reason.RESPONDER_ERROR, Reason.OTHER_CERTIFICATE, Reason.RESPONDER_SAYS_UNKNOWN})

DelegateStatus = Callable[[x509.Certificate, Question], RevocationStatus]


@dataclasses.dataclass(frozen=True)
class OcspAnswer:
    """A judged response, and its bytes if there were any."""

    finding: Finding
    response: bytes | None = None


class OcspSources:
    """Thread-safe."""

    def __init__(self, downloads: Downloads, policy: RevocationPolicy, delegate_status: DelegateStatus) -> None:
        self._downloads = downloads
        self._policy = policy
        self._delegate_status = delegate_status

    def answers(self, question: Question, algorithms: Sequence[str]) -> Iterator[OcspAnswer]:
        """Answers of the certificate's responders, each asked with the first hash, and with the next if it refuses."""
        for url in ocsp_urls(question.certificate):
            for algorithm in algorithms:
                answer = self._answer(url, question, algorithm)
                yield answer
                if not _WORTH_SHA1.intersection(answer.finding.reasons):
                    break

    def judge(self, response: bytes, question: Question, source: Source) -> Finding:
        """What a response, fetched, given or stapled, says."""
        return ocsp.judge_ocsp(
            response,
            leaf=question.certificate,
            issuer=question.issuer,
            at=question.at,
            policy=self._policy,
            source=source,
            delegate_status=lambda delegate: self._delegate_status(delegate, question),
        )

    def _answer(self, url: str, question: Question, algorithm: str) -> OcspAnswer:
        request = ocsp.build_request(question.certificate, question.issuer, algorithm)
        answer = self._ask(url, request, question, fresh=False)
        if Reason.STALE in answer.finding.reasons and answer.response is not None:
            # RFC 9919 section 7: a cache on the way may be the reason, so ask past it, once.
            return self._ask(url, request, question, fresh=True)
        return answer

    def _ask(self, url: str, request: bytes, question: Question, *, fresh: bool) -> OcspAnswer:
        get_url = ocsp.get_url(url, request)
        source = Source(SourceKind.OCSP, url, "POST" if get_url is None else "GET")
        try:
            fetched = self._downloads.ask(
                get_url or url,
                None if get_url else request,
                fresh=fresh,
                check=lambda response: self._span(response, question, source),
            )
        except RotationError as error:
            # A refusal may be about the hash of the CertID; silence is not.
            reason = Reason.RESPONDER_ERROR if error.facts.get("status") else reason_of(error)
            return OcspAnswer(no_answer(question.serial, source, reason, f"{error.code}: {error.message}"))
        return OcspAnswer(self.judge(fetched.body, question, fetched_from(source, fetched)), fetched.body)

    def _span(self, response: bytes, question: Question, source: Source) -> Span | None:
        """Only what says good or revoked is kept: what is not known now may be known in a minute."""
        finding = self.judge(response, question, source)
        this_update, next_update = finding.evidence.this_update, finding.evidence.next_update
        if finding.status is RevocationStatus.UNKNOWN or this_update is None or next_update is None:
            return None
        return Span(this_update, next_update)
