# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be claimed about a certificate, and why. Values only; who builds them is in ocsp.py, crl.py, conclude.py."""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime, timedelta

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509


class _Word(str, enum.Enum):
    """What ``enum.StrEnum`` is since Python 3.11: its text is its value."""

    def __str__(self) -> str:
        return str.__str__(self)


class RevocationStatus(_Word):
    """Unknown is an answer of its own, never a kind of good."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Reason(_Word):
    """Why a source, or the whole verdict, says what it says."""

    # about revoked
    REVOKED = "revoked"
    ON_HOLD = "on_hold"
    ISSUER_REVOKED = "issuer_revoked"
    NOT_ISSUED = "not_issued"
    """revoked in the sense of RFC 6960 2.2: the responder does not know the certificate as issued"""
    # about the certificate
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    NO_POINTER = "no_pointer"
    SHORT_LIVED = "short_lived"
    """without pointers, because it lives too short to need them"""
    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    CHAIN_INCOMPLETE = "chain_incomplete"
    CHAIN_UNTRUSTED = "chain_untrusted"
    CHAIN_INVALID = "chain_invalid"
    ISSUER_UNKNOWN_STATUS = "issuer_unknown"
    """the certificate itself is not revoked, but that cannot be said of a CA above it"""
    # about an answer
    UNREADABLE = "unreadable"
    STALE = "stale"
    FROM_THE_FUTURE = "from_the_future"
    NEXT_UPDATE_MISSING = "next_update_missing"
    SIGNATURE_INVALID = "signature_invalid"
    SIGNATURE_WEAK = "signature_weak"
    SIGNATURE_UNSUPPORTED = "signature_unsupported"
    CRITICAL_EXTENSION = "critical_extension"
    # about an OCSP response
    RESPONDER_ERROR = "responder_error"
    RESPONDER_NOT_AUTHORISED = "responder_not_authorised"
    RESPONDER_EXPIRED = "responder_expired"
    RESPONDER_STATUS_UNKNOWN = "responder_status_unknown"
    RESPONDER_REVOKED = "responder_revoked"
    OTHER_CERTIFICATE = "other_certificate"
    RESPONDER_SAYS_UNKNOWN = "responder_says_unknown"
    NONCE_MISMATCH = "nonce_mismatch"
    """the answer to another question, which may have been asked long ago"""
    # about a CRL
    ISSUER_MISMATCH = "issuer_mismatch"
    SIGNER_NOT_AUTHORISED = "signer_not_authorised"
    SIGNER_REVOKED = "signer_revoked"
    SIGNER_STATUS_UNKNOWN = "signer_status_unknown"
    """signed by another certificate than the issuer's, of which it cannot be told whether it is revoked"""
    SCOPE_MISMATCH = "scope_mismatch"
    PARTIAL_REASONS = "partial_reasons"
    """the CRL covers some reasons for revocation only, and there is none for the rest"""
    BASE_MISSING = "base_missing"
    """a delta CRL, and no complete CRL at hand that it continues"""
    MISPLACED_ENTRY = "misplaced_entry"
    """an entry that lifts a hold, as only those of delta CRLs can"""
    UNSUPPORTED_VERSION = "unsupported_version"
    UNSUPPORTED_POINTER = "unsupported_pointer"
    # about asking
    UNREACHABLE = "unreachable"
    """refused, reset, broken off, or no TLS that can be trusted"""
    TIMEOUT = "timeout"
    NAME_NOT_RESOLVED = "name_not_resolved"
    HTTP_ERROR = "http_error"
    ADDRESS_REFUSED = "address_refused"
    """the URL leads to an address that this run may not ask"""
    REDIRECT_REFUSED = "redirect_refused"
    TOO_LARGE = "too_large"
    CRL_NUMBER_WENT_BACK = "crl_number_went_back"
    NOT_ASKED = "not_asked"
    """there are pointers, but this run does not fetch"""


class Note(_Word):
    """What else is worth knowing of a verdict, whatever its status. No note changes a status."""

    SOURCES_DISAGREE = "sources_disagree"
    """verified sources that speak for the same time contradict each other: ask the CA"""
    PROPAGATION = "propagation"
    """revoked, and some sources are older than that: ask them again later"""


COULD_NOT_ASK = frozenset({
    Reason.UNREACHABLE,
    Reason.TIMEOUT,
    Reason.NAME_NOT_RESOLVED,
    Reason.HTTP_ERROR,
    Reason.ADDRESS_REFUSED,
    Reason.REDIRECT_REFUSED,
    Reason.TOO_LARGE,
})  # fmt: skip
"""no answer was had that could be judged"""


