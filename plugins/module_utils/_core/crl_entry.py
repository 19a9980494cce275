# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of a CRL: what it says, and its shape, of which a large CRL has millions of the same (RFC 5280 5.3)."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime
from typing import TypeVar

from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509

# Object identifiers as they stand in DER.
_REASON = bytes.fromhex("551d15")
_INVALIDITY_DATE = bytes.fromhex("551d18")
CERTIFICATE_ISSUER = bytes.fromhex("551d1d")
_UNDERSTOOD = frozenset({_REASON, _INVALIDITY_DATE, CERTIFICATE_ISSUER})

_IDENTIFIER = re.compile(rb"(?:(?:[\x81-\xff][\x80-\xff]*)?[\x00-\x7f])+")

# Months have their days, and leap years one more; UTCTime has the years 1950 to 2049.
_DAY = rb"(?:(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)(?:0[1-9]|[12]\d|30)|02(?:0[1-9]|1\d|2[0-8]))"
_LEAP = rb"(?:[02468][048]|[13579][26])"
_SECOND = rb"(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ"
_UTC_TIME = rb"\x17\x0d(?:\d\d" + _DAY + rb"|" + _LEAP + rb"0229)" + _SECOND
_GENERALIZED_TIME = rb"\x18\x0f(?:\d{4}" + _DAY + rb"|(?:\d\d(?!00)" + _LEAP + rb"|" + _LEAP + rb"00)0229)" + _SECOND
_TIMES = {der.UTC_TIME: _UTC_TIME, der.GENERALIZED_TIME: _GENERALIZED_TIME}

# What stands around a single entry in a CRL that serves to decode it: version, an algorithm, no issuer, a time.
_WRAPPING = bytes.fromhex("020101300a06082a8648ce3d0403023000170d3236303130313030303030305a")
_ALGORITHM = bytes.fromhex("300a06082a8648ce3d040302030100")
_SERIAL_ONE = b"\x02\x01\x01"

_Value = TypeVar("_Value", bound=x509.ExtensionType)


@dataclasses.dataclass(frozen=True)
class CrlEntry:
    """One revoked certificate."""

    revoked_at: datetime
    reason: x509.ReasonFlags
    invalidity_date: datetime | None


@dataclasses.dataclass(frozen=True)
class EntryShape:
    """What entries with the same lengths and the same extensions have in common, as regular expressions."""

    pattern: bytes
    """matches an entry of this shape, all of it and nothing else"""
    length: bytes
    """the length of the entry as it stands there"""
    size: int
    serial_length: bytes
    """the same of the serial number"""
    serial_size: int
    has_unknown_critical: bool
    has_certificate_issuer: bool


def shape_of(entry: memoryview) -> EntryShape:
    """The shape of a well-formed entry. :raises NotDerError: for any other."""
    element, rest = der.read(entry)
    fields = element.children()
    if element.tag != der.SEQUENCE or rest or not 2 <= len(fields) <= 3:
        raise der.NotDerError("not an entry")
    serial, revoked_at = fields[0], fields[1]
    extensions = _extensions(fields[2]) if len(fields) == 3 else []
    pattern = _header(element) + _serial_pattern(serial) + _time_pattern(revoked_at)
    if len(fields) == 3:
        pattern += _header(fields[2]) + b"".join(each.pattern for each in extensions)
    identifiers = [each.identifier for each in extensions]
    if len(set(identifiers)) != len(identifiers):
        raise der.NotDerError("an extension stands there twice")
    return EntryShape(
        pattern=pattern,
        length=_length(element),
        size=len(element.content),
        serial_length=_length(serial),
        serial_size=len(serial.content),
        has_unknown_critical=any(each.critical and each.identifier not in _UNDERSTOOD for each in extensions),
        has_certificate_issuer=CERTIFICATE_ISSUER in identifiers,
    )


