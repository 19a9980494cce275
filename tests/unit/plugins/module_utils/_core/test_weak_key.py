# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weak public keys are told apart, and good ones are left alone."""

from __future__ import annotations

import hashlib
import math
import subprocess
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import spki_sha256
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.weak_key import (
    Weakness,
    certificate_weaknesses,
    read_blocklist,
    refuse_weak_key,
    unfitness,
    weaknesses,
    weaknesses_as_data,
    weaknesses_from,
)
from ansible_collections.certops.rotation.tests.support.pki import Authority, make_key
from ansible_collections.certops.rotation.tests.support.weak_keys import (
    close_factors_key,
    roca_marked_modulus,
    rsa_public,
    small_factor_modulus,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa


def codes(key: Any, **more: Any) -> list[str]:
    return [found.code for found in weaknesses(key, **more)]


@pytest.mark.parametrize("kind", ["ec", "ec-secp384r1", "rsa", "rsa-3072", "ed25519"])
def test_good_key_has_no_weakness(kind: str) -> None:
    assert codes(make_key(kind).public_key()) == []


@pytest.mark.parametrize(
    ("key", "code", "is_computable"),
    [
        pytest.param(lambda: close_factors_key().public_key(), "close_factors", True, id="close-factors"),
        pytest.param(lambda: rsa_public(roca_marked_modulus()), "roca", True, id="roca"),
        pytest.param(lambda: rsa_public(small_factor_modulus()), "small_factor", True, id="small-factor"),
        pytest.param(lambda: rsa.generate_private_key(65537, 1024).public_key(), "size", False, id="1024-bits"),
        pytest.param(lambda: rsa.generate_private_key(3, 2048).public_key(), "exponent", False, id="exponent-3"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP192R1()).public_key(), "curve", False, id="secp192r1"),
        pytest.param(lambda: dsa.generate_private_key(2048).public_key(), "kind", False, id="dsa"),
    ],
)
def test_weak_key_is_told(key: Any, code: str, is_computable: bool) -> None:
    [found] = weaknesses(key())
    assert (found.code, found.is_computable) == (code, is_computable)
    assert unfitness(key()) is not None


def test_square_modulus_is_found() -> None:
    prime = close_factors_key().private_numbers().p
    assert codes(rsa_public(prime * prime)) == ["close_factors"]


def test_factors_are_not_in_the_text() -> None:
    numbers = close_factors_key().private_numbers()
    shown = "".join(found.text for found in weaknesses(rsa_public(numbers.public_numbers.n)))
    assert str(numbers.p) not in shown and str(numbers.q) not in shown


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256K1()), make_key("ed25519")])
def test_what_cas_do_not_certify_is_no_weakness(key: Any) -> None:
    assert codes(key.public_key()) == []
    assert unfitness(key.public_key()) is not None


def test_certificate_with_a_weak_key_is_refused() -> None:
    weak = Authority.root().issue(["shop.example.org"], key=close_factors_key()).certificate
    assert [found.code for found in certificate_weaknesses(weak)] == ["close_factors"]
    with pytest.raises(RotationError) as refused:
        refuse_weak_key(weak)
    assert refused.value.code == "key_weak"
    refuse_weak_key(Authority.root().issue(["shop.example.org"]).certificate)


def test_weaknesses_travel_in_rotations() -> None:
    found = (Weakness("roca", "marked", True), Weakness("size", "small"))
    assert weaknesses_from(weaknesses_as_data(found)) == found
    assert weaknesses_from(None) == ()


# --- blocklists ---


def openssl_modulus_sha1(key: Any) -> str:
    """What the list of Debian's openssl-blacklist was made of."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    line = subprocess.run(
        ["openssl", "rsa", "-pubin", "-noout", "-modulus"], input=pem, stdout=subprocess.PIPE, check=True, timeout=20
    ).stdout
    return hashlib.sha1(line).hexdigest()


@pytest.mark.parametrize("form", ["debian", "whole sha1", "spki", "upper case", "with remark"])
def test_blocklisted_key_is_told(form: str) -> None:
    key = make_key("rsa").public_key()
    sha1, spki = openssl_modulus_sha1(key), spki_sha256(key)
    written = {
        "debian": sha1[-20:],
        "whole sha1": sha1,
        "spki": spki,
        "upper case": spki.upper(),
        "with remark": f"{spki} a leaked one",
    }
    blocklist = read_blocklist(f"# known keys\n\n{'0' * 20}\n{written[form]}\n")
    assert weaknesses(key, blocklist) == (Weakness("blocklisted", "the key is on a list of known keys", True),)
    assert codes(make_key("rsa").public_key(), blocklist=blocklist) == []


def test_ec_key_is_found_in_a_blocklist_by_its_spki() -> None:
    key = make_key().public_key()
    assert codes(key, blocklist=read_blocklist(spki_sha256(key))) == ["blocklisted"]


def test_garbage_in_a_blocklist_is_passed_by() -> None:
    assert read_blocklist("\n \nhello world\n# " + "a" * 64) == frozenset()


def test_roca_mark_is_not_on_ordinary_moduli() -> None:
    assert math.gcd(roca_marked_modulus(), 2) == 1
    assert not any("roca" in codes(make_key("rsa").public_key()) for _each in range(3))
