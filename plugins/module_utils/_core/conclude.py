# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the sources say to what we claim. The only place that builds a Verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import is_short_lived, validity
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Evidence,
    Finding,
    Note,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Verdict,
)

_REVOKED_WORDS = (Reason.REVOKED, Reason.ON_HOLD, Reason.NOT_ISSUED)
_COMPROMISED = ("keyCompromise", "cACompromise", "aACompromise")


def conclude(
    findings: Sequence[Finding], *, certificate: x509.Certificate, at: datetime, policy: RevocationPolicy
) -> Verdict:
    """The verdict about one certificate, its issuers not looked at.

    Any verified "revoked" wins. Good needs one source that is good, and a certificate that is valid at
    ``at``: of one that has expired, CAs forget the revocation (RFC 5280 3.3).
    """
    evidence = tuple(finding.evidence for finding in findings)
    revoked = [finding for finding in findings if finding.status is RevocationStatus.REVOKED]
    if revoked:
        return _revoked(revoked, evidence, at, _notes_on_revoked(revoked, findings))
    outside = _outside_validity(certificate, at)
    if not outside and any(finding.status is RevocationStatus.GOOD for finding in findings):
        return Verdict(RevocationStatus.GOOD, at, evidence=evidence, notes=_notes_on_good(findings))
    if outside:
        return _unknown((outside,), evidence, at, policy)
    reasons = _distinct(reason for finding in findings for reason in finding.reasons)
    if not reasons:
        reasons = (Reason.SHORT_LIVED if is_short_lived(certificate) else Reason.NO_POINTER,)
    return _unknown(reasons, evidence, at, policy)


def conclude_chain(
    own: Verdict,
    issuers: Sequence[Verdict],
    *,
    faults: Sequence[Reason] = (),
    detail: str = "",
    policy: RevocationPolicy,
) -> Verdict:
    """The verdict about a certificate together with those about the CAs between it and its root.

    :param faults: what is wrong with the chain itself; with any, nothing is good. ``detail`` says it in a sentence.
    """
    evidence = own.evidence + tuple(each for issuer in issuers for each in issuer.evidence)
    notes = tuple(dict.fromkeys(note for verdict in (own, *issuers) for note in verdict.notes))
    if own.status is RevocationStatus.REVOKED:
        reasons = _distinct((*own.reasons, *faults))
        return dataclasses.replace(own, reasons=reasons, evidence=evidence, detail=detail, notes=notes)
    revoked = next((issuer for issuer in issuers if issuer.status is RevocationStatus.REVOKED), None)
    if revoked is not None:
        reasons = _distinct((Reason.ISSUER_REVOKED, *faults))
        return dataclasses.replace(revoked, reasons=reasons, evidence=evidence, detail=detail, notes=notes)
    unknown = [issuer for issuer in issuers if issuer.status is not RevocationStatus.GOOD]
    if own.status is RevocationStatus.GOOD and not unknown and not faults:
        return Verdict(RevocationStatus.GOOD, own.decided_at, evidence=evidence, notes=notes)
    found = [*faults, *own.reasons]
    if unknown:
        found += [Reason.ISSUER_UNKNOWN_STATUS, *(reason for issuer in unknown for reason in issuer.reasons)]
    verdict = _unknown(_distinct(found), evidence, own.decided_at, policy, detail)
    return dataclasses.replace(verdict, notes=notes)


def cannot_tell(reasons: Iterable[Reason], *, at: datetime, policy: RevocationPolicy, detail: str = "") -> Verdict:
    """The verdict where no source could even be asked."""
    return _unknown(_distinct(reasons), (), at, policy, detail)


def _notes_on_revoked(revoked: Sequence[Finding], findings: Sequence[Finding]) -> tuple[Note, ...]:
    """What a good answer beside a revoked one means.

    Responders tell a revocation at once, CRLs some hours later, so a good answer made before the revocation is no
    contradiction. One made after it is. A CRL that covers some reasons only may be right either way.
    """
    since = min((finding.revoked_at for finding in revoked if finding.revoked_at), default=None)
    notes = []
    for finding in findings:
        if finding.status is RevocationStatus.GOOD and finding.evidence.reasons_covered is None:
            made = finding.evidence.this_update
            is_older = since is not None and made is not None and made <= since
            notes.append(Note.PROPAGATION if is_older else Note.SOURCES_DISAGREE)
    return tuple(sorted(set(notes), reverse=True))


def _notes_on_good(findings: Sequence[Finding]) -> tuple[Note, ...]:
    """A responder that does not know a certificate which is in no CRL: it may be one that the CA never issued."""
    denied = any(finding.reasons == (Reason.RESPONDER_SAYS_UNKNOWN,) for finding in findings)
    return (Note.SOURCES_DISAGREE,) if denied else ()


def _revoked(
    revoked: Sequence[Finding], evidence: tuple[Evidence, ...], at: datetime, notes: tuple[Note, ...]
) -> Verdict:
    """A final revocation says more than a hold. Where sources differ, what is worse for whoever trusts the certificate
    counts: the earliest time, the gravest reason.
    """
    final = [finding for finding in revoked if Reason.ON_HOLD not in finding.reasons] or list(revoked)
    words = frozenset(reason for finding in final for reason in finding.reasons)
    return Verdict(
        RevocationStatus.REVOKED,
        at,
        reasons=tuple(word for word in _REVOKED_WORDS if word in words),
        evidence=evidence,
        revoked_at=min((finding.revoked_at for finding in final if finding.revoked_at), default=None),
        revocation_reason=min((finding.revocation_reason or "unspecified" for finding in final), key=_gravity),
        invalidity_date=min((finding.invalidity_date for finding in final if finding.invalidity_date), default=None),
        notes=notes,
    )


def _gravity(revocation_reason: str) -> tuple[int, str]:
    """A compromised key before all else, because it must not be used again; no reason given after all others."""
    if revocation_reason in _COMPROMISED:
        return _COMPROMISED.index(revocation_reason), ""
    return len(_COMPROMISED) + (revocation_reason == "unspecified"), revocation_reason


def _outside_validity(certificate: x509.Certificate, at: datetime) -> Reason | None:
    first, last = validity(certificate)
    if at < first:
        return Reason.NOT_YET_VALID
    return Reason.EXPIRED if at > last else None


def _unknown(
    reasons: tuple[Reason, ...],
    evidence: tuple[Evidence, ...],
    at: datetime,
    policy: RevocationPolicy,
    detail: str = "",
) -> Verdict:
    is_soft = bool(reasons) and policy.soft_reasons.issuperset(reasons)
    return Verdict(RevocationStatus.UNKNOWN, at, reasons=reasons, evidence=evidence, detail=detail, is_soft=is_soft)


def _distinct(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))
