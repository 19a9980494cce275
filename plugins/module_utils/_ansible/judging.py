# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging certificates over a run: brings what the sources say together with the pure judges."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._ansible.crl_sources import CrlInquiry
from ansible_collections.certops.rotation.plugins.module_utils._ansible.memory import Memory
from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once
from ansible_collections.certops.rotation.plugins.module_utils._ansible.question import Question
from ansible_collections.certops.rotation.plugins.module_utils._ansible.sources import Sources
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    authority_key_id,
    certificate_sha256,
    crl_urls,
    issuer_bytes,
    ocsp_urls,
    subject_bytes,
    validity,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import (
    Path,
    check_end,
    check_issuers,
    describe,
    find_path,
    is_issued_by,
    is_self_issued,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.conclude import (
    cannot_tell,
    conclude,
    conclude_chain,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_signer import signer_path
from ansible_collections.certops.rotation.plugins.module_utils._core.distribution_point import distribution_points
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.remembered import Kept
from ansible_collections.certops.rotation.plugins.module_utils._core.signature import certificate_signature_fault
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    COULD_NOT_ASK,
    Evidence,
    Finding,
    Prefer,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    SourceKind,
    StapleFinding,
    Verdict,
    no_answer,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetcher

_LONGEST_PATH = 8
_PATH_REASONS = {"chain_incomplete": Reason.CHAIN_INCOMPLETE, "chain_untrusted": Reason.CHAIN_UNTRUSTED}


@dataclasses.dataclass(frozen=True)
class Given:
    """Revocation information brought along instead of fetched, as ``(name, bytes)``."""

    crls: tuple[tuple[str, bytes], ...] = ()
    ocsp_responses: tuple[tuple[str, bytes], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.crls or self.ocsp_responses)


@dataclasses.dataclass(frozen=True)
class _Route:
    """A path of certificates, and what keeps it from ending in an anchor."""

    path: Path
    faults: tuple[Reason, ...] = ()
    detail: str = ""
    others: tuple[x509.Certificate, ...] = ()
    """all certificates that came along, and those that were found by pointer"""
    above: tuple[str, ...] = ()
    """SHA-256 of the certificates of the path but the first, a name for what is the same for all that they issued"""


class Judging:
    """One for a whole run; thread-safe. A CRL is fetched, verified and indexed once, whoever asks."""

    def __init__(
        self,
        *,
        http: Fetcher,
        policy: RevocationPolicy,
        anchors: Sequence[x509.Certificate],
        given: Given | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._policy = policy
        self.anchors = tuple(anchors)
        self._given = given or Given()
        self._sources = Sources(http, policy, crls=self._given.crls, check_signer=self._check_signer, memory=memory)
        self._issuer_verdicts: Once[tuple[str, str, datetime, frozenset[str]], Verdict] = Once()
        self._signers: Once[tuple[object, ...], RotationError | None] = Once()
        # Each chain is asked about a few times in a row, and what is decoded of its certificates is large.
        self._routes: Kept[tuple[str, ...], _Route] = Kept(most=256)
        self._siblings: Kept[tuple[object, ...], list[_Route]] = Kept(most=256)
        """by issuer and what is sent along: the first route without a fault"""
        self._issuer_errors: Kept[tuple[tuple[str, ...], datetime], RotationError | None] = Kept(most=256)
        self._verdicts_above: Kept[tuple[tuple[str, ...], datetime], list[Verdict]] = Kept(most=256)
        self._staples: Once[tuple[tuple[str, ...], bytes, datetime], StapleFinding] = Once()

    @functools.cached_property
    def _anchors_by_name(self) -> dict[bytes, list[x509.Certificate]]:
        found: dict[bytes, list[x509.Certificate]] = {}
        for anchor in self.anchors:
            found.setdefault(subject_bytes(anchor), []).append(anchor)
        return found

    @functools.cached_property
    def _anchor_hashes(self) -> frozenset[str]:
        return frozenset(map(certificate_sha256, self.anchors))

    def verdict(self, chain: Sequence[x509.Certificate], *, at: datetime, staple: bytes | None = None) -> Verdict:
        """The verdict about ``chain[0]``, with the CAs between it and its trust anchor.

        Never raises for what a certificate, a server or the network does: that is in the reasons and the evidence.
        """
        try:
            return self._verdict(chain, at, staple)
        except RotationError as error:
            return cannot_tell([Reason.CERTIFICATE_UNREADABLE], at=at, policy=self._policy, detail=error.message)
        except DECODING_ERRORS as error:
            return cannot_tell([Reason.CERTIFICATE_UNREADABLE], at=at, policy=self._policy, detail=str(error))

    def judge_staple(self, chain: Sequence[x509.Certificate], staple: bytes | None, *, at: datetime) -> StapleFinding:
        """What a stapled response says about ``chain[0]``: good, revoked, unknown, absent or invalid."""
        if not staple:
            return StapleFinding("absent")
        return self._staples.get((_named(chain), staple, at), lambda: self._judge_staple(chain, staple, at))

    def _judge_staple(self, chain: Sequence[x509.Certificate], staple: bytes, at: datetime) -> StapleFinding:
        route = self._route(chain)
        if len(route.path) < 2:
            return StapleFinding("invalid", route.faults or (Reason.CHAIN_INCOMPLETE,), "the issuer is not known")
        question = _question(route, 0, at)
        return _staple_finding(self._sources.judge_response(staple, question, Source(SourceKind.STAPLE)))

    def good_staple(self, chain: Sequence[x509.Certificate], *, at: datetime) -> bytes:
        """A response to staple, verified as good, in DER.

        Asked for with a SHA-1 CertID first, unlike for judging: it is for the clients, and what Mozilla's verifier
        does with a SHA-256 CertID is to pass it by as if it were another certificate's.

        :raises RotationError: no_responder, responder_unreachable, staple_not_good, chain_incomplete.
        """
        leaf = chain[0]
        if not ocsp_urls(leaf):
            raise RotationError("no_responder", f"{describe(leaf)} names no OCSP responder, so nothing can be stapled")
        route = self._route(chain)
        if len(route.path) < 2:
            raise RotationError("chain_incomplete", f"the issuer of {describe(leaf)} is not known")
        findings: list[Finding] = []
        for answer in self._sources.ocsp_answers(_question(route, 0, at), ("sha1", "sha256")):
            if answer.response is not None and answer.finding.status is RevocationStatus.GOOD:
                return answer.response
            findings.append(answer.finding)
        raise _no_staple(leaf, findings)

    def _verdict(self, chain: Sequence[x509.Certificate], at: datetime, staple: bytes | None) -> Verdict:
        route = self._route(chain)
        path, faults, detail = route.path, list(route.faults), route.detail
        if len(path) < 2:
            # Nothing that a source says can be verified without the issuer, and an anchor has none.
            own = conclude([], certificate=path[0], at=at, policy=self._policy)
            return cannot_tell([*faults, *own.reasons], at=at, policy=self._policy, detail=detail)
        error = None if faults else self._error_of(route, at)
        if error is not None:
            faults, detail = [Reason.CHAIN_INVALID], error.message
        own = self._judge(_question(route, 0, at), staple)
        issuers = self._judge_issuers(route, at) if self._policy.judge_issuers else []
        return conclude_chain(own, issuers, faults=faults, detail=detail, policy=self._policy)

    def _route(self, chain: Sequence[x509.Certificate]) -> _Route:
        """The path to an anchor, or as far as it goes and why no further; worked out once for each chain."""
        if not chain:
            raise RotationError("chain_empty", "there is no certificate to judge")
        return self._routes.get(_named(chain), lambda: self._find_route(chain))

    def _find_route(self, chain: Sequence[x509.Certificate]) -> _Route:
        """Searched for once for all certificates of an issuer that come along with the same others."""
        leaf, others = chain[0], list(chain[1:])
        siblings = self._siblings.get((issuer_bytes(leaf), authority_key_id(leaf), *_named(others)), list)
        if siblings and self._is_sibling(leaf, siblings[0]):
            known = siblings[0]
            return _Route((leaf, *known.path[1:]), others=known.others, above=known.above)
        found = self._search_route(leaf, others)
        route = dataclasses.replace(found, above=_named(found.path[1:]))
        if not siblings and not route.faults and len(route.path) > 1:
            siblings.append(route)
        return route

    def _is_sibling(self, leaf: x509.Certificate, known: _Route) -> bool:
        """Whether the way that another certificate has led, from the same issuer on, is that of this one too."""
        own = certificate_sha256(leaf)
        if own in self._anchor_hashes or own in known.above:
            return False
        return certificate_signature_fault(leaf, known.path[1]) is None

    def _search_route(self, leaf: x509.Certificate, others: list[x509.Certificate]) -> _Route:
        """Missing issuers are looked up by pointer."""
        near = self._anchors_near((leaf, *others))
        if near:
            # Hundreds of system roots need not be tried where the chain names its own; where it fails, all are.
            with contextlib.suppress(RotationError):
                return _Route(find_path(leaf, others, near), others=tuple(others))
        while True:
            try:
                return _Route(find_path(leaf, others, self.anchors), others=tuple(others))
            except RotationError as error:
                fault = _PATH_REASONS.get(error.code, Reason.CHAIN_INVALID)
                route = _Route(_as_far_as_it_goes(leaf, others), (fault,), error.message, tuple(others))
            found = self._missing_issuers(route.path[-1]) if fault is Reason.CHAIN_INCOMPLETE else []
            found = [issuer for issuer in found if issuer not in others]
            if not found or len(route.path) > _LONGEST_PATH:
                return route
            others += found

    def _anchors_near(self, chain: Sequence[x509.Certificate]) -> list[x509.Certificate]:
        """Anchors that the chain names as issuers, or sends along."""
        names = {read(certificate) for certificate in chain for read in (issuer_bytes, subject_bytes)}
        return [anchor for name in names for anchor in self._anchors_by_name.get(name, ())]

    def _error_of(self, route: _Route, at: datetime) -> RotationError | None:
        """What is wrong with a path. The leaf's own dates are left out: they are reasons of their own."""
        path = route.path
        begins, ends = validity(path[0])
        if not begins <= at <= ends:
            return None
        try:
            check_end(path, at=at)
        except RotationError as error:
            return error
        return self._issuer_errors.get((route.above, at), lambda: _error_of_issuers(path[1:], at))

    def _missing_issuers(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """Fetched over plain HTTP from anywhere, so of use only if it really signed ``certificate``."""
        if not self._policy.fetch:
            return []
        return [found for found in self._sources.issuers_by_pointer(certificate) if is_issued_by(certificate, found)]

    def _judge_issuers(self, route: _Route, at: datetime) -> list[Verdict]:
        """Verdicts about the CAs below the anchor; each is judged once a run."""

        def judge() -> list[Verdict]:
            return [self._issuer_verdict(_question(route, i, at)) for i in range(1, len(route.path) - 1)]

        return self._verdicts_above.get((route.above, at), judge)

    def _issuer_verdict(self, question: Question) -> Verdict:
        own = certificate_sha256(question.certificate)
        key = (own, certificate_sha256(question.issuer), question.at, question.pending)

        def judge() -> Verdict:
            return self._judge(dataclasses.replace(question, pending=question.pending | {own}), None)

        return self._issuer_verdicts.get(key, judge)

    def _check_signer(self, signer: x509.Certificate, question: Question) -> RotationError | None:
        """What keeps another certificate than the issuer's from signing CRLs; found out once for a CA."""
        key = (signer, question.path[1:], question.others, question.at, question.pending)
        return self._signers.get(key, lambda: self._error_of_signer(signer, question))

    def _error_of_signer(self, signer: x509.Certificate, question: Question) -> RotationError | None:
        if not question.path:
            return RotationError(Reason.SIGNER_NOT_AUTHORISED.value, "signed with another key, without a trust anchor")
        try:
            path = signer_path(signer, path=question.path, others=question.others, at=question.at)
        except RotationError as error:
            return error
        if not self._policy.judge_issuers:
            return None
        errors = (self._error_of_status(path[i:], question) for i in range(len(path) - 1))
        return next((error for error in errors if error is not None), None)

    def _error_of_status(self, path: Path, question: Question) -> RotationError | None:
        """Is a signer, or a CA above it, revoked? CAs above the certificate itself are judged along with it.

        A CA that signs all its CRLs with a key certified by itself cannot say in them that this very key is revoked;
        and without pointers there is nobody to ask. No one could ever tell then, and such CRLs are taken as they are.
        """
        certificate = path[0]
        if certificate in question.path[1:] or certificate_sha256(certificate) in question.pending:
            return None
        verdict = self._issuer_verdict(
            dataclasses.replace(question, certificate=certificate, issuer=path[1], path=path)
        )
        if verdict.status is RevocationStatus.REVOKED:
            return RotationError(Reason.SIGNER_REVOKED.value, f"{describe(certificate)}, which signed it, is revoked")
        has_pointers = distribution_points(certificate) or ocsp_urls(certificate)
        if verdict.status is RevocationStatus.GOOD or not has_pointers:
            return None
        reasons = ", ".join(reason.value for reason in verdict.reasons)
        message = f"whether {describe(certificate)}, which signed it, is revoked is not known: {reasons}"
        return RotationError(Reason.SIGNER_STATUS_UNKNOWN.value, message)

    def _judge(self, question: Question, staple: bytes | None) -> Verdict:
        findings = [_aged(finding, question.at) for finding in self._findings(question, staple)]
        return conclude(findings, certificate=question.certificate, at=question.at, policy=self._policy)

    def _findings(self, question: Question, staple: bytes | None) -> Iterator[Finding]:
        """What is given, then what is fetched until there is enough.

        A good staple is evidence, but not enough while others can be asked: the server whose certificate was revoked
        goes on stapling the last good response until it expires.
        """
        if staple:
            finding = self._sources.judge_response(staple, question, Source(SourceKind.STAPLE))
            yield finding
            if finding.status is RevocationStatus.REVOKED:
                return
        crls = self._sources.crls(question)
        given = list(self._given_findings(question, crls)) if self._given else []
        yield from given
        if any(finding.status is not RevocationStatus.UNKNOWN for finding in given):
            return
        if validity(question.certificate)[1] < question.at:
            return  # responders and CRLs drop expired certificates
        if self._policy.fetch:
            yield from self._fetched_findings(question, crls.fetched())
        elif not given and (crl_urls(question.certificate) or ocsp_urls(question.certificate)):
            yield no_answer(question.serial, Source(SourceKind.CRL), Reason.NOT_ASKED, "nothing is fetched in this run")

    def _given_findings(self, question: Question, crls: CrlInquiry) -> Iterator[Finding]:
        yield from crls.given()
        for name, data in self._given.ocsp_responses:
            finding = self._sources.judge_response(data, question, Source(SourceKind.OCSP, name, "file"))
            if finding.reasons != (Reason.OTHER_CERTIFICATE,):
                yield finding

    def _fetched_findings(self, question: Question, crls: Iterable[Finding]) -> Iterator[Finding]:
        responses = (answer.finding for answer in self._sources.ocsp_answers(question))
        prefer = self._policy.prefer
        if prefer is Prefer.BOTH:
            yield from _until_answered(responses)
            yield from _until_answered(crls)
        elif prefer is Prefer.OCSP and ocsp_urls(question.certificate):
            yield from _until_answered(responses)
        elif prefer is Prefer.CRL and crl_urls(question.certificate):
            yield from _until_answered(crls)
        else:
            yield from _until_answered(_chained(crls, responses))


def _named(chain: Sequence[x509.Certificate]) -> tuple[str, ...]:
    """The same for the same chain; a certificate itself is slow as a key."""
    return tuple(map(certificate_sha256, chain))


def _question(route: _Route, position: int, at: datetime) -> Question:
    """About the certificate there in the path."""
    path = route.path[position:]
    return Question(path[0], path[1], at, path=() if route.faults else path, others=route.others)


def _aged(finding: Finding, at: datetime) -> Finding:
    this_update = finding.evidence.this_update
    if this_update is None or finding.evidence.age is not None:
        return finding
    evidence = dataclasses.replace(finding.evidence, age=int((at - this_update).total_seconds()))
    return dataclasses.replace(finding, evidence=evidence)


def _chained(*sources: Iterable[Finding]) -> Iterator[Finding]:
    for source in sources:
        yield from source


def _until_answered(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Stops asking after the first answer that says good or revoked."""
    for finding in findings:
        yield finding
        if finding.status is not RevocationStatus.UNKNOWN:
            return


def _as_far_as_it_goes(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> Path:
    """The path without an anchor: enough to verify what the direct issuer says, never enough for "good"."""
    path: Path = (leaf,)
    while len(path) < _LONGEST_PATH and not is_self_issued(path[-1]):
        issuer = next((other for other in others if other not in path and is_issued_by(path[-1], other)), None)
        if issuer is None:
            break
        path = (*path, issuer)
    return path


def _error_of_issuers(issuers: Path, at: datetime) -> RotationError | None:
    try:
        check_issuers(issuers, at=at)
    except RotationError as error:
        return error
    return None


def _staple_finding(finding: Finding) -> StapleFinding:
    evidence: Evidence = finding.evidence
    status = finding.status.value
    if finding.status is RevocationStatus.UNKNOWN and finding.reasons != (Reason.RESPONDER_SAYS_UNKNOWN,):
        status = "invalid"
    return StapleFinding(
        status=status,
        reasons=finding.reasons,
        detail=evidence.detail,
        this_update=evidence.this_update,
        next_update=evidence.next_update,
        produced_at=evidence.produced_at,
        revoked_at=finding.revoked_at,
        revocation_reason=finding.revocation_reason,
        sha256=evidence.sha256,
    )


def _no_staple(leaf: x509.Certificate, findings: Sequence[Finding]) -> RotationError:
    details = "; ".join(dict.fromkeys(finding.evidence.detail for finding in findings))
    reasons = list(dict.fromkeys(reason.value for finding in findings for reason in finding.reasons))
    if all(finding.evidence.sha256 is None and COULD_NOT_ASK.intersection(finding.reasons) for finding in findings):
        return RotationError(
            "responder_unreachable",
            f"no OCSP responder of {describe(leaf)} answers: {details}",
            remedy="check the way from the control node to the responder: name resolution, firewall, proxy",
            reasons=reasons,
        )
    return RotationError("staple_not_good", f"no good OCSP response for {describe(leaf)}: {details}", reasons=reasons)
