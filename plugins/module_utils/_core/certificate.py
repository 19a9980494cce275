# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: reading them from whatever bytes are there, and the facts that the verbs pass on."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.distinguished_name import KnownName
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    DECODING_ERRORS,
    dsa,
    ec,
    ed448,
    ed25519,
    oid,
    pkcs7,
    rsa,
    serialization,
    x509,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.remembered import Kept, Memory, note, remembered

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATE_LABELS = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE"})

_PEM_LINE = 64
_VERSION = 0xA0
_issuers: Kept[bytes, KnownName] = Kept(most=1024)

_Value = TypeVar("_Value", bound=x509.ExtensionType)


@dataclasses.dataclass(frozen=True)
class CertificateFacts:
    """What others want to know of a certificate, in plain types."""

    serial: str
    spki_sha256: str
    sha256: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    """DNS names and IP addresses of subjectAltName; the common name is no name of the server (RFC 9525)"""
    not_before: datetime
    not_after: datetime
    ocsp_urls: tuple[str, ...]
    crl_urls: tuple[str, ...]
    ca_issuers_urls: tuple[str, ...]
    must_staple: bool
    key_type: str
    is_ca: bool
    ski: str | None
    aki: str | None
    is_short_lived: bool
    """short enough that its CA need neither offer revocation information nor revoke it (CA/B Forum BR 1.6.1)"""


def read_certificates(data: bytes, what: str = "the input") -> list[x509.Certificate]:
    """All certificates in a PEM bundle, a PKCS #7 bundle or one DER certificate, in their order.

    :raises RotationError: ``not_a_certificate``, naming what was found instead and never showing it;
        ``certificate_unreadable`` for something that claims to be a certificate.
    """
    if not data.strip():
        raise RotationError("not_a_certificate", f"{what} is empty", found="nothing")
    try:
        found = _read_pem(data, what) if b"-----BEGIN " in data else _read_der(data, what)
    except DECODING_ERRORS as exc:
        raise RotationError("certificate_unreadable", f"{what} holds a certificate that cannot be read") from exc
    check_readable(found, what)
    return found


def check_readable(certificates: Sequence[x509.Certificate], what: str = "the input") -> None:
    """:raises RotationError: ``certificate_unreadable`` if a part of one of them cannot be decoded."""
    try:
        for certificate in certificates:
            _decode_all(certificate)
    except DECODING_ERRORS as exc:
        raise RotationError("certificate_unreadable", f"{what} holds a certificate that cannot be read") from exc


def read_certificate(data: bytes, what: str = "the input") -> x509.Certificate:
    """The first certificate of ``data``: the leaf, where it is a chain."""
    return read_certificates(data, what)[0]


def certificate_facts(certificate: x509.Certificate) -> CertificateFacts:
    """:raises RotationError: ``certificate_unreadable`` if a part of the certificate cannot be decoded."""
    return CertificateFacts(
        serial=serial_hex(certificate.serial_number),
        spki_sha256=certificate_spki_sha256(certificate),
        sha256=certificate_sha256(certificate),
        subject=_text(certificate, subject_name),
        issuer=_text(certificate, issuer_name),
        names=server_names(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        ocsp_urls=ocsp_urls(certificate),
        crl_urls=crl_urls(certificate),
        ca_issuers_urls=ca_issuers_urls(certificate),
        must_staple=is_must_staple(certificate),
        key_type=key_type(certificate),
        is_ca=is_ca(certificate),
        ski=_hex(subject_key_id(certificate)),
        aki=_hex(authority_key_id(certificate)),
        is_short_lived=is_short_lived(certificate),
    )


def serial_hex(serial: int) -> str:
    """Lower-case hex with an even number of digits. A negative serial (forbidden, but seen) keeps its sign."""
    digits = f"{abs(serial):x}"
    return ("-" if serial < 0 else "") + "0" * (len(digits) % 2) + digits


def spki_sha256(key: PublicKeyTypes) -> str:
    """SHA-256 of a public key's DER SubjectPublicKeyInfo, the name of a key everywhere in this collection."""
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).hexdigest()


def certificate_spki_sha256(certificate: x509.Certificate) -> str:
    """The same for a certificate's key, over the very bytes of the certificate."""
    return hashlib.sha256(spki_bytes(certificate)).hexdigest()


def has_same_key(one: x509.Certificate, other: x509.Certificate) -> bool:
    return one is other or spki_bytes(one) == spki_bytes(other)


@remembered
def certificate_sha256(certificate: x509.Certificate) -> str:
    """The fingerprint of the whole certificate."""
    return hashlib.sha256(certificate_der(certificate)).hexdigest()


_ders: Memory[bytes] = {}
certificate_der = remembered(lambda certificate: certificate.public_bytes(serialization.Encoding.DER), _ders)


def load_der(data: bytes) -> x509.Certificate:
    """One certificate; what ``cryptography`` raises for anything else. Its parts may still be unreadable."""
    certificate = x509.load_der_x509_certificate(data)
    note(_ders, certificate, data)
    return certificate


