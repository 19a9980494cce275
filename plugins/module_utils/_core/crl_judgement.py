# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CRLs say about a certificate: complete ones, continued by delta CRLs, and several that cover some reasons each.

RFC 5280 section 6.3.3. Two things are stricter here: what a verified CRL has listed for good stays revoked, whatever
else is wrong with that CRL, and a delta CRL lifts nothing but a hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    has_same_key,
    issuer_name,
    serial_hex,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.crl import VerifiedCrl
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_entry import CrlEntry
from ansible_collections.certops.rotation.plugins.module_utils._core.distribution_point import (
    DistributionPoint,
    Reasons,
    Target,
    all_reasons,
    reasons_covered,
    speaks_for,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.freshness import (
    freshness_faults,
    revocation_stands,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Evidence,
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
)


@dataclasses.dataclass(frozen=True)
class SourcedCrl:
    """A CRL, and how it came here."""

    crl: VerifiedCrl
    source: Source
    seen_number: int | None = None
    """the highest CRLNumber that was ever seen of its stream"""
    fetched_for: DistributionPoint | None = None
    """which distribution point of the certificate it was found at"""


def judge_crl(
    crl: VerifiedCrl,
    *,
    certificate: x509.Certificate,
    at: datetime,
    policy: RevocationPolicy,
    source: Source,
    deltas: Sequence[SourcedCrl] = (),
    seen_number: int | None = None,
    fetched_for: DistributionPoint | None = None,
) -> Finding:
    """What a complete CRL, continued by the newest of ``deltas`` that fits, says about a certificate.

    Good: not in them, and they are fresh, fully understood, and cover this certificate for all reasons.
    """
    judge = CrlJudge(certificate, at, policy)
    return judge.finding(SourcedCrl(crl, source, seen_number, fetched_for), deltas)


class CrlJudge:
    """Judges one certificate by one CRL after the other, and adds up the reasons that they cover.

    :raises RotationError: ``certificate_unreadable``.
    """

    def __init__(self, certificate: x509.Certificate, at: datetime, policy: RevocationPolicy) -> None:
        self.target = Target.of(certificate)
        self._at = at
        self._policy = policy
        self._covered: Reasons = frozenset()

    def finding(self, base: SourcedCrl, deltas: Iterable[SourcedCrl] = ()) -> Finding:
        """What a complete CRL says, continued by the newest of ``deltas`` that fits.

        Good also, if it covers the last of the reasons that the CRLs judged before did not cover.
        """
        if base.crl.claims.is_delta:
            return self.delta_finding(base)
        delta = self._newest(base, deltas)
        finding = self._finding(base, delta)
        if delta is None:
            return finding
        evidence = dataclasses.replace(
            finding.evidence, delta=_evidence(delta, self.target, finding.status, (), "", None)
        )
        return dataclasses.replace(finding, evidence=evidence)

    def delta_finding(self, delta: SourcedCrl) -> Finding:
        """What a delta CRL says alone: that a certificate is revoked, never that it is not."""
        refusal, entries = self._entries(delta)
        if refusal is not None:
            return refusal
        faults = self._faults(delta)
        listed = [entry for entry in entries if not _lifts(entry)]
        if listed:
            return self._judge_entry(_worst(listed), delta, faults)
        return self._unknown(delta, (Reason.BASE_MISSING, *faults), "a delta CRL without the CRL that it continues")

    def remaining(self, deltas: Sequence[SourcedCrl], bases: Sequence[SourcedCrl]) -> list[Finding]:
        """What deltas say that no base made obsolete: a revocation for good, a hold by a delta that continues another
        complete CRL than those at hand; and without any base, that there is none."""
        found = []
        for delta in deltas:
            finding = self.delta_finding(delta)
            is_obsolete = any(_is_newer(base, delta) or self.applies(delta, base) for base in bases)
            is_final = finding.status is RevocationStatus.REVOKED and Reason.ON_HOLD not in finding.reasons
            is_hold = finding.status is RevocationStatus.REVOKED and not is_final
            if is_final or (is_hold and not is_obsolete) or not bases:
                found.append(finding)
        return found

    def applies(self, delta: SourcedCrl, base: SourcedCrl) -> bool:
        """Does ``delta`` continue ``base`` (RFC 5280 5.2.4 and 6.3.3 c), and is it beyond reproach?"""
        ours, theirs = base.crl.claims, delta.crl.claims
        if theirs.base_number is None or theirs.number is None or ours.number is None:
            return False
        if not _is_same_scope(base, delta) or not theirs.base_number <= ours.number < theirs.number:
            return False
        return not self._faults(delta)

    def _newest(self, base: SourcedCrl, deltas: Iterable[SourcedCrl]) -> SourcedCrl | None:
        fitting = [delta for delta in deltas if self.applies(delta, base)]
        return max(fitting, key=lambda delta: delta.crl.claims.number or 0, default=None)

    def _finding(self, base: SourcedCrl, delta: SourcedCrl | None) -> Finding:
        refusal, entries = self._entries(base)
        if refusal is not None:
            return refusal
        # Together they are as new as the delta CRL (RFC 5280 5.2.4), so the complete one may have run out.
        faults = self._faults(base, is_continued=delta is not None)
        if any(_lifts(entry) for entry in entries):
            return self._unknown(base, (Reason.MISPLACED_ENTRY, *faults), "the entry lifts a hold, in a complete CRL")
        if delta is not None:
            refusal, newer = self._entries(delta)
            if refusal is not None:
                return refusal
            entries = _continued(entries, newer)
        if entries:
            return self._judge_entry(_worst(entries), base, faults)
        return self._absent(base, faults)

    def _entries(self, sourced: SourcedCrl) -> tuple[Finding | None, list[CrlEntry]]:
        """The entries about the certificate, or why there is nothing to be had from this CRL."""
        crl, target = sourced.crl, self.target
        if not speaks_for(target, crl.claims.issuer, crl.claims.scope):
            detail = "the CRL is not of the certificate's issuer, nor of whom the certificate names instead"
            return self._unknown(sourced, (Reason.ISSUER_MISMATCH,), detail), []
        try:
            entries = crl.entries(target.certificate.serial_number, issuer_name(target.certificate).name)
        except DECODING_ERRORS:
            return self._unknown(sourced, (Reason.UNREADABLE,), "the certificate's entry cannot be decoded"), []
        if entries and not crl.entries_are_ours:
            faults = self._faults(sourced)
            return self._unknown(sourced, faults, "the CRL has an entry that may mean another certificate"), []
        return None, entries

    def _faults(self, sourced: SourcedCrl, *, is_continued: bool = False) -> tuple[Reason, ...]:
        crl = sourced.crl
        faults: tuple[Reason, ...] = crl.faults
        if not is_continued:
            this_update, next_update = crl.claims.this_update, crl.claims.next_update
            faults = freshness_faults(this_update, next_update, at=self._at, policy=self._policy) + faults
        if _went_back(sourced):
            faults += (Reason.CRL_NUMBER_WENT_BACK,)
        return faults

    def _judge_entry(self, entry: CrlEntry, sourced: SourcedCrl, faults: tuple[Reason, ...]) -> Finding:
        """An entry says "revoked" whatever the scope: a serial number belongs to one certificate of its issuer."""
        on_hold = _is_hold(entry)
        if not revocation_stands(faults, entry.revoked_at, on_hold=on_hold, at=self._at, policy=self._policy):
            return self._unknown(sourced, faults, "listed in a CRL that does not speak for this time")
        word = Reason.ON_HOLD if on_hold else Reason.REVOKED
        return Finding(
            _evidence(sourced, self.target, RevocationStatus.REVOKED, (word, *faults), "listed in the CRL", self._at),
            revoked_at=entry.revoked_at,
            revocation_reason=entry.reason.value,
            invalidity_date=entry.invalidity_date,
        )

    def _absent(self, base: SourcedCrl, faults: tuple[Reason, ...]) -> Finding:
        claims = base.crl.claims
        covered = reasons_covered(self.target, claims.issuer, claims.scope, base.fetched_for)
        if not covered:
            faults += (Reason.SCOPE_MISMATCH,)
        if faults:
            return self._unknown(base, faults, "not in the CRL, which does not prove anything here")
        self._covered |= covered
        if covered == all_reasons():
            return self._good(base, "not in the CRL", None)
        words = tuple(sorted(reason.value for reason in covered))
        if self._covered == all_reasons():
            return self._good(base, "not in the CRL, which covers the reasons that the others do not", words)
        detail = "not in the CRL, which covers some reasons only"
        partial = self._unknown(base, (Reason.PARTIAL_REASONS,), detail).evidence
        return Finding(dataclasses.replace(partial, reasons_covered=words))

    def _good(self, base: SourcedCrl, detail: str, covered: tuple[str, ...] | None) -> Finding:
        evidence = _evidence(base, self.target, RevocationStatus.GOOD, (), detail, self._at)
        return Finding(evidence if covered is None else dataclasses.replace(evidence, reasons_covered=covered))

    def _unknown(self, sourced: SourcedCrl, reasons: tuple[Reason, ...], detail: str) -> Finding:
        return Finding(_evidence(sourced, self.target, RevocationStatus.UNKNOWN, reasons, detail, self._at))


def _went_back(sourced: SourcedCrl) -> bool:
    number = sourced.crl.claims.number
    return number is not None and sourced.seen_number is not None and number < sourced.seen_number


def _is_same_scope(one: SourcedCrl, other: SourcedCrl) -> bool:
    """Are they of the same issuer, for the same certificates and reasons, signed with the same key?"""
    ours, theirs = one.crl.claims, other.crl.claims
    return (ours.issuer, ours.scope, ours.key_id) == (theirs.issuer, theirs.scope, theirs.key_id) and has_same_key(
        one.crl.signer, other.crl.signer
    )


def _is_newer(base: SourcedCrl, delta: SourcedCrl) -> bool:
    ours, theirs = base.crl.claims, delta.crl.claims
    if ours.number is None or theirs.number is None or not _is_same_scope(base, delta):
        return False
    return ours.number >= theirs.number


def _continued(entries: list[CrlEntry], newer: list[CrlEntry]) -> list[CrlEntry]:
    """What remains of the entries of a complete CRL after those of its delta CRL. Only holds can be lifted."""
    listed = [entry for entry in newer if not _lifts(entry)]
    if len(listed) < len(newer):
        entries = [entry for entry in entries if not _is_hold(entry)]
    return entries + listed


def _worst(entries: Sequence[CrlEntry]) -> CrlEntry:
    """Of several entries about one certificate, a final one, and the earliest."""
    return min(entries, key=lambda entry: (_is_hold(entry), entry.revoked_at))


def _lifts(entry: CrlEntry) -> bool:
    return entry.reason is x509.ReasonFlags.remove_from_crl


def _is_hold(entry: CrlEntry) -> bool:
    return entry.reason is x509.ReasonFlags.certificate_hold


def _evidence(
    sourced: SourcedCrl,
    target: Target,
    status: RevocationStatus,
    reasons: tuple[Reason, ...],
    detail: str,
    at: datetime | None,
) -> Evidence:
    """:param at: the time judged for, None for a CRL that is no answer of its own."""
    claims = sourced.crl.claims
    return Evidence(
        serial=serial_hex(target.certificate.serial_number),
        source=sourced.source,
        status=status,
        reasons=reasons,
        detail=detail,
        this_update=claims.this_update,
        next_update=claims.next_update,
        crl_number=claims.number,
        signer=sourced.crl.signer_name,
        sha256=claims.sha256,
        size=claims.size,
        age=None if at is None else int((at - claims.this_update).total_seconds()),
    )
