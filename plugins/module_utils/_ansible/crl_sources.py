# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CRLs say: those that distribution points name, and those given; each verified once a run."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.certops.rotation.plugins.module_utils._ansible.downloads import (
    Downloads,
    Span,
    fetched_from,
    reason_of,
)
from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once
from ansible_collections.certops.rotation.plugins.module_utils._ansible.question import Question
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_sha256
from ansible_collections.certops.rotation.plugins.module_utils._core.crl import VerifiedCrl, judge_crl, verify_crl
from ansible_collections.certops.rotation.plugins.module_utils._core.distribution_point import distribution_points
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Finding,
    Reason,
    RevocationPolicy,
    Source,
    SourceKind,
    no_answer,
)


class CrlSources:
    """Thread-safe."""

    def __init__(self, downloads: Downloads, policy: RevocationPolicy) -> None:
        self._downloads = downloads
        self._policy = policy
        self._crls: Once[tuple[bytes, str], VerifiedCrl] = Once()

    def findings(self, question: Question) -> Iterator[Finding]:
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
                finding = self._finding(url, question)
                yield finding
                if finding.evidence.sha256 is not None:
                    break

    def judge(self, data: bytes, question: Question, source: Source) -> Finding:
        """What a CRL, given or fetched, says; it is verified once for its issuer. ``source`` names the bytes."""
        try:
            crl = self._verified(data, question)
        except RotationError as error:
            return no_answer(question.serial, source, Reason(error.code), error.message)
        return judge_crl(crl, certificate=question.certificate, at=question.at, policy=self._policy, source=source)

    def _finding(self, url: str, question: Question) -> Finding:
        source = Source(SourceKind.CRL, url, "GET")
        if not url.lower().startswith(("http://", "https://")):
            return no_answer(question.serial, source, Reason.UNSUPPORTED_POINTER, f"{url} is no http URL")
        try:
            fetched = self._downloads.get(url, lambda data: self._span(data, question))
        except RotationError as error:
            return no_answer(question.serial, source, reason_of(error), f"{error.code}: {error.message}")
        return self.judge(fetched.body, question, fetched_from(source, fetched))

    def _verified(self, data: bytes, question: Question) -> VerifiedCrl:
        """Bytes remember their hash, and the same ones are asked about again and again: that is a cheap key."""
        key = (data, certificate_sha256(question.issuer))
        return self._crls.get(key, lambda: verify_crl(data, issuer=question.issuer))

    def _span(self, data: bytes, question: Question) -> Span | None:
        """Verified, whatever time is judged for: other runs have other times."""
        crl = self._verified(data, question)
        return None if crl.next_update is None else Span(crl.this_update, crl.next_update)
