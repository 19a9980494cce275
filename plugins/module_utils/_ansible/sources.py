# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that can be learned about revocation, from the network or from what is given: one front for judging."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._ansible.crl_sources import (
    CrlInquiry,
    CrlSources,
    SignerCheck,
    never_seen,
)
from ansible_collections.certops.rotation.plugins.module_utils._ansible.downloads import Downloads
from ansible_collections.certops.rotation.plugins.module_utils._ansible.memory import Memory
from ansible_collections.certops.rotation.plugins.module_utils._ansible.ocsp_sources import OcspAnswer, OcspSources
from ansible_collections.certops.rotation.plugins.module_utils._ansible.question import Question
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import ca_issuers_urls
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Finding,
    RevocationPolicy,
    RevocationStatus,
    Source,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetcher


class Sources:
    """Thread-safe."""

    def __init__(
        self,
        http: Fetcher,
        policy: RevocationPolicy,
        *,
        check_signer: SignerCheck,
        crls: Sequence[tuple[str, bytes]] = (),
        memory: Memory | None = None,
    ) -> None:
        self._policy = policy
        self._downloads = Downloads(http, memory.keeper if memory else None)
        seen_number = memory.seen_number if memory else never_seen
        self._crls = CrlSources(self._downloads, policy, given=crls, check_signer=check_signer, seen_number=seen_number)
        self._ocsp = OcspSources(self._downloads, policy, self._delegate_status)

    def issuers_by_pointer(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """What the certificate's caIssuers URLs offer; nothing of it is verified yet."""
        urls = ca_issuers_urls(certificate)
        return tuple(found for url in urls for found in self._downloads.certificates_at(url, certificate))

    def crls(self, question: Question) -> CrlInquiry:
        """:raises RotationError: ``certificate_unreadable``."""
        return self._crls.inquiry(question)

    def ocsp_answers(self, question: Question, algorithms: Sequence[str] = ("sha256", "sha1")) -> Iterator[OcspAnswer]:
        return self._ocsp.answers(question, algorithms)

    def judge_response(self, response: bytes, question: Question, source: Source) -> Finding:
        return self._ocsp.judge(response, question, source)

    def _delegate_status(self, delegate: x509.Certificate, question: Question) -> RevocationStatus:
        """Of a responder's certificate without id-pkix-ocsp-nocheck: from CRLs, since OCSP would ask itself."""
        path = (delegate, *question.path[1:]) if question.path else ()
        inquiry = self.crls(dataclasses.replace(question, certificate=delegate, path=path))
        statuses = {finding.status for finding in inquiry.given()}
        if self._policy.fetch and not statuses & {RevocationStatus.REVOKED, RevocationStatus.GOOD}:
            statuses = {finding.status for finding in inquiry.fetched()}
        for status in (RevocationStatus.REVOKED, RevocationStatus.GOOD):
            if status in statuses:
                return status
        return RevocationStatus.UNKNOWN
