# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys that a CA must not certify (Baseline Requirements 6.1.1.3), told apart in well under a millisecond."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import ec, rsa

CURVES = ("secp256r1", "secp384r1", "secp521r1")
_SMALLEST_RSA = 2048
_LARGEST_RSA = 8192
_FERMAT_ROUNDS = 100


def weakness(key: object) -> str | None:
    """Why ``key`` must not be certified, or None."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return None if key.curve.name in CURVES else f"the curve {key.curve.name} is not one of {', '.join(CURVES)}"
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa_weakness(key.public_numbers())
    return "it is neither an ECDSA nor an RSA key"


def _rsa_weakness(numbers: rsa.RSAPublicNumbers) -> str | None:
    modulus, exponent = numbers.n, numbers.e
    if not _SMALLEST_RSA <= modulus.bit_length() <= _LARGEST_RSA:
        return f"RSA with {modulus.bit_length()} bits is not within {_SMALLEST_RSA} and {_LARGEST_RSA}"
    if exponent % 2 == 0 or not 2**16 < exponent < 2**256:
        return f"the RSA exponent {exponent} is not an odd number above 65536"
    if math.gcd(modulus, _PRODUCT_OF_SMALL_PRIMES) != 1:
        return "the RSA modulus has a small factor"
    if _has_roca_fingerprint(modulus):
        return "the RSA modulus bears the mark of the ROCA weakness (CVE-2017-15361)"
    if _has_close_factors(modulus):
        return "the RSA modulus has two factors close to each other (Fermat)"
    return None


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
    for middle in range(root + 1, root + 1 + _FERMAT_ROUNDS):
        rest = middle * middle - modulus
        if math.isqrt(rest) ** 2 == rest:
            return True
    return False
