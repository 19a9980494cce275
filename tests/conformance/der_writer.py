# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing DER by hand: for bytes that ``cryptography`` refuses to build, right ones and wrong ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.tests.support.pki import hash_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

NULL = b"\x05\x00"
_SIGNATURES = {
    ("ec", "sha1"): "1.2.840.10045.4.1",
    ("ec", "sha256"): "1.2.840.10045.4.3.2",
    ("ec", "sha384"): "1.2.840.10045.4.3.3",
    ("rsa", "sha1"): "1.2.840.113549.1.1.5",
    ("rsa", "sha256"): "1.2.840.113549.1.1.11",
    ("ed25519", ""): "1.3.101.112",
}


def tlv(tag: int, *contents: bytes) -> bytes:
    """One element with the shortest definite length."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def sequence(*members: bytes) -> bytes:
    return tlv(0x30, *members)


def explicit(number: int, *members: bytes) -> bytes:
    """``[number] EXPLICIT``, or IMPLICIT of something constructed."""
    return tlv(0xA0 | number, *members)


def implicit(number: int, content: bytes = b"") -> bytes:
    """``[number] IMPLICIT`` of something primitive."""
    return tlv(0x80 | number, content)


def boolean(value: bool) -> bytes:
    return tlv(0x01, b"\xff" if value else b"\x00")


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def enumerated(value: int) -> bytes:
    return tlv(0x0A, bytes([value]))


def octets(content: bytes) -> bytes:
    return tlv(0x04, content)


def bits(content: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes([unused]), content)


def generalized_time(moment: datetime) -> bytes:
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def utc_time(moment: datetime) -> bytes:
    return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def oid(dotted: str) -> bytes:
    first, second, *others = (int(part) for part in dotted.split("."))
    content = b""
    for number in (first * 40 + second, *others):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return tlv(0x06, content)


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """An Extension; ``value`` is the DER inside of its OCTET STRING."""
    return sequence(oid(dotted), boolean(True) if critical else b"", octets(value))


def name(value: x509.Name) -> bytes:
    return value.public_bytes()


def signature_algorithm(key: Any, algorithm: Any = None) -> bytes:
    """The AlgorithmIdentifier of what ``sign`` does with this key; ``algorithm`` defaults to SHA-256."""
    kind = _kind(key)
    word = "" if kind == "ed25519" else (algorithm or hash_for(key)).name
    return sequence(oid(_SIGNATURES[kind, word]), NULL if kind == "rsa" else b"")


def sign(key: Any, data: bytes, algorithm: Any = None) -> bytes:
    """A signature that is the same in each run."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    chosen: hashes.HashAlgorithm = algorithm or hash_for(key)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), chosen)
    made: bytes = key.sign(data, ec.ECDSA(chosen, deterministic_signing=True))
    return made


def signed(tbs: bytes, key: Any, algorithm: Any = None, *, outer: bytes | None = None, after: bytes = b"") -> bytes:
    """``SEQUENCE { tbs, signatureAlgorithm, signature }``, what certificates, CRLs and OCSP responses are.

    :param outer: another AlgorithmIdentifier than that of the signature; ``after``: what follows the signature.
    """
    return sequence(tbs, outer or signature_algorithm(key, algorithm), bits(sign(key, tbs, algorithm)), after)


def _kind(key: Any) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    return "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ec"
