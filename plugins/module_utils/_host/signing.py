# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures by a key that stays where it is, in the form that JOSE wants (RFC 7518)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.der import (
    BIT_STRING,
    INTEGER,
    SEQUENCE,
    content,
    elements,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl

_OID_RSA = bytes.fromhex("2a864886f70d010101")
_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): ("P-256", 32),
    bytes.fromhex("2b81040022"): ("P-384", 48),
    bytes.fromhex("2b81040023"): ("P-521", 66),
}
ALGORITHMS = {
    "RS256": ("sha256", "RSA"),
    "ES256": ("sha256", "P-256"),
    "ES384": ("sha384", "P-384"),
    "ES512": ("sha512", "P-521"),
}


@dataclass(frozen=True)
class PublicKey:
    """A public key: ``kind`` is RSA or the curve's name, ``jwk`` its JSON form (RFC 7517)."""

    kind: str
    jwk: dict[str, str]


def public_key(spki: bytes) -> PublicKey:
    """The public key in a DER SubjectPublicKeyInfo."""
    try:
        algorithm, key_bits = elements(content(spki, SEQUENCE))
        identifiers = [part[1] for part in elements(algorithm[1])]
        if key_bits[0] != BIT_STRING:
            raise ValueError("no BIT STRING")
        key = key_bits[1][1:]  # the first byte counts the unused bits
        return _rsa(key) if identifiers[0] == _OID_RSA else _elliptic(identifiers[1], key)
    except (ValueError, IndexError, KeyError) as exc:
        raise RotationError("key_unsupported", f"This kind of key cannot sign for a CA: {exc}") from exc


def sign(openssl: Openssl, key_path: str, algorithm: str, data: bytes) -> tuple[bytes, PublicKey]:
    """(signature, public key); RotationError ``algorithm_mismatch`` if the key is of another kind."""
    digest, kind = ALGORITHMS[algorithm]
    key = public_key(openssl.spki(key_path))
    if key.kind != kind:
        raise RotationError("algorithm_mismatch", f"{algorithm} needs a key of kind {kind}, this one is {key.kind}")
    signature = openssl.sign(key_path, digest, data)
    return (signature if kind == "RSA" else _raw(signature, kind)), key


def decoded(data_b64: str) -> bytes:
    """The bytes to sign."""
    try:
        return base64.b64decode(data_b64, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise RotationError("data_unreadable", "The data to sign is not base64") from exc


def signature_result(openssl: Openssl, key_path: str, algorithm: str, data: bytes) -> dict[str, Any]:
    """A signature as it stands in results."""
    signature, key = sign(openssl, key_path, algorithm, data)
    return {"signature_b64": base64.b64encode(signature).decode("ascii"), "public_jwk": key.jwk, "algorithm": algorithm}


def _rsa(key: bytes) -> PublicKey:
    modulus, exponent = (part[1].lstrip(b"\0") for part in elements(content(key, SEQUENCE)))
    return PublicKey("RSA", {"kty": "RSA", "n": _base64url(modulus), "e": _base64url(exponent)})


def _elliptic(curve: bytes, point: bytes) -> PublicKey:
    name, size = _CURVES[curve]
    if len(point) != 1 + 2 * size or point[0] != 4:
        raise ValueError("not an uncompressed point")
    return PublicKey(
        name, {"kty": "EC", "crv": name, "x": _base64url(point[1 : 1 + size]), "y": _base64url(point[1 + size :])}
    )


def _raw(signature: bytes, curve: str) -> bytes:
    """r || s, each in the curve's full length (RFC 7518 section 3.4), from DER's two INTEGERs."""
    size = dict(_CURVES.values())[curve]
    numbers = elements(content(signature, SEQUENCE))
    if [tag for tag, _content, _whole in numbers] != [INTEGER, INTEGER]:
        raise RotationError("signature_failed", "openssl returned no ECDSA signature")
    return b"".join(value.lstrip(b"\0").rjust(size, b"\0") for _tag, value, _whole in numbers)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
