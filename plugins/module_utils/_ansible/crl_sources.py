# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRLs, given and fetched, each verified and indexed once a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Callable

from ansible_collections.certops.rotation.plugins.module_utils._ansible.downloads import (
    Downloads,
    fetched_from,
    reason_of,
)
from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once
from ansible_collections.certops.rotation.plugins.module_utils._ansible.question import Question
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    ca_issuers_urls,
    certificate_sha256,
    has_same_key,
    subject_name,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.crl import (
    UnverifiedCrl,
    VerifiedCrl,
    read_crl,
    verify_crl,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_judgement import CrlJudge, SourcedCrl
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_signer import possible_signers
from ansible_collections.certops.rotation.plugins.module_utils._core.distribution_point import (
    DistributionPoint,
    PointName,
    freshest_points,
)
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
from ansible_collections.certops.rotation.plugins.module_utils._fetch.keeper import Span

SignerCheck = Callable[[x509.Certificate, Question], "RotationError | None"]
"""What keeps a certificate other than the issuer's from signing CRLs for a question; None if nothing does"""
SeenNumber = Callable[[VerifiedCrl], "int | None"]
"""The highest CRLNumber that was ever seen of the CRL's ``stream``"""


def never_seen(_crl: VerifiedCrl) -> None:
    """For runs without a memory."""


class CrlSources:
    """Thread-safe."""

    def __init__(
        self,
        downloads: Downloads,
        policy: RevocationPolicy,
        *,
        given: Sequence[tuple[str, bytes]] = (),
        check_signer: SignerCheck,
        seen_number: SeenNumber = never_seen,
    ) -> None:
        self.policy = policy
        self.downloads = downloads
        self._check_signer = check_signer
        self._seen_number = seen_number
        self._read: Once[bytes, UnverifiedCrl] = Once()
        self._at_urls: dict[str, tuple[Source, UnverifiedCrl]] = {}
        self._verified: Once[tuple[UnverifiedCrl, str], VerifiedCrl] = Once()
        self._by_issuer: dict[tuple[UnverifiedCrl, str], VerifiedCrl] = {}
        """those that the issuer of the certificates itself has signed, whatever else is asked"""
        self._given: dict[PointName, list[tuple[Source, UnverifiedCrl]]] = {}
        self._unreadable: list[tuple[Source, RotationError]] = []
        for name, data in given:
            self._sort_in(Source(SourceKind.CRL, name, "file"), data)

    def inquiry(self, question: Question) -> CrlInquiry:
        """:raises RotationError: ``certificate_unreadable``."""
        return CrlInquiry(self, question)

    def given(self, issuers: Iterable[PointName]) -> Iterator[tuple[Source, UnverifiedCrl]]:
        """The CRLs that were brought along, of any of these issuers."""
        for issuer in issuers:
            yield from self._given.get(issuer, ())

    def unreadable(self, question: Question) -> Iterator[Finding]:
        for source, error in self._unreadable:
            yield no_answer(question.serial, source, Reason(error.code), error.message)

    def read(self, data: bytes) -> UnverifiedCrl:
        """Bytes remember their hash, and the same ones are asked about again and again: that is a cheap key."""
        return self._read.get(data, lambda: read_crl(data))

    def verified(self, crl: UnverifiedCrl, question: Question) -> VerifiedCrl:
        """The CRL, if it is signed by the issuer of the certificate, or by who may sign CRLs for it.

        :raises RotationError: its code is the value of a ``Reason``.
        """
        by_issuer = (crl, certificate_sha256(question.issuer))
        known = self._by_issuer.get(by_issuer)
        if known is not None:
            return known
        errors: list[RotationError] = []
        for signer in self._signers(crl, question):
            try:
                verified = self._signed_by(crl, signer)
                error = None if has_same_key(signer, question.issuer) else self._check_signer(signer, question)
            except RotationError as refused:
                error = refused
            else:
                if error is None:
                    if signer is question.issuer:
                        self._by_issuer[by_issuer] = verified
                    return verified
            errors.append(error)
        raise _most_telling(errors, crl)

    def fetched(self, url: str, question: Question) -> tuple[Source, UnverifiedCrl] | Finding:
        """What is at ``url``, read; or why there is nothing."""
        known = self._at_urls.get(url)
        if known is not None:
            return known
        source = Source(SourceKind.CRL, url, "GET")
        if not url.lower().startswith(("http://", "https://")):
            return no_answer(question.serial, source, Reason.UNSUPPORTED_POINTER, f"{url} is no http URL")
        try:
            fetched = self.downloads.get(url, lambda data: self._span(data, question))
        except RotationError as error:
            return no_answer(question.serial, source, reason_of(error), f"{error.code}: {error.message}")
        source = fetched_from(source, fetched)
        try:
            found = self._at_urls[url] = (source, self.read(fetched.body))
            return found
        except RotationError as error:
            return no_answer(question.serial, source, Reason(error.code), error.message)

    def sourced(
        self, crl: UnverifiedCrl, source: Source, question: Question, point: DistributionPoint | None = None
    ) -> SourcedCrl:
        """:raises RotationError: as ``verified`` does."""
        verified = self.verified(crl, question)
        seen = None if source.method == "file" else self._seen_number(verified)  # files may be as old as they are
        return SourcedCrl(verified, source, seen, point)

    def _sort_in(self, source: Source, data: bytes) -> None:
        try:
            crl = self.read(data)
        except RotationError as error:
            self._unreadable.append((source, error))
        else:
            self._given.setdefault(crl.issuer, []).append((source, crl))

    def _signers(self, crl: UnverifiedCrl, question: Question) -> Iterator[x509.Certificate]:
        """Certificates of the CRL's issuer: that of the certificate's issuer first, what must be fetched last."""
        if subject_name(question.issuer).comparable == crl.issuer:
            yield question.issuer
        near = possible_signers(crl, (*question.path[1:], *question.others))
        yield from (signer for signer in near if signer != question.issuer)
        if self.policy.fetch:
            for url in dict.fromkeys((*crl.ca_issuers_urls, *ca_issuers_urls(question.certificate))):
                found = possible_signers(crl, self.downloads.certificates_at(url))
                yield from (signer for signer in found if signer not in near and signer != question.issuer)

    def _signed_by(self, crl: UnverifiedCrl, signer: x509.Certificate) -> VerifiedCrl:
        return self._verified.get((crl, certificate_sha256(signer)), lambda: verify_crl(crl, issuer=signer))

    def _span(self, data: bytes, question: Question) -> Span | None:
        """Verified, whatever time is judged for: other runs have other times.

        Only what the issuer itself has signed is kept: the status of another signer may be in this very CRL.
        """
        crl = self._signed_by(self.read(data), question.issuer)
        claims, seen = crl.claims, self._seen_number(crl)
        went_back = claims.number is not None and seen is not None and claims.number < seen
        max_age = self.policy.max_age
        is_too_old = max_age is not None and question.at - claims.this_update > max_age
        if claims.next_update is None or went_back or is_too_old:
            return None
        return Span(claims.this_update, claims.next_update)


class CrlInquiry:
    """What CRLs say about one certificate. Of CRLs for some reasons each, those asked first count for later ones."""

    def __init__(self, sources: CrlSources, question: Question) -> None:
        self._sources = sources
        self._question = question
        self._judge = CrlJudge(question.certificate, question.at, sources.policy)
        self._deltas: list[SourcedCrl] = []

    def given(self) -> Iterator[Finding]:
        """By the files that were brought along: complete CRLs together with their deltas."""
        yield from self._sources.unreadable(self._question)
        bases: list[SourcedCrl] = []
        for source, crl in self._sources.given(self._judge.target.crl_issuers):
            try:
                sourced = self._sources.sourced(crl, source, self._question)
            except RotationError as error:
                yield no_answer(self._question.serial, source, Reason(error.code), error.message)
                continue
            (self._deltas if crl.is_delta else bases).append(sourced)
        for base in bases:
            yield self._judge.finding(base, self._deltas)
        yield from self._judge.remaining(self._deltas, bases)

    def fetched(self) -> Iterator[Finding]:
        """For each distribution point, from the first of its URLs that gives an answer. Lazy: who has enough stops."""
        for point in self._judge.target.points:
            if not point.urls:
                source = Source(SourceKind.CRL)
                detail = "a distribution point without URL"
                yield no_answer(self._question.serial, source, Reason.UNSUPPORTED_POINTER, detail)
            for url in point.urls:
                findings = list(self._findings_at(url, point))
                yield from findings
                if findings and _is_answer(findings[-1]):
                    break

    def _findings_at(self, url: str, point: DistributionPoint) -> Iterator[Finding]:
        """The last one is about the CRL at ``url``; before it, what went wrong with its deltas."""
        found = self._fetched(url, point)
        if isinstance(found, Finding):
            yield found
            return
        deltas = list(self._deltas)
        for delta_url in self._delta_urls(found):
            delta = self._fetched(delta_url, None)
            if isinstance(delta, Finding):
                yield delta
            else:
                deltas.append(delta)
        yield from self._judge.remaining(deltas, [found])
        yield self._judge.finding(found, deltas)

    def _fetched(self, url: str, point: DistributionPoint | None) -> SourcedCrl | Finding:
        found = self._sources.fetched(url, self._question)
        if isinstance(found, Finding):
            return found
        source, crl = found
        try:
            return self._sources.sourced(crl, source, self._question, point)
        except RotationError as error:
            return no_answer(self._question.serial, source, Reason(error.code), error.message)

    def _delta_urls(self, base: SourcedCrl) -> tuple[str, ...]:
        """The freshestCRL pointers, of the certificate and of the CRL (RFC 5280 4.2.1.15, 5.2.6)."""
        own = (url for point in freshest_points(self._question.certificate) for url in point.urls)
        return tuple(dict.fromkeys((*own, *base.crl.claims.freshest_urls)))


def _is_answer(finding: Finding) -> bool:
    return finding.status is not RevocationStatus.UNKNOWN or finding.reasons == (Reason.PARTIAL_REASONS,)


def _most_telling(errors: Sequence[RotationError], crl: UnverifiedCrl) -> RotationError:
    """Of why each possible signer is none; that of a certificate with another key says the least."""
    if not errors:
        name = crl.name.rfc4514_string()
        return RotationError(Reason.ISSUER_MISMATCH.value, f"the CRL is of {name}, of whom there is no certificate")
    telling = [error for error in errors if error.code != Reason.ISSUER_MISMATCH.value]
    return (telling or list(errors))[0]
