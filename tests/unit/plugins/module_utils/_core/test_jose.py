# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures in JOSE's form, also by openssl and for each kind of key."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import (
    algorithm_of,
    base64url,
    from_base64url,
    is_signed,
    jwk_of,
    sign,
    signing_input,
    thumbprint_of,
)
from ansible_collections.certops.rotation.tests.support.pki import make_key
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

KEYS: dict[str, Any] = {
    "RS256": lambda: make_key("rsa"),
    "ES256": make_key,
    "ES384": lambda: make_key("ec-secp384r1"),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
}


@pytest.mark.parametrize("name", KEYS)
def test_signature_verifies_and_a_changed_one_does_not(name: str) -> None:
    key = KEYS[name]()
    signature = sign(key, b"data")
    assert algorithm_of(key.public_key()).name == name
    assert is_signed(key.public_key(), b"data", signature)
    assert not is_signed(key.public_key(), b"other data", signature)
    assert not is_signed(key.public_key(), b"data", signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not is_signed(KEYS[name]().public_key(), b"data", signature)
    assert not is_signed(key.public_key(), b"data", b"")


def test_der_signature_is_none_of_jose() -> None:
    key = make_key()
    der = key.sign(b"data", ec.ECDSA(hashes.SHA256()))
    assert not is_signed(key.public_key(), b"data", der)
    first, second = decode_dss_signature(der)
    assert is_signed(key.public_key(), b"data", first.to_bytes(32, "big") + second.to_bytes(32, "big"))


def test_numbers_that_begin_with_zeros_keep_their_length() -> None:
    key = make_key()
    assert {len(sign(key, bytes([number]))) for number in range(256)} == {64}


def test_other_padding_is_no_signature() -> None:
    key = make_key("rsa")
    pss = key.sign(b"data", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    assert not is_signed(key.public_key(), b"data", pss)


def test_key_without_such_signatures_is_said_to_be_one() -> None:
    with pytest.raises(RotationError) as refused:
        algorithm_of(make_key("ed25519").public_key())
    assert refused.value.code == "key_unsupported"


def test_example_of_rfc_7638() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM"
        "stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5"
        "hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    number = int.from_bytes(from_base64url(modulus), "big")
    jwk = jwk_of(rsa.RSAPublicNumbers(65537, number).public_key())
    assert jwk == {"kty": "RSA", "e": "AQAB", "n": modulus}
    assert thumbprint_of(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_signing_input_is_compact_json() -> None:
    assert signing_input({"b": 1, "a": "x"}, {}) == (base64url(b'{"a":"x","b":1}'), base64url(b"{}"))


@pytest.mark.parametrize("text", ["!", "a\nb", "Ä"])
def test_what_is_not_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_base64url(text)