def decode_entry(entry: memoryview) -> CrlEntry:
    """What a well-formed entry says. ValueError if one of its extensions does not say what it should."""
    decoded = _decoded(entry)
    reason = _value(decoded, x509.CRLReason)
    invalidity = _value(decoded, x509.InvalidityDate)
    return CrlEntry(
        revoked_at=decoded.revocation_date_utc,
        reason=reason.reason if reason else x509.ReasonFlags.unspecified,
        invalidity_date=invalidity.invalidity_date_utc if invalidity else None,
    )


def certificate_issuers(entry: memoryview) -> tuple[x509.Name, ...]:
    """The directory names in the entry's certificateIssuer extension (RFC 5280 5.3.3); none if it has none."""
    issuers = _value(_decoded(entry), x509.CertificateIssuer)
    return tuple(issuers.get_values_for_type(x509.DirectoryName)) if issuers else ()


def serial_content(serial: int) -> bytes:
    """The content of the INTEGER that a serial number is."""
    return serial.to_bytes(((serial if serial >= 0 else ~serial).bit_length() // 8) + 1, "big", signed=True)


@dataclasses.dataclass(frozen=True)
class _Extension:
    identifier: bytes
    critical: bool
    pattern: bytes


def _extensions(field: der.Element) -> list[_Extension]:
    if field.tag != der.SEQUENCE:
        raise der.NotDerError("entry extensions that are no SEQUENCE")
    return [_extension(each) for each in field.children()]


def _extension(element: der.Element) -> _Extension:
    parts = element.children()
    critical = len(parts) == 3
    tags = [der.OBJECT_IDENTIFIER, der.BOOLEAN, der.OCTET_STRING] if critical else [0x06, der.OCTET_STRING]
    if element.tag != der.SEQUENCE or [part.tag for part in parts] != tags:
        raise der.NotDerError("not an extension")
    if not _IDENTIFIER.fullmatch(parts[0].content):
        raise der.NotDerError("not an object identifier")
    if critical and bytes(parts[1].content) != b"\xff":  # FALSE is the default, which DER leaves out
        raise der.NotDerError("a BOOLEAN that is not TRUE")
    fixed = b"".join(re.escape(bytes(part.raw)) for part in parts[:-1])
    pattern = _header(element) + fixed + _header(parts[-1]) + _anything(parts[-1])
    return _Extension(bytes(parts[0].content), critical, pattern)


def _serial_pattern(serial: der.Element) -> bytes:
    """Serial numbers with the same sign and length. DER allows no first byte that could be left out."""
    content = serial.content
    if serial.tag != der.INTEGER or not content:
        raise der.NotDerError("not a serial number")
    if len(content) == 1:
        return _header(serial) + b"."
    for first in (rb"\x00[\x80-\xff]", rb"\xff[\x00-\x7f]", rb"[\x01-\xfe]."):
        if re.match(rb"(?s)" + first, content):
            return _header(serial) + first + b".{%d}" % (len(content) - 2)
    raise der.NotDerError("a serial number longer than it need be")


def _time_pattern(time: der.Element) -> bytes:
    pattern = _TIMES.get(time.tag)
    if pattern is None or not re.fullmatch(pattern, time.raw):
        raise der.NotDerError("not a time")
    return pattern


def _anything(element: der.Element) -> bytes:
    return b".{%d}" % len(element.content)


def _header(element: der.Element) -> bytes:
    return re.escape(bytes(element.raw[: len(element.raw) - len(element.content)]))


def _length(element: der.Element) -> bytes:
    return bytes(element.raw[1 : len(element.raw) - len(element.content)])


def _decoded(entry: memoryview) -> x509.RevokedCertificate:
    """``cryptography`` decodes entries only as parts of a CRL. The serial number is left out: it takes any."""
    fields = der.sequence(entry)
    alone = der.encoded(der.SEQUENCE, _SERIAL_ONE, *(field.raw for field in fields[1:]))
    tbs = der.encoded(der.SEQUENCE, _WRAPPING, der.encoded(der.SEQUENCE, alone))
    return x509.load_der_x509_crl(der.encoded(der.SEQUENCE, tbs, _ALGORITHM))[0]


def _value(entry: x509.RevokedCertificate, kind: type[_Value]) -> _Value | None:
    try:
        return entry.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