@remembered
def to_pem(certificate: x509.Certificate) -> str:
    text = base64.b64encode(certificate_der(certificate)).decode("ascii")
    lines = "\n".join(text[start : start + _PEM_LINE] for start in range(0, len(text), _PEM_LINE))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def extension(certificate: x509.Certificate, kind: type[_Value]) -> _Value | None:
    """The value of an extension, None where the certificate has none of that kind.

    :raises RotationError: ``certificate_unreadable``: one that cannot be decoded must not read as one that is absent.
    """
    try:
        return _extensions(certificate).get(kind)
    except DECODING_ERRORS as exc:
        raise _unreadable(certificate, "its extensions") from exc


@remembered
def _extensions(certificate: x509.Certificate) -> Mapping[type[x509.ExtensionType], Any]:
    """No kind is there twice: that cannot be decoded."""
    return {type(each.value): each.value for each in certificate.extensions}


def server_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """DNS names and IP addresses of subjectAltName, in their order."""
    names = extension(certificate, x509.SubjectAlternativeName)
    return tuple(str(name.value) for name in names or () if isinstance(name, (x509.DNSName, x509.IPAddress)))


def ocsp_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    return _access_urls(certificate, oid.AuthorityInformationAccessOID.OCSP)


def ca_issuers_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    return _access_urls(certificate, oid.AuthorityInformationAccessOID.CA_ISSUERS)


def crl_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """Every URI of every distribution point."""
    points = extension(certificate, x509.CRLDistributionPoints)
    return tuple(url for point in points or () for url in uris(point.full_name or ()))


def uris(names: Sequence[x509.GeneralName]) -> tuple[str, ...]:
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def is_must_staple(certificate: x509.Certificate) -> bool:
    """RFC 7633: clients that honour it refuse a handshake without a staple."""
    features = extension(certificate, x509.TLSFeature)
    return features is not None and x509.TLSFeatureType.status_request in features


def is_ca(certificate: x509.Certificate) -> bool:
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def subject_key_id(certificate: x509.Certificate) -> bytes | None:
    identifier = extension(certificate, x509.SubjectKeyIdentifier)
    return identifier.digest if identifier else None


def authority_key_id(certificate: x509.Certificate) -> bytes | None:
    identifier = extension(certificate, x509.AuthorityKeyIdentifier)
    return identifier.key_identifier if identifier else None


def is_short_lived(certificate: x509.Certificate) -> bool:
    """At most 10 days, or 7 for those issued from 2026-03-15 on (CA/B Forum BR 1.6.1). The last second counts."""
    begins, ends = validity(certificate)
    lifetime = ends - begins + timedelta(seconds=1)
    stricter_since = datetime(2026, 3, 15, tzinfo=timezone.utc)
    days = 7 if begins >= stricter_since else 10
    return not is_ca(certificate) and lifetime <= timedelta(days=days)


def public_key(certificate: x509.Certificate) -> PublicKeyTypes:
    """Decoded once, with what that raises: that a point is on its curve takes as long as to find a path."""
    return key_of_spki(spki_bytes(certificate))


@lru_cache(maxsize=256)
def key_of_spki(spki: bytes) -> PublicKeyTypes:
    return serialization.load_der_public_key(spki)


