# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures and keys in the form of JOSE (RFC 7515, 7517, 7518), for the algorithms that TLS keys have."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    ec,
    exceptions,
    hashes,
    padding,
    rsa,
    utils,
)


@dataclass(frozen=True)
class Algorithm:
    """How a key signs: the name of RFC 7518, the hash, and for elliptic curves the bytes of each of two numbers."""

    name: str
    digest: str
    curve: str | None = None
    size: int = 0

    @property
    def hash(self) -> hashes.HashAlgorithm:
        known: dict[str, hashes.HashAlgorithm] = {
            "sha256": hashes.SHA256(),
            "sha384": hashes.SHA384(),
            "sha512": hashes.SHA512(),
        }
        return known[self.digest]


_RSA = Algorithm("RS256", "sha256")
_CURVES = {
    "secp256r1": Algorithm("ES256", "sha256", "P-256", 32),
    "secp384r1": Algorithm("ES384", "sha384", "P-384", 48),
    "secp521r1": Algorithm("ES512", "sha512", "P-521", 66),
    "secp256k1": Algorithm("ES256K", "sha256", "secp256k1", 32),
}


def algorithm_of(public_key: object) -> Algorithm:
    """How ``public_key``'s private half signs. RotationError ``key_unsupported``."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return _RSA
    if isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.name in _CURVES:
        return _CURVES[public_key.curve.name]
    raise RotationError("key_unsupported", "this kind of key has no signature in JSON Web Signatures (RFC 7518)")


def jwk_of(public_key: object) -> dict[str, str]:
    """The public key as a JSON Web Key with the required members alone. RotationError ``key_unsupported``."""
    algorithm = algorithm_of(public_key)
    if isinstance(public_key, rsa.RSAPublicKey):
        numbers = public_key.public_numbers()
        return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise AssertionError(f"unhandled {algorithm}")
    point = public_key.public_numbers()
    return {
        "crv": str(algorithm.curve),
        "kty": "EC",
        "x": base64url(point.x.to_bytes(algorithm.size, "big")),
        "y": base64url(point.y.to_bytes(algorithm.size, "big")),
    }


def thumbprint_of(jwk: Mapping[str, str]) -> str:
    """RFC 7638."""
    return base64url(hashlib.sha256(json.dumps(dict(jwk), sort_keys=True, separators=(",", ":")).encode()).digest())


def signing_input(protected: Mapping[str, Any], payload: Mapping[str, Any]) -> tuple[str, str]:
    """Protected header and payload as they stand in the JWS; what is signed is both, joined by a dot."""
    return (
        base64url(json.dumps(protected, sort_keys=True, separators=(",", ":")).encode()),
        base64url(json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()),
    )


def sign(private_key: object, data: bytes) -> bytes:
    """A signature as JOSE has it, by a key that is at hand. RotationError ``key_unsupported``."""
    if isinstance(private_key, rsa.RSAPrivateKey):
        return private_key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise RotationError("key_unsupported", "this kind of key has no signature in JSON Web Signatures (RFC 7518)")
    algorithm = algorithm_of(private_key.public_key())
    numbers = utils.decode_dss_signature(private_key.sign(data, ec.ECDSA(algorithm.hash)))
    return b"".join(number.to_bytes(algorithm.size, "big") for number in numbers)


def is_signed(public_key: object, data: bytes, signature: bytes) -> bool:
    """Whether the private half of ``public_key`` made ``signature``. RotationError ``key_unsupported``."""
    algorithm = algorithm_of(public_key)
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, padding.PKCS1v15(), algorithm.hash)
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            if len(signature) != 2 * algorithm.size:
                return False
            halves = signature[: algorithm.size], signature[algorithm.size :]
            numbers = (int.from_bytes(half, "big") for half in halves)
            public_key.verify(utils.encode_dss_signature(*numbers), data, ec.ECDSA(algorithm.hash))
    except exceptions.InvalidSignature:
        return False
    return True


def base64url(data: bytes) -> str:
    """Without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """:raises ValueError: for what is none."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64url") from exc


def _number(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
