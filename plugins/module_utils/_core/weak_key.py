# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a public key, told from the public key alone in well under a millisecond.

Two different things: a key that others can compute (Baseline Requirements 6.1.1.3: ROCA, close factors, small factors),
which is as good as published; and one that merely is too weak or of a kind that CAs must not certify.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    key_of_spki,
    spki_bytes,
    spki_sha256,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    DECODING_ERRORS,
    dsa,
    ec,
    rsa,
    x509,
)

CURVES = ("secp256r1", "secp384r1", "secp521r1")
_SMALLEST_RSA = 2048
_LARGEST_RSA = 8192
_SMALLEST_CURVE = 224
_FERMAT_ROUNDS = 100


@dataclass(frozen=True)
class Weakness:
    """One thing that is wrong with a key."""

    code: str
    """size, exponent, small_factor, roca, close_factors, curve, kind or blocklisted"""
    text: str
    is_computable: bool = False
    """Anybody can compute or look up the private key: to be treated as a key that was published."""


def weaknesses(key: object, blocklist: Collection[str] = ()) -> tuple[Weakness, ...]:
    """All that is wrong with a key in use. Kinds that public CAs merely do not certify (Ed25519) are none.

    :param blocklist: fingerprints of keys that are known to others, as ``read_blocklist`` returns them.
    """
    listed = [Weakness("blocklisted", "the key is on a list of known keys", True)] if _is_in(key, blocklist) else []
    return (*listed, *_found(key))


def certificate_weaknesses(certificate: x509.Certificate) -> tuple[Weakness, ...]:
    """The same for the key in a certificate; nothing for one that cannot be read, which is another finding."""
    return _of_spki(spki_bytes(certificate))


def weaknesses_as_data(found: Iterable[Weakness]) -> list[dict[str, Any]]:
    """As they stand in rotations."""
    return [{"code": one.code, "text": one.text, "is_computable": one.is_computable} for one in found]


def weaknesses_from(data: Iterable[Mapping[str, Any]] | None) -> tuple[Weakness, ...]:
    """From what ``weaknesses_as_data`` made of them."""
    return tuple(Weakness(one["code"], one["text"], bool(one.get("is_computable"))) for one in data or ())


def refuse_weak_key(certificate: x509.Certificate) -> None:
    """:raises RotationError: ``key_weak``."""
    found = certificate_weaknesses(certificate)
    if found:
        raise RotationError(
            "key_weak",
            f"the certificate's key is weak: {'; '.join(one.text for one in found)}",
            remedy="Nothing was touched. Declare another key type or size; on the host, look at what made this key.",
            weaknesses=[one.code for one in found],
        )


def unfitness(key: object) -> str | None:
    """Why a CA must not certify ``key``, or None."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return None if key.curve.name in CURVES else f"the curve {key.curve.name} is not one of {', '.join(CURVES)}"
    if not isinstance(key, rsa.RSAPublicKey):
        return "it is neither an ECDSA nor an RSA key"
    if key.key_size > _LARGEST_RSA:
        return f"RSA with {key.key_size} bits is more than {_LARGEST_RSA}"
    return next((weakness.text for weakness in _found(key)), None)


def read_blocklist(text: str) -> frozenset[str]:
    """The fingerprints in a list, one a line; what follows on a line, and lines that begin with ``#``, is remarks.

    64 digits are the SHA-256 of a SubjectPublicKeyInfo. 40 digits, or the last 20 of them, are the SHA-1 of OpenSSL's
    ``Modulus=…`` line, the form of Debian's openssl-blacklist.
    """
    words = (line.split()[0].lower() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return frozenset(word[-20:] if len(word) == 40 else word for word in words if len(word) in (20, 40, 64))


@lru_cache(maxsize=4096)
def _of_spki(spki: bytes) -> tuple[Weakness, ...]:
    try:
        return weaknesses(key_of_spki(spki))
    except DECODING_ERRORS:
        return ()


def _is_in(key: object, blocklist: Collection[str]) -> bool:
    return bool(blocklist) and any(fingerprint in blocklist for fingerprint in _fingerprints(key))


def _fingerprints(key: object) -> Iterator[str]:
    if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, dsa.DSAPublicKey)):
        yield spki_sha256(key)
    if isinstance(key, rsa.RSAPublicKey):
        line = f"Modulus={key.public_numbers().n:X}\n"
        # A name for what others listed, no proof of anything.
        yield hashlib.sha1(line.encode("ascii"), usedforsecurity=False).hexdigest()[-20:]


def _found(key: object) -> list[Weakness]:
    if isinstance(key, rsa.RSAPublicKey):
        return list(_of_rsa(key.public_numbers()))
    if isinstance(key, ec.EllipticCurvePublicKey):
        too_small = key.curve.key_size < _SMALLEST_CURVE
        return [Weakness("curve", f"the curve {key.curve.name} is too small")] if too_small else []
    return [Weakness("kind", "TLS clients no longer accept DSA keys")] if isinstance(key, dsa.DSAPublicKey) else []


def _of_rsa(numbers: rsa.RSAPublicNumbers) -> Iterator[Weakness]:
    modulus, exponent = numbers.n, numbers.e
    if modulus.bit_length() < _SMALLEST_RSA:
        yield Weakness("size", f"RSA with {modulus.bit_length()} bits is less than {_SMALLEST_RSA}")
    if exponent % 2 == 0 or not 2**16 < exponent < 2**256:
        yield Weakness("exponent", f"the RSA exponent {exponent} is not an odd number above 65536")
    if math.gcd(modulus, _PRODUCT_OF_SMALL_PRIMES) != 1:
        yield Weakness("small_factor", "the RSA modulus has a small factor", True)
    if _has_roca_fingerprint(modulus):
        yield Weakness("roca", "the RSA modulus bears the mark of the ROCA weakness (CVE-2017-15361)", True)
    if _has_close_factors(modulus):
        yield Weakness("close_factors", "the RSA modulus has two factors close to each other (Fermat)", True)


def _primes_below(limit: int) -> list[int]:
    return [
        number for number in range(2, limit) if all(number % divisor for divisor in range(2, math.isqrt(number) + 1))
    ]


def _powers_of_65537(prime: int) -> frozenset[int]:
    powers, value = {1}, 65537 % prime
    while value not in powers:
        powers.add(value)
        value = value * 65537 % prime
    return frozenset(powers)


def _marks(primes: Iterable[int]) -> list[tuple[int, frozenset[int]]]:
    return [(prime, _powers_of_65537(prime)) for prime in primes]


_PRODUCT_OF_SMALL_PRIMES = math.prod(_primes_below(752))
# Primes of the library's product for which the powers of 65537 are not the whole group: only those tell anything.
_ROCA_MARKS = [(prime, powers) for prime, powers in _marks(_primes_below(168)) if prime > 2 and len(powers) < prime - 1]


def _has_roca_fingerprint(modulus: int) -> bool:
    """Such moduli are powers of 65537 modulo every small prime; others are that by chance once in 2**27."""
    return all(modulus % prime in powers for prime, powers in _ROCA_MARKS)


def _has_close_factors(modulus: int) -> bool:
    root = math.isqrt(modulus)
    for middle in range(root + (root * root < modulus), root + 1 + _FERMAT_ROUNDS):
        rest = middle * middle - modulus
        if math.isqrt(rest) ** 2 == rest:
            return True
    return False
