# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA keys with each of the famous faults, made on the spot."""

from __future__ import annotations

import functools
import math
import secrets
import subprocess

from cryptography.hazmat.primitives.asymmetric import rsa

_E = 65537


@functools.lru_cache(maxsize=1)
def close_factors_key() -> rsa.RSAPrivateKey:
    """2048 bits, with a second factor right above the first: Fermat finds them at once."""
    first = _prime(1024)
    second = _next_prime(first)
    return _private(first, second)


def roca_marked_modulus() -> int:
    """An odd modulus that is a power of 65537 modulo each small prime (CVE-2017-15361); its factors are not real."""
    product = math.prod(number for number in range(3, 168) if _is_small_prime(number))
    start = pow(_E, 1 + secrets.randbelow(1 << 64), product)
    # Any multiple of the product may be added without touching the residues; odd, of 2048 bits, without a tiny factor.
    modulus = start + product * ((1 << 2047) // product + 1)
    while modulus % 2 == 0 or any(modulus % number == 0 for number in range(3, 752)):
        modulus += product
    return modulus


def small_factor_modulus() -> int:
    return 739 * _prime(1024) * _prime(1015)


def rsa_public(modulus: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(_E, modulus).public_key()


def _private(first: int, second: int) -> rsa.RSAPrivateKey:
    totient = math.lcm(first - 1, second - 1)
    exponent = pow(_E, -1, totient)
    numbers = rsa.RSAPrivateNumbers(
        first,
        second,
        exponent,
        exponent % (first - 1),
        exponent % (second - 1),
        pow(second, -1, first),
        rsa.RSAPublicNumbers(_E, first * second),
    )
    return numbers.private_key()


def _prime(bits: int) -> int:
    command = ["openssl", "prime", "-generate", "-bits", str(bits), "-hex"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout, 16)


def _next_prime(number: int) -> int:
    candidate = number + 2
    while not (pow(2, candidate - 1, candidate) == 1 and pow(3, candidate - 1, candidate) == 1):
        candidate += 2
    return candidate


def _is_small_prime(number: int) -> bool:
    return all(number % divisor for divisor in range(2, math.isqrt(number) + 1))
