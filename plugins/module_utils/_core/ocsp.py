# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCSP: what to ask, and what an answer, stapled ones included, is worth (RFC 6960, RFC 9919)."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import urllib.parse
from datetime import datetime, timezone
from typing import Callable

from ansible_collections.certops.rotation.plugins.module_utils._core import ocsp_extension
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    extension,
    key_bits,
    serial_hex,
    spki_bytes,
    subject_bytes,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import is_issued_by
from ansible_collections.certops.rotation.plugins.module_utils._core.distinguished_name import is_same_name
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.freshness import (
    freshness_faults,
    revocation_stands,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    DECODING_ERRORS,
    hashes,
    ocsp,
    oid,
    serialization,
    x509,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.signature import ocsp_signature_fault
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Evidence,
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    no_answer,
)

_LONGEST_GET = 255  # RFC 9919 section 6: GET if the whole URL is no longer
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

DelegateStatus = Callable[[x509.Certificate], RevocationStatus]


def never_checked(_delegate: x509.Certificate) -> RevocationStatus:
    """For callers that cannot check a responder's own certificate: only one with id-pkix-ocsp-nocheck will do."""
    return RevocationStatus.UNKNOWN


def build_request(leaf: x509.Certificate, issuer: x509.Certificate, algorithm: str = "sha256") -> bytes:
    """An unsigned request about one certificate, without extensions (RFC 9919 section 3). ``sha256`` or ``sha1``."""
    chosen = hashes.SHA1() if algorithm == "sha1" else hashes.SHA256()
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, chosen)
    return builder.build().public_bytes(serialization.Encoding.DER)


def get_url(responder_url: str, request: bytes) -> str | None:
    """The URL to GET, None where it would be too long and the request must be POSTed."""
    encoded = urllib.parse.quote(base64.b64encode(request).decode("ascii"), safe="")
    url = responder_url.rstrip("/") + "/" + encoded
    return url if len(url) <= _LONGEST_GET else None


def judge_ocsp(
    response: bytes,
    *,
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    policy: RevocationPolicy,
    source: Source,
    delegate_status: DelegateStatus = never_checked,
) -> Finding:
    """What a response says about ``leaf``, whose issuer is ``issuer``. Never raises for what is in ``response``."""
    serial = serial_hex(leaf.serial_number)
    try:
        loaded = ocsp.load_der_ocsp_response(response)
        if loaded.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return _error_status(loaded, serial, source)
        judge = _Judge(loaded, leaf, issuer, at, policy, delegate_status)
        finding = judge.finding(source)
    except DECODING_ERRORS:
        return no_answer(serial, source, Reason.UNREADABLE, "the response cannot be decoded")
    except RotationError as error:
        return no_answer(serial, source, Reason.UNREADABLE, error.message)
    evidence = dataclasses.replace(finding.evidence, sha256=hashlib.sha256(response).hexdigest(), size=len(response))
    return dataclasses.replace(finding, evidence=evidence)


def _error_status(response: ocsp.OCSPResponse, serial: str, source: Source) -> Finding:
    """Errors are unsigned, so anyone may have sent them: they prove nothing."""
    name = response.response_status.name.lower()
    return no_answer(serial, source, Reason.RESPONDER_ERROR, f"the responder answered with the error {name}")


