# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRLs: verified and indexed once, then asked about as many certificates as there are (RFC 5280 sections 5 and 6.3).

Not evaluated yet: delta CRLs, indirect CRLs, the union of CRLs for some reasons each, and CRLs signed with another
key of the CA than the certificate was. None of them can give "good"; each has its own reason.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    extension,
    serial_hex,
    subject_key_id,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.distinguished_name import is_same_name
from ansible_collections.certops.rotation.plugins.module_utils._core.distribution_point import (
    Scope,
    covers_all_reasons,
    scope_of,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.freshness import (
    freshness_faults,
    revocation_stands,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS, oid, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.signature import crl_signature_fault
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Evidence,
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
)

_CRITICAL = b"\x01\x01\xff"  # BOOLEAN TRUE, as every critical extension has it
_UNDERSTOOD = frozenset({
    oid.ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    oid.ExtensionOID.CRL_NUMBER,
    oid.ExtensionOID.ISSUING_DISTRIBUTION_POINT,
    oid.ExtensionOID.DELTA_CRL_INDICATOR,
})  # fmt: skip
_UNDERSTOOD_IN_ENTRIES = frozenset({oid.CRLEntryExtensionOID.CRL_REASON, oid.CRLEntryExtensionOID.INVALIDITY_DATE})

_Value = TypeVar("_Value", bound=x509.ExtensionType)


@dataclasses.dataclass(frozen=True)
class CrlEntry:
    """One revoked certificate."""

    revoked_at: datetime
    reason: x509.ReasonFlags
    invalidity_date: datetime | None


@dataclasses.dataclass(frozen=True, eq=False)
class VerifiedCrl:
    """A CRL that its issuer has signed. Made by ``verify_crl`` only."""

    issuer: x509.Certificate
    this_update: datetime
    next_update: datetime | None
    number: int | None
    scope: Scope
    faults: tuple[Reason, ...]
    """what keeps an absence from this CRL from meaning anything"""
    entries_are_ours: bool
    """False if entries may belong to other issuers, or carry critical extensions that are not understood"""
    sha256: str
    size: int
    _crl: x509.CertificateRevocationList
    _positions: Mapping[int, int]

    def __len__(self) -> int:
        return len(self._positions)

    def entry(self, serial: int) -> CrlEntry | None:
        """The entry of a serial number, in constant time. ValueError if it cannot be decoded."""
        position = self._positions.get(serial)
        return None if position is None else _entry(self._crl[position])


def verify_crl(data: bytes, *, issuer: x509.Certificate) -> VerifiedCrl:
    """A CRL (DER or PEM) of exactly this issuer.

    :raises RotationError: its code is the value of a ``Reason``: unreadable, issuer_mismatch, signer_not_authorised,
        signature_invalid, signature_weak, signature_unsupported.
    """
    try:
        return _verified(data, issuer)
    except DECODING_ERRORS as exc:
        raise _refused(Reason.UNREADABLE, "what was received is no CRL that can be decoded") from exc


def judge_crl(
    crl: VerifiedCrl, *, certificate: x509.Certificate, at: datetime, policy: RevocationPolicy, source: Source
) -> Finding:
    """What a CRL of the certificate's issuer says about it.

    Good: not in it, and the CRL is fresh, fully understood, and covers this certificate for all reasons.
    """
    faults = freshness_faults(crl.this_update, crl.next_update, at=at, policy=policy)
    try:
        entry = crl.entry(certificate.serial_number)
    except DECODING_ERRORS:
        return _finding(crl, certificate, source, (Reason.UNREADABLE,), "the certificate's entry cannot be decoded")
    if entry is not None:
        return _judge_entry(entry, crl, certificate, faults, at=at, policy=policy, source=source)
    faults += crl.faults
    if not crl.scope.covers(certificate):
        faults += (Reason.SCOPE_MISMATCH,)
    elif not covers_all_reasons(crl.scope, certificate):
        faults += (Reason.PARTIAL_REASONS,)
    if faults:
        return _finding(crl, certificate, source, faults, "not in the CRL, which does not prove anything here")
    return _finding(crl, certificate, source, (), "not in the CRL", RevocationStatus.GOOD)


def _judge_entry(
    entry: CrlEntry,
    crl: VerifiedCrl,
    certificate: x509.Certificate,
    faults: tuple[Reason, ...],
    *,
    at: datetime,
    policy: RevocationPolicy,
    source: Source,
) -> Finding:
    """An entry says "revoked" whatever the scope: a serial number belongs to one certificate of its issuer."""
    on_hold = entry.reason is x509.ReasonFlags.certificate_hold
    if entry.reason is x509.ReasonFlags.remove_from_crl:
        return _finding(
            crl, certificate, source, (*faults, Reason.UNSUPPORTED_DELTA), "the entry lifts a hold (delta CRLs only)"
        )
    if not crl.entries_are_ours:
        return _finding(
            crl, certificate, source, (*faults, *crl.faults), "the CRL has an entry that may mean another certificate"
        )
    if not revocation_stands(faults, entry.revoked_at, on_hold=on_hold, at=at, policy=policy):
        return _finding(crl, certificate, source, faults, "listed in a CRL that does not speak for this time")
    word = Reason.ON_HOLD if on_hold else Reason.REVOKED
    finding = _finding(crl, certificate, source, (word, *faults), "listed in the CRL", RevocationStatus.REVOKED)
    return dataclasses.replace(
        finding,
        revoked_at=entry.revoked_at,
        revocation_reason=entry.reason.value,
        invalidity_date=entry.invalidity_date,
    )


def _finding(
    crl: VerifiedCrl,
    certificate: x509.Certificate,
    source: Source,
    reasons: tuple[Reason, ...],
    detail: str,
    status: RevocationStatus = RevocationStatus.UNKNOWN,
) -> Finding:
    return Finding(
        Evidence(
            serial=serial_hex(certificate.serial_number),
            source=source,
            status=status,
            reasons=reasons,
            detail=detail,
            this_update=crl.this_update,
            next_update=crl.next_update,
            crl_number=crl.number,
            signer=crl.issuer.subject.rfc4514_string(),
            sha256=crl.sha256,
            size=crl.size,
        )
    )


def _verified(data: bytes, issuer: x509.Certificate) -> VerifiedCrl:
    crl = _load(data)
    _check_signer(crl, issuer)
    scope = scope_of(_value(crl.extensions, x509.IssuingDistributionPoint))
    odd_entries = _has_unknown_critical_entry(crl)
    number = _value(crl.extensions, x509.CRLNumber)
    return VerifiedCrl(
        issuer=issuer,
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        number=number.crl_number if number else None,
        scope=scope,
        faults=_faults(crl, scope, odd_entries),
        entries_are_ours=not (scope.is_indirect or odd_entries),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        _crl=crl,
        _positions={entry.serial_number: position for position, entry in enumerate(crl)},
    )


def _load(data: bytes) -> x509.CertificateRevocationList:
    if data.lstrip()[:11] == b"-----BEGIN ":  # private CAs do publish PEM
        return x509.load_pem_x509_crl(data)
    return x509.load_der_x509_crl(data)


def _check_signer(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> None:
    if not is_same_name(crl.issuer, issuer.subject):
        raise _refused(Reason.ISSUER_MISMATCH, f"the CRL is of {crl.issuer.rfc4514_string()}")
    aki, ski = _value(crl.extensions, x509.AuthorityKeyIdentifier), subject_key_id(issuer)
    if aki and aki.key_identifier is not None and ski is not None and aki.key_identifier != ski:
        raise _refused(Reason.ISSUER_MISMATCH, "the CRL is signed with another key of the CA (authorityKeyIdentifier)")
    usage = extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        raise _refused(Reason.SIGNER_NOT_AUTHORISED, "the CA may not sign CRLs (keyUsage)")
    fault = crl_signature_fault(crl, issuer)
    if fault is not None:
        raise _refused(fault, "the signature of the CRL does not hold")


def _faults(crl: x509.CertificateRevocationList, scope: Scope, odd_entries: bool) -> tuple[Reason, ...]:
    found = []
    if der.sequence(crl.tbs_certlist_bytes)[0].tag != der.INTEGER:
        found.append(Reason.UNSUPPORTED_VERSION)  # version 1: without extensions it can have no number and no scope
    if _value(crl.extensions, x509.DeltaCRLIndicator) is not None:
        found.append(Reason.UNSUPPORTED_DELTA)
    if scope.is_indirect:
        found.append(Reason.UNSUPPORTED_INDIRECT)
    if odd_entries or any(each.critical and each.oid not in _UNDERSTOOD for each in crl.extensions):
        found.append(Reason.CRITICAL_EXTENSION)
    return tuple(found)


def _has_unknown_critical_entry(crl: x509.CertificateRevocationList) -> bool:
    """RFC 5280 5.3: such a CRL says nothing about any certificate. Decoding each entry is slow: look first."""
    if _CRITICAL not in _entries_bytes(crl):
        return False
    return any(each.critical and each.oid not in _UNDERSTOOD_IN_ENTRIES for entry in crl for each in entry.extensions)


def _entries_bytes(crl: x509.CertificateRevocationList) -> bytes:
    """revokedCertificates as it stands in the CRL: the SEQUENCE that follows the times."""
    times = (der.UTC_TIME, der.GENERALIZED_TIME)
    fields = der.sequence(crl.tbs_certlist_bytes)
    for before, field in itertools.pairwise(fields):
        if before.tag in times and field.tag == der.SEQUENCE:
            return bytes(field.content)
    return b""


def _entry(entry: x509.RevokedCertificate) -> CrlEntry:
    reason = _value(entry.extensions, x509.CRLReason)
    invalidity = _value(entry.extensions, x509.InvalidityDate)
    return CrlEntry(
        revoked_at=entry.revocation_date_utc,
        reason=reason.reason if reason else x509.ReasonFlags.unspecified,
        invalidity_date=invalidity.invalidity_date_utc if invalidity else None,
    )


def _value(extensions: x509.Extensions, kind: type[_Value]) -> _Value | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _refused(reason: Reason, message: str) -> RotationError:
    return RotationError(reason.value, message)
