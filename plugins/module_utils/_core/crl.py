# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRLs: read, then verified and indexed once for as many certificates as there are (RFC 5280 section 5).

What they say is in crl_judgement.py.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime
from typing import TypeVar

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    extension,
    spki_bytes,
    subject_key_id,
    uris,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_entry import CrlEntry, decode_entry
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_index import EntryIndex
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_outline import CrlOutline, crl_outline
from ansible_collections.certops.rotation.plugins.module_utils._core.distinguished_name import (
    Comparable,
    comparable,
    is_same_name,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.distribution_point import (
    Scope,
    freshest_urls,
    scope_of,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS, oid, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.signature import crl_signature_fault
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Reason

_UNDERSTOOD = frozenset({
    oid.ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    oid.ExtensionOID.CRL_NUMBER,
    oid.ExtensionOID.ISSUING_DISTRIBUTION_POINT,
    oid.ExtensionOID.DELTA_CRL_INDICATOR,
    oid.ExtensionOID.FRESHEST_CRL,
})  # fmt: skip

_Value = TypeVar("_Value", bound=x509.ExtensionType)


@dataclasses.dataclass(frozen=True, eq=False)
class UnverifiedCrl:
    """What a CRL claims. Made by ``read_crl``."""

    name: x509.Name
    issuer: Comparable
    """the same name, to be compared"""
    this_update: datetime
    next_update: datetime | None
    number: int | None
    base_number: int | None
    """BaseCRLNumber: this is a delta CRL, which continues complete CRLs from this number on"""
    scope: Scope
    key_id: bytes | None
    """authorityKeyIdentifier: which key of the issuer it is signed with"""
    freshest_urls: tuple[str, ...]
    ca_issuers_urls: tuple[str, ...]
    has_critical_extension: bool
    """one that is not understood"""
    is_too_old_a_version: bool
    """it has extensions, but claims to be of version 1, which has none"""
    sha256: str
    size: int
    _outline: CrlOutline

    @property
    def is_delta(self) -> bool:
        return self.base_number is not None


@dataclasses.dataclass(frozen=True, eq=False)
class VerifiedCrl:
    """A CRL that was signed with the key of ``signer``. Made by ``verify_crl`` only."""

    claims: UnverifiedCrl
    signer: x509.Certificate
    signer_name: str
    faults: tuple[Reason, ...]
    """what keeps an absence from this CRL from meaning anything"""
    entries_are_ours: bool
    """False if it cannot be told whose certificates its entries are"""
    stream: str
    """the same for all CRLs with increasing numbers: same key, same scope, deltas apart from complete ones"""
    _index: EntryIndex

    def __len__(self) -> int:
        return len(self._index)

    def entries(self, serial: int, issuer: x509.Name) -> list[CrlEntry]:
        """The entries about a certificate, normally one at most. ValueError if one cannot be decoded."""
        found = []
        for entry, issuers in self._index.find(serial):
            names = [self.claims.name] if issuers is None else issuers
            if any(is_same_name(name, issuer) for name in names):
                found.append(decode_entry(entry))
        return found


def read_crl(data: bytes) -> UnverifiedCrl:
    """A CRL (DER or PEM) without its entries. Nothing of it is verified.

    :raises RotationError: its code is the value of a ``Reason``: unreadable, unsupported_version.
    """
    try:
        return _claims(data, crl_outline(data))
    except x509.InvalidVersion as exc:
        raise _refused(Reason.UNSUPPORTED_VERSION, f"a CRL of version {exc.parsed_version + 1}") from exc
    except DECODING_ERRORS as exc:
        raise _refused(Reason.UNREADABLE, "what was received is no CRL that can be decoded") from exc


def verify_crl(data: bytes | UnverifiedCrl, *, issuer: x509.Certificate) -> VerifiedCrl:
    """A CRL of the CA ``issuer``, signed with the key of this certificate.

    :raises RotationError: its code is the value of a ``Reason``: unreadable, unsupported_version, issuer_mismatch,
        signer_not_authorised, signature_invalid, signature_weak, signature_unsupported.
    """
    claims = data if isinstance(data, UnverifiedCrl) else read_crl(data)
    try:
        _check_signer(claims, issuer)
        return _verified(claims, issuer)
    except DECODING_ERRORS as exc:
        raise _refused(Reason.UNREADABLE, "the entries of the CRL cannot be decoded") from exc


def _claims(data: bytes, outline: CrlOutline) -> UnverifiedCrl:
    head = outline.head
    aki = _value(head.extensions, x509.AuthorityKeyIdentifier)
    number = _value(head.extensions, x509.CRLNumber)
    base = _value(head.extensions, x509.DeltaCRLIndicator)
    return UnverifiedCrl(
        name=head.issuer,
        issuer=comparable(head.issuer),
        this_update=head.last_update_utc,
        next_update=head.next_update_utc,
        number=number.crl_number if number else None,
        base_number=base.crl_number if base else None,
        scope=scope_of(_value(head.extensions, x509.IssuingDistributionPoint), head.issuer),
        key_id=aki.key_identifier if aki else None,
        freshest_urls=freshest_urls(_value(head.extensions, x509.FreshestCRL) or ()),
        ca_issuers_urls=_ca_issuers_urls(_value(head.extensions, x509.AuthorityInformationAccess)),
        has_critical_extension=any(each.critical and each.oid not in _UNDERSTOOD for each in head.extensions),
        is_too_old_a_version=not outline.has_version and len(head.extensions) > 0,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        _outline=outline,
    )


def _check_signer(claims: UnverifiedCrl, signer: x509.Certificate) -> None:
    if not is_same_name(claims.name, signer.subject):
        raise _refused(Reason.ISSUER_MISMATCH, f"the CRL is of {claims.name.rfc4514_string()}")
    ski = subject_key_id(signer)
    if claims.key_id is not None and ski is not None and claims.key_id != ski:
        raise _refused(Reason.ISSUER_MISMATCH, "the CRL is signed with another key of the CA (authorityKeyIdentifier)")
    usage = extension(signer, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        raise _refused(Reason.SIGNER_NOT_AUTHORISED, "the CA may not sign CRLs (keyUsage)")
    outline = claims._outline
    fault = crl_signature_fault(outline.head, outline.tbs, signer)
    if fault is not None:
        raise _refused(fault, "the signature of the CRL does not hold")


def _verified(claims: UnverifiedCrl, signer: x509.Certificate) -> VerifiedCrl:
    outline = claims._outline
    index = EntryIndex(outline.data, outline.entries_start, outline.entries_end)
    faults = []
    if claims.is_too_old_a_version:
        faults.append(Reason.UNSUPPORTED_VERSION)
    has_foreign_entries = index.has_certificate_issuers and not claims.scope.is_indirect
    if claims.has_critical_extension or index.has_unknown_critical or has_foreign_entries:
        faults.append(Reason.CRITICAL_EXTENSION)
    kind = b"delta" if claims.is_delta else b"complete"
    stream = hashlib.sha256(b"\0".join([spki_bytes(signer), outline.scope_bytes, kind])).hexdigest()
    return VerifiedCrl(
        claims=claims,
        signer=signer,
        signer_name=signer.subject.rfc4514_string(),
        faults=tuple(faults),
        entries_are_ours=not (index.has_unknown_critical or has_foreign_entries),
        stream=stream,
        _index=index,
    )


def _ca_issuers_urls(access: x509.AuthorityInformationAccess | None) -> tuple[str, ...]:
    method = oid.AuthorityInformationAccessOID.CA_ISSUERS
    return uris([entry.access_location for entry in access or () if entry.access_method == method])


def _value(extensions: x509.Extensions, kind: type[_Value]) -> _Value | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _refused(reason: Reason, message: str) -> RotationError:
    return RotationError(reason.value, message)