def key_type(certificate: x509.Certificate) -> str:
    """``rsa-2048``, ``ec-secp256r1``, ``ed25519``, or ``unsupported``."""
    try:
        key = public_key(certificate)
    except DECODING_ERRORS:
        return "unsupported"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ec-{key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    if isinstance(key, dsa.DSAPublicKey):
        return f"dsa-{key.key_size}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    return "ed448" if isinstance(key, ed448.Ed448PublicKey) else "unsupported"


class Outline(NamedTuple):
    """The bytes of a certificate's parts, as they stand there."""

    signed: bytes
    """the TBSCertificate"""
    issuer: bytes
    subject: bytes
    spki: bytes
    is_algorithm_signed: bool
    """the algorithm of the signature is the one that the signed part names (RFC 5280 4.1.1.2)"""


@remembered
def outline(certificate: x509.Certificate) -> Outline:
    """:raises ValueError, LookupError: if it is not DER as it should be."""
    whole = certificate_der(certificate)
    signed, algorithm = der.parts(whole, *der.span(whole, 0, len(whole)), most=2)
    # version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, …
    fields = der.parts(signed, *der.span(signed, 0, len(signed)), most=7)
    if fields[0][0] != _VERSION:  # it may be left out
        fields.insert(0, b"")
    return Outline(signed, fields[3], fields[5], fields[6], is_algorithm_signed=fields[2] == algorithm)


def spki_bytes(certificate: x509.Certificate) -> bytes:
    """SubjectPublicKeyInfo as it stands in the certificate."""
    return outline(certificate).spki


def issuer_bytes(certificate: x509.Certificate) -> bytes:
    """The issuer's Name as it stands in the certificate."""
    return outline(certificate).issuer


def subject_bytes(certificate: x509.Certificate) -> bytes:
    """The subject's Name as it stands in the certificate."""
    return outline(certificate).subject


@remembered
def subject_name(certificate: x509.Certificate) -> KnownName:
    """The name that the certificate certifies; what ``cryptography`` raises where it cannot be decoded."""
    return KnownName(certificate.subject)


@remembered
def issuer_name(certificate: x509.Certificate) -> KnownName:
    """The name of who certifies it. Thousands of certificates have it from one CA, and it takes long to decode."""
    return _issuers.get(issuer_bytes(certificate), lambda: KnownName(certificate.issuer))


def key_bits(certificate: x509.Certificate) -> memoryview:
    """The subjectPublicKey BIT STRING without tag, length and count of unused bits (what RFC 6960 4.1.1 hashes)."""
    whole = spki_bytes(certificate)
    algorithm, limit = der.span(whole, 0, len(whole))
    _parameters, bits = der.span(whole, algorithm, limit)
    content, end = der.span(whole, bits, limit)
    return memoryview(whole)[content + 1 : end]


@remembered
def validity(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """The first and the last second of it, in UTC: made anew at each question by ``cryptography``."""
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


@remembered
def _decode_all(certificate: x509.Certificate) -> None:
    """``cryptography`` decodes each part when it is asked for; so find now what is broken."""
    for name in (subject_name(certificate), issuer_name(certificate)):
        str(name.text)
    for moment in validity(certificate):
        moment.isoformat()
    _extensions(certificate)
    key_bits(certificate)


def _access_urls(certificate: x509.Certificate, method: x509.ObjectIdentifier) -> tuple[str, ...]:
    access = extension(certificate, x509.AuthorityInformationAccess)
    return uris([entry.access_location for entry in access or () if entry.access_method == method])


def _read_pem(data: bytes, what: str) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    others: list[str] = []
    for block in _PEM_BLOCK.finditer(data):
        label = block.group(1)
        if label in _CERTIFICATE_LABELS:
            text = block.group(0).replace(b"X509 CERTIFICATE", b"CERTIFICATE")
            found.append(x509.load_pem_x509_certificate(text))
        elif label == b"PKCS7":
            found.extend(pkcs7.load_pem_pkcs7_certificates(block.group(0)))
        else:
            others.append(_called(label.decode("ascii")))
    if found:
        return found
    thing = others[0] if others else "a PEM block without its end"
    raise _not_a_certificate(what, thing)


def _called(label: str) -> str:
    """What a PEM label stands for, in words."""
    if label.endswith("PRIVATE KEY"):
        return "a private key"
    words = {
        "CERTIFICATE REQUEST": "a certificate request (CSR)",
        "NEW CERTIFICATE REQUEST": "a certificate request (CSR)",
        "X509 CRL": "a CRL",
        "PUBLIC KEY": "a public key",
        "DH PARAMETERS": "Diffie-Hellman parameters",
        "EC PARAMETERS": "elliptic curve parameters",
        "TRUSTED CERTIFICATE": "an OpenSSL TRUSTED CERTIFICATE",
    }
    return words.get(label, f"a PEM block {label!r}")


def _read_der(data: bytes, what: str) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(data)]
    except DECODING_ERRORS:
        pass
    try:
        found = pkcs7.load_der_pkcs7_certificates(data)
    except DECODING_ERRORS:
        found = []
    if found:
        return found
    thing = _recognised(data)
    if thing is None:
        raise RotationError("certificate_unreadable", f"{what} looks like a DER certificate, but cannot be read")
    raise _not_a_certificate(what, thing)


def _recognised(data: bytes) -> str | None:
    """What these bytes are, None where they could be a broken certificate."""
    for load, thing in (
        (x509.load_der_x509_csr, "a certificate request (CSR)"),
        (x509.load_der_x509_crl, "a CRL"),
        (serialization.load_der_public_key, "a public key"),
    ):
        try:
            load(data)
            return thing
        except DECODING_ERRORS:
            continue
    if _is_private_key(data):
        return "a private key"
    if data.lstrip()[:1] == b"<":
        return "an HTML or XML page"
    if data[:1] == b"\x30":
        return None
    return "text" if data.isascii() else "binary data"


def _is_private_key(data: bytes) -> bool:
    try:
        serialization.load_der_private_key(data, password=None)
    except TypeError:
        return True  # an encrypted one
    except DECODING_ERRORS:
        return False
    return True


def _not_a_certificate(what: str, thing: str) -> RotationError:
    return RotationError(
        "not_a_certificate", f"{what} holds {thing}, not a certificate", remedy="give the certificate file", found=thing
    )


def _unreadable(certificate: x509.Certificate, part: str) -> RotationError:
    serial = serial_hex(certificate.serial_number)
    return RotationError("certificate_unreadable", f"certificate {serial}: {part} cannot be decoded", serial=serial)


def _text(certificate: x509.Certificate, name: Callable[[x509.Certificate], KnownName]) -> str:
    try:
        return name(certificate).text
    except DECODING_ERRORS as exc:
        raise _unreadable(certificate, "a name in it") from exc


def _hex(identifier: bytes | None) -> str | None:
    return None if identifier is None else identifier.hex()
