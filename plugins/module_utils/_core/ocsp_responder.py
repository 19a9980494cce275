# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signed an OCSP response, and may they? (RFC 6960 section 4.2.2.2)

The CA that certified what the response is about, a responder that this very CA certified for that, or a responder that
the operator trusts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Callable

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    extension,
    key_bits,
    spki_bytes,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.distinguished_name import is_same_name
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    DECODING_ERRORS,
    ocsp,
    oid,
    x509,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp_outline import certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.signature import (
    certificate_signature_fault,
    ocsp_signature_fault,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Reason,
    RevocationPolicy,
    RevocationStatus,
)

DelegateStatus = Callable[[x509.Certificate], RevocationStatus]
"""Whether a responder's own certificate is revoked"""

# A response can carry thousands of certificates that all claim to be the responder's. To look at one costs little, to
# check its signature and that of the response a thousand times more.
_MOST_CERTIFICATES = 64
_MOST_CANDIDATES = 8

_UNREADABLE: tuple[type[Exception], ...] = (RotationError, *DECODING_ERRORS)

_UNDERSTOOD = frozenset({
    oid.ExtensionOID.BASIC_CONSTRAINTS,
    oid.ExtensionOID.KEY_USAGE,
    oid.ExtensionOID.EXTENDED_KEY_USAGE,
    oid.ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    oid.ExtensionOID.CRL_DISTRIBUTION_POINTS,
    oid.ExtensionOID.CERTIFICATE_POLICIES,
    oid.ExtensionOID.OCSP_NO_CHECK,
})  # fmt: skip


class RefusedError(Exception):
    """A response, or a candidate for its signer, is of no use."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def never_checked(_delegate: x509.Certificate) -> RevocationStatus:
    """For callers that cannot check a responder's own certificate: only one with id-pkix-ocsp-nocheck will do."""
    return RevocationStatus.UNKNOWN


@dataclasses.dataclass(frozen=True)
class Authority:
    """Who may speak about ``leaf``, which ``issuer`` certified."""

    leaf: x509.Certificate
    issuer: x509.Certificate
    at: datetime
    policy: RevocationPolicy
    delegate_status: DelegateStatus

    def signer(self, response: ocsp.OCSPResponse) -> x509.Certificate:
        """The certificate that the signature of a successful response holds for.

        :raises RefusedError: if it holds for none that may sign it.
        """
        refused = _not_authorised("the certificate of the responder is not in the response")
        for candidate in self._candidates(response):
            try:
                self._check_authority(candidate)
                _check_signature(response, candidate)
                self._check_status(candidate)  # last, because it may ask the network
                return candidate
            except RefusedError as reason:
                refused = reason
            except _UNREADABLE:
                refused = _not_authorised("the responder's certificate cannot be read")
        raise refused

    def _candidates(self, response: ocsp.OCSPResponse) -> Iterator[x509.Certificate]:
        if _is_responder(self.issuer, response):
            yield self.issuer
        sent = itertools.islice(certificates(response), _MOST_CERTIFICATES)
        claiming = (each for each in itertools.chain(self.policy.trusted_responders, sent) if each != self.issuer)
        yield from itertools.islice(
            (each for each in claiming if _is_responder(each, response)),
            _MOST_CANDIDATES,
        )

    def _check_authority(self, signer: x509.Certificate) -> None:
        """A delegate must be certified for OCSP signing by the very CA; else any leaf of that CA could vouch."""
        if _is_same_key(signer, self.issuer):
            return
        if signer not in self.policy.trusted_responders:
            self._check_delegate(signer)
        begins, ends = signer.not_valid_before_utc, signer.not_valid_after_utc
        if not begins - self.policy.tolerance <= self.at <= ends:
            raise RefusedError(Reason.RESPONDER_EXPIRED, "the responder's certificate is not valid at this time")

    def _check_delegate(self, signer: x509.Certificate) -> None:
        if _is_same_key(signer, self.leaf):
            raise _not_authorised("the certificate that is judged would vouch for itself")
        if not is_same_name(signer.issuer, self.issuer.subject):
            raise _not_authorised("the responder's certificate is not issued by the CA itself")
        _check_purpose(signer)
        fault = certificate_signature_fault(signer, self.issuer)
        if fault is Reason.SIGNATURE_WEAK:
            raise RefusedError(fault, "the signature of the responder's certificate uses a broken hash")
        if fault is not None:
            raise _not_authorised("the responder's certificate is not signed with the key of the CA itself")

    def _check_status(self, signer: x509.Certificate) -> None:
        """RFC 6960 4.2.2.2.1: the CA may say that a delegate is trusted for its lifetime; else it can be revoked."""
        if _is_same_key(signer, self.issuer) or signer in self.policy.trusted_responders:
            return
        if extension(signer, x509.OCSPNoCheck) is not None:
            return
        status = self.delegate_status(signer)
        if status is RevocationStatus.REVOKED:
            raise RefusedError(Reason.RESPONDER_REVOKED, "the responder's certificate is revoked")
        if status is not RevocationStatus.GOOD:
            raise RefusedError(
                Reason.RESPONDER_STATUS_UNKNOWN, "whether the responder's certificate is revoked could not be found out"
            )


def _is_responder(certificate: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    """Does the ResponderID name it? By its name, or by the hash of its key, which RFC 6960 4.2.1 fixes to SHA-1."""
    try:
        if response.responder_name is not None:
            return is_same_name(response.responder_name, certificate.subject)
        return response.responder_key_hash == hashlib.sha1(key_bits(certificate)).digest()
    except DECODING_ERRORS:
        return False


def _is_same_key(one: x509.Certificate, other: x509.Certificate) -> bool:
    return bytes(spki_bytes(one)) == bytes(spki_bytes(other))


def _check_purpose(signer: x509.Certificate) -> None:
    purposes = extension(signer, x509.ExtendedKeyUsage)
    if purposes is None or oid.ExtendedKeyUsageOID.OCSP_SIGNING not in purposes:
        raise _not_authorised("the responder's certificate is not for OCSP signing")
    usage = extension(signer, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise _not_authorised("the responder's key is not for signatures (keyUsage)")
    if any(each.critical and each.oid not in _UNDERSTOOD for each in signer.extensions):
        raise RefusedError(
            Reason.CRITICAL_EXTENSION, "the responder's certificate has a critical extension unknown here"
        )


def _check_signature(response: ocsp.OCSPResponse, signer: x509.Certificate) -> None:
    fault = ocsp_signature_fault(response, signer)
    if fault is not None:
        raise RefusedError(fault, _SIGNATURE_FAULTS[fault])


def _not_authorised(detail: str) -> RefusedError:
    return RefusedError(Reason.RESPONDER_NOT_AUTHORISED, detail)


_SIGNATURE_FAULTS = {
    Reason.SIGNATURE_INVALID: "the signature of the response does not hold",
    Reason.SIGNATURE_WEAK: "the signature of the response uses a broken hash",
    Reason.SIGNATURE_UNSUPPORTED: "the signature of the response is of a kind that is not supported",
}