class SourceKind(_Word):
    CRL = "crl"
    OCSP = "ocsp"
    STAPLE = "staple"


@dataclasses.dataclass(frozen=True)
class Source:
    """Where bytes came from."""

    kind: SourceKind
    url: str | None = None
    """None for what was given as a file or came stapled"""
    method: str | None = None
    seconds: float | None = None
    """how long the fetch took; of one that others waited for, too"""
    cache_hit: bool = False
    """the bytes are the copy that an earlier run kept"""
    cache_state: str | None = None
    """of such a copy: fresh (not asked again), revalidated (the source said it is the same still), source_silent (the
    source was asked and gave no answer)"""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What one source said about one certificate, and what it said it with."""

    serial: str
    source: Source
    status: RevocationStatus
    reasons: tuple[Reason, ...] = ()
    detail: str = ""
    """one sentence for people"""
    this_update: datetime | None = None
    next_update: datetime | None = None
    produced_at: datetime | None = None
    archive_cutoff: datetime | None = None
    """the responder keeps what it knows of certificates that expired since then (RFC 6960 4.4.4)"""
    crl_number: int | None = None
    signer: str | None = None
    sha256: str | None = None
    size: int | None = None
    reasons_covered: tuple[str, ...] | None = None
    """the reasons that a CRL speaks for, where they are not all of them"""
    delta: Evidence | None = None
    """the delta CRL that continues this CRL"""
    age: int | None = None
    """seconds from this_update to the time that was judged for"""


@dataclasses.dataclass(frozen=True)
class Finding:
    """The judged answer of one source. ``status`` is good only if it is verified, fresh and of full scope."""

    evidence: Evidence
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    invalidity_date: datetime | None = None

    @property
    def status(self) -> RevocationStatus:
        return self.evidence.status

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return self.evidence.reasons


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What we may claim about one certificate at one moment."""

    status: RevocationStatus
    decided_at: datetime
    """the time it was judged for, not the wall clock"""
    reasons: tuple[Reason, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    invalidity_date: datetime | None = None
    detail: str = ""
    """what is wrong with the chain, in a sentence; each source has its own in the evidence"""
    is_soft: bool = False
    """unknown, but only for reasons that the policy calls soft: nothing was found wrong and nothing hidden"""
    notes: tuple[Note, ...] = ()


@dataclasses.dataclass(frozen=True)
class StapleFinding:
    """What a stapled response is worth."""

    status: str
    """good, revoked, unknown (the responder does not know), absent, invalid"""
    reasons: tuple[Reason, ...] = ()
    detail: str = ""
    this_update: datetime | None = None
    next_update: datetime | None = None
    produced_at: datetime | None = None
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    sha256: str | None = None


class Prefer(_Word):
    """Which sources are asked."""

    ANY = "any"
    """the CRL, which all certificates of a CA share; OCSP if that gives no answer"""
    OCSP = "ocsp"
    """OCSP alone for a certificate that names a responder, as CAs seldom do"""
    CRL = "crl"
    """the CRL alone for a certificate that names one"""
    BOTH = "both"
    """all of them, so that a disagreement is seen"""


@dataclasses.dataclass(frozen=True)
class RevocationPolicy:
    """What the operator asks of revocation information. None of it can turn unknown into good."""

    prefer: Prefer = Prefer.ANY
    tolerance: timedelta = timedelta(minutes=5)
    """how far clocks may differ"""
    max_age: timedelta | None = None
    """older answers are stale even where their signer calls them fresh"""
    soft_reasons: frozenset[Reason] = frozenset({Reason.SHORT_LIVED})
    judge_issuers: bool = True
    """the CAs between the certificate and its root are judged too"""
    fetch: bool = True
    """ask the network; without it only what is given is judged"""
    nonce: bool = False
    """ask responders for an answer made just now (RFC 9654). Few do that, and no cache can help (RFC 9919 3.1.1)"""
    trusted_responders: tuple[x509.Certificate, ...] = ()
    """certificates whose OCSP responses count for every CA (RFC 6960 4.2.2.2, the first of its three ways)"""


def no_answer(serial: str, source: Source, reason: Reason, detail: str) -> Finding:
    """The finding that a source gave nothing that could be judged."""
    return Finding(Evidence(serial, source, RevocationStatus.UNKNOWN, (reason,), detail))