class _RefusedError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class _Judge:
    """One response, and what it is to be judged for."""

    response: ocsp.OCSPResponse
    leaf: x509.Certificate
    issuer: x509.Certificate
    at: datetime
    policy: RevocationPolicy
    delegate_status: DelegateStatus

    def finding(self, source: Source) -> Finding:
        serial = serial_hex(self.leaf.serial_number)
        try:
            if not any(self._is_about_leaf(single) for single in self.response.responses):
                raise _RefusedError(Reason.OTHER_CERTIFICATE, "the response is about other certificates")
            signer = self._signer()
            critical = ocsp_extension.unknown_critical(self.response.tbs_response_bytes)
            if critical.in_response:
                raise _RefusedError(Reason.CRITICAL_EXTENSION, "the response has a critical extension unknown here")
            singles = [
                self._single(single, odd, signer, source)
                for single, odd in zip(self.response.responses, critical.in_singles, strict=True)
                if self._is_about_leaf(single)
            ]
        except _RefusedError as refused:
            return no_answer(serial, source, refused.reason, str(refused))
        return min(singles, key=_rank)

    def _signer(self) -> x509.Certificate:
        """Who signed, if that is the CA itself or a responder to which it delegated (RFC 6960 4.2.2.2)."""
        refusals = [
            _RefusedError(Reason.RESPONDER_NOT_AUTHORISED, "the certificate of the responder is not in the response")
        ]
        for candidate in (self.issuer, *self.response.certificates):
            if not self._is_responder(candidate):
                continue
            try:
                self._check_authority(candidate)
                self._check_signature(candidate)
                return candidate
            except _RefusedError as refused:
                refusals.append(refused)
        raise refusals[-1]

    def _is_responder(self, certificate: x509.Certificate) -> bool:
        name, key_hash = self.response.responder_name, self.response.responder_key_hash
        if name is not None:
            return is_same_name(name, certificate.subject)
        return key_hash == hashlib.sha1(key_bits(certificate)).digest()  # the hash is fixed in RFC 6960 4.2.1

    def _check_signature(self, signer: x509.Certificate) -> None:
        fault = ocsp_signature_fault(self.response, signer)
        if fault is not None:
            raise _RefusedError(fault, "the signature of the response does not hold")

    def _check_authority(self, signer: x509.Certificate) -> None:
        """A delegate must be certified for OCSP signing by the very CA; else any leaf of that CA could vouch."""
        if bytes(spki_bytes(signer)) == bytes(spki_bytes(self.issuer)):
            return
        if not is_issued_by(signer, self.issuer):
            raise _RefusedError(
                Reason.RESPONDER_NOT_AUTHORISED, "the responder's certificate is not issued by the CA itself"
            )
        purposes = extension(signer, x509.ExtendedKeyUsage)
        if purposes is None or oid.ExtendedKeyUsageOID.OCSP_SIGNING not in purposes:
            raise _RefusedError(Reason.RESPONDER_NOT_AUTHORISED, "the responder's certificate is not for OCSP signing")
        usage = extension(signer, x509.KeyUsage)
        if usage is not None and not (usage.digital_signature or usage.content_commitment):
            raise _RefusedError(Reason.RESPONDER_NOT_AUTHORISED, "the responder's key is not for signatures (keyUsage)")
        begins, ends = signer.not_valid_before_utc, signer.not_valid_after_utc
        if not begins - self.policy.tolerance <= self.at <= ends:
            raise _RefusedError(Reason.RESPONDER_EXPIRED, "the responder's certificate is not valid at this time")
        if extension(signer, x509.OCSPNoCheck) is None:
            self._check_status(signer)

    def _check_status(self, signer: x509.Certificate) -> None:
        status = self.delegate_status(signer)
        if status is RevocationStatus.REVOKED:
            raise _RefusedError(Reason.RESPONDER_REVOKED, "the responder's certificate is revoked")
        if status is not RevocationStatus.GOOD:
            raise _RefusedError(
                Reason.RESPONDER_STATUS_UNKNOWN, "whether the responder's certificate is revoked could not be found out"
            )

    def _is_about_leaf(self, single: ocsp.OCSPSingleResponse) -> bool:
        """By hashing in the algorithm of each CertID: one response may carry a SHA-1 and a SHA-256 one."""
        if single.serial_number != self.leaf.serial_number:
            return False
        name = hashlib.new(single.hash_algorithm.name, subject_bytes(self.issuer)).digest()
        key = hashlib.new(single.hash_algorithm.name, key_bits(self.issuer)).digest()
        return (single.issuer_name_hash, single.issuer_key_hash) == (name, key)

    def _single(
        self, single: ocsp.OCSPSingleResponse, has_unknown_critical: bool, signer: x509.Certificate, source: Source
    ) -> Finding:
        faults = freshness_faults(single.this_update_utc, single.next_update_utc, at=self.at, policy=self.policy)
        if self.response.produced_at_utc > self.at + self.policy.tolerance and Reason.FROM_THE_FUTURE not in faults:
            faults += (Reason.FROM_THE_FUTURE,)
        if has_unknown_critical:
            faults += (Reason.CRITICAL_EXTENSION,)
        status, reasons, detail = self._status(single, faults)
        evidence = Evidence(
            serial=serial_hex(self.leaf.serial_number),
            source=source,
            status=status,
            reasons=reasons,
            detail=detail,
            this_update=single.this_update_utc,
            next_update=single.next_update_utc,
            produced_at=self.response.produced_at_utc,
            signer=signer.subject.rfc4514_string(),
        )
        if status is not RevocationStatus.REVOKED:
            return Finding(evidence)
        reason = single.revocation_reason
        return Finding(evidence, single.revocation_time_utc, reason.value if reason else "unspecified")

    def _status(
        self, single: ocsp.OCSPSingleResponse, faults: tuple[Reason, ...]
    ) -> tuple[RevocationStatus, tuple[Reason, ...], str]:
        revoked_at = single.revocation_time_utc
        if single.certificate_status is ocsp.OCSPCertStatus.REVOKED and revoked_at is not None:
            on_hold = single.revocation_reason is x509.ReasonFlags.certificate_hold
            if revocation_stands(faults, revoked_at, on_hold=on_hold, at=self.at, policy=self.policy):
                return RevocationStatus.REVOKED, (*_kind_of_revoked(single), *faults), "the responder says revoked"
            return RevocationStatus.UNKNOWN, faults, "the responder says revoked, but not for this time"
        if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
            return RevocationStatus.UNKNOWN, (Reason.RESPONDER_SAYS_UNKNOWN, *faults), "the responder does not know it"
        if faults or single.certificate_status is not ocsp.OCSPCertStatus.GOOD:
            return (
                RevocationStatus.UNKNOWN,
                faults or (Reason.UNREADABLE,),
                "the responder says good, but not for this time",
            )
        return RevocationStatus.GOOD, (), "the responder says good"


def _kind_of_revoked(single: ocsp.OCSPSingleResponse) -> tuple[Reason, ...]:
    if single.revocation_reason is not x509.ReasonFlags.certificate_hold:
        return (Reason.REVOKED,)
    if single.revocation_time_utc == _EPOCH:  # RFC 6960 2.2: how a responder refuses certificates it never issued
        return (Reason.REVOKED, Reason.NOT_ISSUED)
    return (Reason.ON_HOLD,)


def _rank(finding: Finding) -> int:
    """Which of several answers about the same certificate counts: revoked, then "unknown", then good, then none."""
    if finding.status is RevocationStatus.REVOKED:
        return 0
    if finding.reasons == (Reason.RESPONDER_SAYS_UNKNOWN,):
        return 1
    return 2 if finding.status is RevocationStatus.GOOD else 3
