# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Just enough DER (X.690) to find a public key in a certificate and the numbers in a key or an ECDSA signature.

A host has no ``cryptography``; a process of openssl for each of these costs more than the few lines here.
"""

from __future__ import annotations

import base64
import binascii
import re

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

SEQUENCE, INTEGER, BIT_STRING, EXPLICIT_0 = 0x30, 0x02, 0x03, 0xA0
_CERTIFICATE = r"-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----"


def elements(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """The (tag, content, whole encoding) of each element in a run of DER elements."""
    found = []
    position = 0
    while position < len(data):
        start, tag = position, data[position]
        length, position = _length(data, position + 1)
        if position + length > len(data):
            raise ValueError("truncated DER")
        found.append((tag, data[position : position + length], data[start : position + length]))
        position += length
    return found


def _length(data: bytes, position: int) -> tuple[int, int]:
    if position >= len(data):
        raise ValueError("truncated DER")
    first, position = data[position], position + 1
    if first < 0x80:
        return first, position
    count = first & 0x7F
    if not 1 <= count <= 4 or position + count > len(data):
        raise ValueError("unusable length in DER")
    return int.from_bytes(data[position : position + count], "big"), position + count


def content(data: bytes, tag: int) -> bytes:
    """The content of the single element in ``data``, which must have this tag."""
    parts = elements(data)
    if len(parts) != 1 or parts[0][0] != tag:
        raise ValueError("unexpected DER")
    return parts[0][1]


def certificate_blocks(pem: str) -> list[bytes]:
    """The DER of each certificate in a PEM text, in order."""
    try:
        return [base64.b64decode("".join(block.split()), validate=True) for block in re.findall(_CERTIFICATE, pem)]
    except binascii.Error as exc:
        raise RotationError("certificate_unreadable", f"The chain is not valid PEM: {exc}") from exc


def subject_public_key_info(certificate: bytes) -> bytes:
    """The DER SubjectPublicKeyInfo of a certificate (RFC 5280 section 4.1)."""
    return _certificate_field(certificate, 6)[2]


def serial_hex(certificate: bytes) -> str:
    """The serial number as lower-case hexadecimal with an even number of digits."""
    return _certificate_field(certificate, 1)[1].lstrip(b"\0").hex() or "00"


def _certificate_field(certificate: bytes, position: int) -> tuple[int, bytes, bytes]:
    """A field of TBSCertificate: version [0], serial, signature, issuer, validity, subject, public key."""
    try:
        fields = elements(elements(content(certificate, SEQUENCE))[0][1])
        return fields[position if fields[0][0] == EXPLICIT_0 else position - 1]  # a v1 certificate has no version
    except (ValueError, IndexError) as exc:
        raise RotationError("certificate_unreadable", f"The first certificate of the chain is not DER: {exc}") from exc
