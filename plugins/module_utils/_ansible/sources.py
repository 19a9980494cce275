# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revocation information from the network, each piece fetched and verified once a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once
from ansible_collections.certops.rotation.plugins.module_utils._core import ocsp
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    ca_issuers_urls,
    certificate_sha256,
    ocsp_urls,
    read_certificates,
    serial_hex,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.crl import VerifiedCrl, judge_crl, verify_crl
from ansible_collections.certops.rotation.plugins.module_utils._core.distribution_point import distribution_points
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
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetched, Fetcher

_MAX_SMALL = 1 << 20  # an OCSP response or a certificate, not a CRL
# What a responder that knows only SHA-1 CertIDs answers to a SHA-256 one (RFC 9919 section 3.1 keeps SHA-1 for these).
_WORTH_SHA1 = frozenset({Reason.RESPONDER_ERROR, Reason.OTHER_CERTIFICATE, Reason.RESPONDER_SAYS_UNKNOWN})


@dataclasses.dataclass(frozen=True)
class Question:
    """Which certificate, certified by whom, judged for when."""

    certificate: x509.Certificate
    issuer: x509.Certificate
    at: datetime

    @property
    def serial(self) -> str:
        return serial_hex(self.certificate.serial_number)


@dataclasses.dataclass(frozen=True)
class OcspAnswer:
    """A judged response, and its bytes if there were any."""

    finding: Finding
    response: bytes | None = None


class Sources:
    """Thread-safe. Failures are remembered too: what did not answer is not asked again in this run."""

    def __init__(self, http: Fetcher, policy: RevocationPolicy) -> None:
        self._http = http
        self._policy = policy
        self._fetched: Once[tuple[str, bytes | None, bool], Fetched] = Once()
        self._crls: Once[tuple[str, str], VerifiedCrl] = Once()
        self._issuers: Once[str, tuple[x509.Certificate, ...]] = Once()

    def issuers_by_pointer(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """What the certificate's caIssuers URLs offer; nothing of it is verified yet."""
        return tuple(found for url in ca_issuers_urls(certificate) for found in self._certificates_at(url))

    def crl_findings(self, question: Question) -> Iterator[Finding]:
        """One finding for each distribution point, from the first of its URLs that gives a usable CRL.

        Lazy: who has enough stops asking.
        """
        for point in distribution_points(question.certificate):
            if point.is_indirect:
                source = Source(SourceKind.CRL, next(iter(point.urls), None))
                yield no_answer(question.serial, source, Reason.UNSUPPORTED_INDIRECT, "the CRL is issued by another CA")
                continue
            if not point.urls:
                source = Source(SourceKind.CRL)
                yield no_answer(question.serial, source, Reason.UNSUPPORTED_POINTER, "a distribution point without URL")
            for url in point.urls:
                finding = self._crl_finding(url, question)
                yield finding
                if finding.evidence.sha256 is not None:
                    break

    def ocsp_answers(self, question: Question, algorithms: Sequence[str] = ("sha256", "sha1")) -> Iterator[OcspAnswer]:
        """Answers of the certificate's responders, each asked with the first hash, and with the next if it refuses."""
        for url in ocsp_urls(question.certificate):
            for algorithm in algorithms:
                answer = self._ocsp_answer(url, question, algorithm)
                yield answer
                if not _WORTH_SHA1.intersection(answer.finding.reasons):
                    break

    def judge_response(self, response: bytes, question: Question, source: Source) -> Finding:
        return ocsp.judge_ocsp(
            response,
            leaf=question.certificate,
            issuer=question.issuer,
            at=question.at,
            policy=self._policy,
            source=source,
            delegate_status=lambda delegate: self._delegate_status(delegate, question),
        )

    def judge_crl_bytes(self, data: bytes, question: Question, source: Source) -> Finding:
        """What a CRL, given or fetched, says; it is verified once for its issuer. ``source`` names the bytes."""
        key = (f"{source.method} {source.url}", certificate_sha256(question.issuer))
        try:
            crl = self._crls.get(key, lambda: verify_crl(data, issuer=question.issuer))
        except RotationError as error:
            return no_answer(question.serial, source, Reason(error.code), error.message)
        return judge_crl(crl, certificate=question.certificate, at=question.at, policy=self._policy, source=source)

    def _delegate_status(self, delegate: x509.Certificate, question: Question) -> RevocationStatus:
        """Of a responder's certificate without id-pkix-ocsp-nocheck: from CRLs, since OCSP would ask itself."""
        if not self._policy.fetch:
            return RevocationStatus.UNKNOWN
        about_delegate = dataclasses.replace(question, certificate=delegate)
        statuses = {finding.status for finding in self.crl_findings(about_delegate)}
        for status in (RevocationStatus.REVOKED, RevocationStatus.GOOD):
            if status in statuses:
                return status
        return RevocationStatus.UNKNOWN

    def _crl_finding(self, url: str, question: Question) -> Finding:
        source = Source(SourceKind.CRL, url, "GET")
        if not url.lower().startswith(("http://", "https://")):
            return no_answer(question.serial, source, Reason.UNSUPPORTED_POINTER, f"{url} is no http URL")
        try:
            fetched = self._fetch(url, None)
        except RotationError as error:
            return no_answer(question.serial, source, Reason.UNREACHABLE, f"{error.code}: {error.message}")
        return self.judge_crl_bytes(fetched.body, question, dataclasses.replace(source, seconds=fetched.seconds))

    def _ocsp_answer(self, url: str, question: Question, algorithm: str) -> OcspAnswer:
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
            fetched = self._fetch(get_url or url, None if get_url else request, fresh)
        except RotationError as error:
            # A refusal may be about the hash of the CertID; silence is not.
            reason = Reason.RESPONDER_ERROR if error.facts.get("status") else Reason.UNREACHABLE
            return OcspAnswer(no_answer(question.serial, source, reason, f"{error.code}: {error.message}"))
        source = dataclasses.replace(source, seconds=fetched.seconds)
        return OcspAnswer(self.judge_response(fetched.body, question, source), fetched.body)

    def _fetch(self, url: str, body: bytes | None, fresh: bool = False) -> Fetched:
        return self._fetched.get((url, body, fresh), lambda: self._request(url, body, fresh))

    def _request(self, url: str, body: bytes | None, fresh: bool) -> Fetched:
        headers = {"Cache-Control": "no-cache"} if fresh else {}
        if body is None:
            return self._http.get(url, headers=headers)
        headers["Content-Type"] = "application/ocsp-request"
        return self._http.post(url, body, headers=headers, max_bytes=_MAX_SMALL)

    def _certificates_at(self, url: str) -> tuple[x509.Certificate, ...]:
        return self._issuers.get(url, lambda: self._certificates(url))

    def _certificates(self, url: str) -> tuple[x509.Certificate, ...]:
        try:
            return tuple(read_certificates(self._http.get(url, max_bytes=_MAX_SMALL).body, url))
        except RotationError:
            return ()
