# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OCSP response, stapled ones included, is worth (RFC 6960, RFC 9919, RFC 9654)."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    key_bits,
    serial_hex,
    subject_bytes,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.freshness import (
    freshness_faults,
    revocation_stands,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS, ocsp, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp_extension import (
    ResponseExtensions,
    SingleExtensions,
    response_extensions,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp_responder import (
    Authority,
    DelegateStatus,
    RefusedError,
    never_checked,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Evidence,
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    no_answer,
)

_LARGEST = 1 << 20  # bytes; a response with a few certificates has some thousand
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_ERRORS = {
    "malformed_request": "the request is not understood",
    "internal_error": "something is wrong inside the responder",
    "try_later": "the responder is too busy now",
    "sig_required": "only signed requests are answered",
    "unauthorized": "the responder has no record of the certificate, or will not tell",
}
_FAULTS = {
    Reason.STALE: "that has expired",
    Reason.FROM_THE_FUTURE: "that is of a later time",
    Reason.NEXT_UPDATE_MISSING: "it does not say until when (no nextUpdate)",
    Reason.CRITICAL_EXTENSION: "it has a critical extension unknown here",
    Reason.NONCE_MISMATCH: "it answers another question (nonce)",
}

# NotImplementedError is what the library raises for what is well-formed, but unusual.
_UNREADABLE: tuple[type[Exception], ...] = (*DECODING_ERRORS, NotImplementedError)


def judge_ocsp(
    response: bytes,
    *,
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    policy: RevocationPolicy,
    source: Source,
    delegate_status: DelegateStatus = never_checked,
    nonce: bytes | None = None,
) -> Finding:
    """What a response says about ``leaf``, whose issuer is ``issuer``. Never raises for what is in ``response``.

    :param nonce: what was asked with; without one, a nonce in the response does not count (RFC 9919 section 5).
    """
    serial = serial_hex(leaf.serial_number)
    try:
        if len(response) > _LARGEST:
            finding = no_answer(serial, source, Reason.TOO_LARGE, f"the response has more than {_LARGEST} bytes")
        else:
            authority = Authority(leaf, issuer, at, policy, delegate_status)
            finding = _judge(ocsp.load_der_ocsp_response(response), authority, source, nonce)
    except _UNREADABLE:
        finding = no_answer(serial, source, Reason.UNREADABLE, "the response cannot be decoded")
    except RotationError as error:
        finding = no_answer(serial, source, Reason.UNREADABLE, error.message)
    evidence = dataclasses.replace(finding.evidence, sha256=hashlib.sha256(response).hexdigest(), size=len(response))
    return dataclasses.replace(finding, evidence=evidence)


def error_status(response: bytes) -> str | None:
    """``try_later``, ``unauthorized``, … if that is all it says. Unsigned, so anyone may have sent it."""
    try:
        status = ocsp.load_der_ocsp_response(response).response_status
    except _UNREADABLE:
        return None
    return None if status is ocsp.OCSPResponseStatus.SUCCESSFUL else status.name.lower()


def _judge(response: ocsp.OCSPResponse, authority: Authority, source: Source, nonce: bytes | None) -> Finding:
    serial = serial_hex(authority.leaf.serial_number)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        name = response.response_status.name.lower()
        detail = f"the responder answered with the error {name}: {_ERRORS.get(name, 'unknown')}"
        return no_answer(serial, source, Reason.RESPONDER_ERROR, detail)
    singles = list(response.responses)
    matching = [index for index, single in enumerate(singles) if _is_about(single, authority)]
    try:
        if not matching:
            raise RefusedError(Reason.OTHER_CERTIFICATE, "the response is about other certificates")
        signer = authority.signer(response)
    except RefusedError as refused:
        return no_answer(serial, source, refused.reason, str(refused))
    extensions = response_extensions(response.tbs_response_bytes)
    judge = _Judge(response, authority, source, signer, extensions, nonce)
    return min((judge.finding(singles[index], extensions.singles[index]) for index in matching), key=_rank)


def _is_about(single: ocsp.OCSPSingleResponse, authority: Authority) -> bool:
    """By hashing in the algorithm of each CertID: one response may carry a SHA-1 and a SHA-256 one (RFC 9919 3.2.1)."""
    if single.serial_number != authority.leaf.serial_number:
        return False
    try:
        algorithm = single.hash_algorithm.name
        name = hashlib.new(algorithm, subject_bytes(authority.issuer)).digest()
        key = hashlib.new(algorithm, key_bits(authority.issuer)).digest()
    except DECODING_ERRORS:
        return False  # an unknown hash
    return (single.issuer_name_hash, single.issuer_key_hash) == (name, key)


@dataclasses.dataclass(frozen=True)
class _Judge:
    """A response whose signature holds, and what it is to be judged for."""

    response: ocsp.OCSPResponse
    authority: Authority
    source: Source
    signer: x509.Certificate
    extensions: ResponseExtensions
    nonce: bytes | None

    def finding(self, single: ocsp.OCSPSingleResponse, extensions: SingleExtensions) -> Finding:
        """What one SingleResponse says."""
        status, reasons, detail = self._status(single, self._faults(single, extensions))
        evidence = Evidence(
            serial=serial_hex(self.authority.leaf.serial_number),
            source=self.source,
            status=status,
            reasons=reasons,
            detail=detail + self._note(),
            this_update=single.this_update_utc,
            next_update=single.next_update_utc,
            produced_at=self.response.produced_at_utc,
            archive_cutoff=extensions.archive_cutoff,
            signer=self.signer.subject.rfc4514_string(),
        )
        if status is not RevocationStatus.REVOKED:
            return Finding(evidence)
        reason = _reason(single)
        word = reason.value if reason else "unspecified"
        return Finding(evidence, single.revocation_time_utc, word, extensions.invalidity_date)

    def _faults(self, single: ocsp.OCSPSingleResponse, extensions: SingleExtensions) -> tuple[Reason, ...]:
        """What keeps it from being good; a revocation may stand all the same."""
        at, policy = self.authority.at, self.authority.policy
        faults = freshness_faults(single.this_update_utc, single.next_update_utc, at=at, policy=policy)
        if self.response.produced_at_utc > at + policy.tolerance and Reason.FROM_THE_FUTURE not in faults:
            faults += (Reason.FROM_THE_FUTURE,)
        if extensions.has_unknown_critical or self.extensions.has_unknown_critical:
            faults += (Reason.CRITICAL_EXTENSION,)
        if self.nonce is not None and self.extensions.nonces not in ((), (self.nonce,)):
            faults += (Reason.NONCE_MISMATCH,)
        return faults

    def _note(self) -> str:
        """Without the nonce it may be a replay; its dates must do (RFC 9919 section 5)."""
        if self.nonce is None or self.extensions.nonces:
            return ""
        return "; it does not repeat the nonce, so nothing but its dates says how fresh it is"

    def _status(
        self, single: ocsp.OCSPSingleResponse, faults: tuple[Reason, ...]
    ) -> tuple[RevocationStatus, tuple[Reason, ...], str]:
        said, revoked_at = single.certificate_status, single.revocation_time_utc
        but = ", but " + " and ".join(_FAULTS.get(fault, fault.value) for fault in faults) if faults else ""
        if said is ocsp.OCSPCertStatus.REVOKED and revoked_at is not None:
            on_hold = _reason(single) is x509.ReasonFlags.certificate_hold
            at, policy = self.authority.at, self.authority.policy
            if revocation_stands(faults, revoked_at, on_hold=on_hold, at=at, policy=policy):
                return RevocationStatus.REVOKED, (*_kind_of_revoked(single), *faults), "the responder says revoked"
            return RevocationStatus.UNKNOWN, faults, "the responder says revoked" + but
        if said is ocsp.OCSPCertStatus.UNKNOWN:
            return RevocationStatus.UNKNOWN, (Reason.RESPONDER_SAYS_UNKNOWN, *faults), "the responder does not know it"
        if faults or said is not ocsp.OCSPCertStatus.GOOD:
            return RevocationStatus.UNKNOWN, faults or (Reason.UNREADABLE,), "the responder says good" + but
        return RevocationStatus.GOOD, (), "the responder says good"


def _reason(single: ocsp.OCSPSingleResponse) -> x509.ReasonFlags | None:
    """None also for a number that no standard knows: revoked is revoked, whatever for."""
    try:
        return single.revocation_reason
    except DECODING_ERRORS:
        return None


def _kind_of_revoked(single: ocsp.OCSPSingleResponse) -> tuple[Reason, ...]:
    if _reason(single) is not x509.ReasonFlags.certificate_hold:
        return (Reason.REVOKED,)
    if single.revocation_time_utc == _EPOCH:  # RFC 6960 2.2: how a responder refuses certificates it never issued
        return (Reason.REVOKED, Reason.NOT_ISSUED)
    return (Reason.ON_HOLD,)


def _rank(finding: Finding) -> int:
    """Which of several answers about the same certificate counts.

    Revoked before all. Then "unknown", because a responder that contradicts itself vouches for nothing; but an expired
    answer contradicts nothing.
    """
    if finding.status is RevocationStatus.REVOKED:
        return 0
    if finding.reasons == (Reason.RESPONDER_SAYS_UNKNOWN,):
        return 1
    return 2 if finding.status is RevocationStatus.GOOD else 3
