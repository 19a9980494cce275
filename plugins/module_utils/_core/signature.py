# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures, checked with a word for what is wrong. No two places of this collection verify in ways of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_sha256,
    outline,
    public_key,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    DECODING_ERRORS,
    ec,
    ed448,
    ed25519,
    exceptions,
    hashes,
    ocsp,
    oid,
    padding,
    rsa,
    x509,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp_outline import signature_algorithm
from ansible_collections.certops.rotation.plugins.module_utils._core.pss import pss_parameters
from ansible_collections.certops.rotation.plugins.module_utils._core.remembered import Kept
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Reason

if TYPE_CHECKING:
    from typing import TypeAlias

# Collisions of these can be made on purpose, so a CA that signs what others choose can be made to sign something else.
_WEAK = (hashes.MD5, hashes.SHA1)

_Parameters: TypeAlias = "padding.PSS | padding.PKCS1v15 | ec.ECDSA | None"


# Thousands of chains end in the same few certificates. A certificate is its bytes, so what was found stays true.
_certificate_faults: Kept[tuple[str, str], Reason | None] = Kept(most=4096)


def certificate_signature_fault(certificate: x509.Certificate, issuer: x509.Certificate) -> Reason | None:
    """What keeps ``certificate`` from being signed with the key of ``issuer``; None if nothing does."""
    both = certificate_sha256(certificate), certificate_sha256(issuer)
    return _certificate_faults.get(both, lambda: _certificate_fault(certificate, issuer))


def _certificate_fault(certificate: x509.Certificate, issuer: x509.Certificate) -> Reason | None:
    try:
        outlined = outline(certificate)
        if not outlined.is_algorithm_signed:
            return Reason.SIGNATURE_INVALID
        algorithm, parameters = certificate.signature_hash_algorithm, certificate.signature_algorithm_parameters
    except DECODING_ERRORS:
        return Reason.SIGNATURE_UNSUPPORTED
    return _fault(issuer, certificate.signature, outlined.signed, algorithm, parameters)


def crl_signature_fault(
    crl: x509.CertificateRevocationList, tbs: bytes | memoryview, issuer: x509.Certificate
) -> Reason | None:
    """The same for a CRL, of which ``tbs`` is what was signed. That inner and outer algorithm are the same, was checked
    when it was read (RFC 5280 5.1.1.2)."""
    try:
        algorithm, parameters = crl.signature_hash_algorithm, crl.signature_algorithm_parameters
        if not _is_key_for(crl.signature_algorithm_oid.dotted_string, issuer):
            return Reason.SIGNATURE_INVALID
    except DECODING_ERRORS:
        return Reason.SIGNATURE_UNSUPPORTED
    return _fault(issuer, crl.signature, tbs, algorithm, parameters)


def ocsp_signature_fault(response: ocsp.OCSPResponse, signer: x509.Certificate) -> Reason | None:
    """The same for a successful OCSP response. Its algorithm stands there once, and not in what is signed."""
    algorithm: hashes.HashAlgorithm | None
    parameters: _Parameters = None
    try:
        scheme = response.signature_algorithm_oid
        if scheme == oid.SignatureAlgorithmOID.RSASSA_PSS:
            parameters, algorithm = pss_parameters(signature_algorithm(response))
        else:
            algorithm = response.signature_hash_algorithm
        if not _is_key_for(scheme.dotted_string, signer):
            return Reason.SIGNATURE_INVALID
    except DECODING_ERRORS:
        return Reason.SIGNATURE_UNSUPPORTED
    return _fault(signer, response.signature, response.tbs_response_bytes, algorithm, parameters)


def _is_key_for(scheme: str, signer: x509.Certificate) -> bool:
    """Is it a key that can make signatures of this kind? Kinds not known here may be of any."""
    for prefix, kind in (
        ("1.2.840.113549.1.1.", rsa.RSAPublicKey),
        ("1.2.840.10045.4.", ec.EllipticCurvePublicKey),
        ("1.3.101.112", ed25519.Ed25519PublicKey),
        ("1.3.101.113", ed448.Ed448PublicKey),
    ):
        if scheme.startswith(prefix):
            return isinstance(public_key(signer), kind)
    return True


def _fault(
    signer: x509.Certificate,
    signature: bytes,
    data: bytes | memoryview,
    algorithm: hashes.HashAlgorithm | None,
    parameters: _Parameters,
) -> Reason | None:
    if isinstance(algorithm, _WEAK):
        return Reason.SIGNATURE_WEAK
    try:
        return None if _verify(signer, signature, data, algorithm, parameters) else Reason.SIGNATURE_UNSUPPORTED
    except exceptions.InvalidSignature:
        return Reason.SIGNATURE_INVALID
    except DECODING_ERRORS:
        return Reason.SIGNATURE_UNSUPPORTED


def _verify(
    signer: x509.Certificate,
    signature: bytes,
    data: bytes | memoryview,
    algorithm: hashes.HashAlgorithm | None,
    parameters: _Parameters,
) -> bool:
    """True if it holds, False if this kind of key is not known; exceptions.InvalidSignature otherwise."""
    key = public_key(signer)
    if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
        key.verify(signature, data, ec.ECDSA(algorithm))
        return True
    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        key.verify(signature, data)
        return True
    if algorithm is None:
        return False
    if isinstance(key, rsa.RSAPublicKey):
        scheme = parameters if isinstance(parameters, (padding.PSS, padding.PKCS1v15)) else padding.PKCS1v15()
        key.verify(signature, data, scheme, algorithm)  # type: ignore[arg-type]  # any buffer will do
        return True
    return False
