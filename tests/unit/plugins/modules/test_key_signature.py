# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``key_signature``: signatures that others verify, keys in their JSON form."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import spki_sha256
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld
from ansible_collections.certops.rotation.tests.support.pki import key_pem, make_key
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

DATA = b"eyJhbGciOiJFUzI1NiJ9.e30"


@pytest.fixture
def world(tmp_path: Path) -> HostWorld:
    return HostWorld(tmp_path)


def signed(world: HostWorld, algorithm: str, key: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    prepared = world.prepare(key=key)
    public = x509.load_pem_x509_csr(prepared["csr_pem"].encode()).public_key()
    options: dict[str, Any] = {"name": "shop", "version": prepared["version"], "algorithm": algorithm}
    return public, world.modules.run("key_signature", data_b64=base64.b64encode(DATA).decode(), **options)


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


@pytest.mark.parametrize(
    ("algorithm", "curve", "digest"),
    [
        ("ES256", "secp256r1", hashes.SHA256()),
        ("ES384", "secp384r1", hashes.SHA384()),
        ("ES512", "secp521r1", hashes.SHA512()),
    ],
)
def test_ec_signature_is_raw_and_verifies(world: HostWorld, algorithm: str, curve: str, digest: Any) -> None:
    for _round in range(4):  # r or s has a leading zero byte now and then
        public, result = signed(world, algorithm, {"type": "ecdsa", "curve": curve})
        raw = base64.b64decode(result["signature_b64"])
        half = (public.key_size + 7) // 8  # 66 bytes for the 521 bits of P-521
        assert len(raw) == 2 * half
        r, s = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        public.verify(utils.encode_dss_signature(r, s), DATA, ec.ECDSA(digest))
        numbers = public.public_numbers()
        assert (number(result["public_jwk"]["x"]), number(result["public_jwk"]["y"])) == (numbers.x, numbers.y)


def test_rsa_signature_verifies(world: HostWorld) -> None:
    public, result = signed(world, "RS256", {"type": "rsa"})
    public.verify(base64.b64decode(result["signature_b64"]), DATA, padding.PKCS1v15(), hashes.SHA256())
    jwk = result["public_jwk"]
    assert rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])) == public.public_numbers()
    assert result["changed"] is False


def test_algorithm_of_another_kind_of_key_is_refused(world: HostWorld) -> None:
    _public, result = signed(world, "RS256", {"type": "ecdsa"})
    assert result["code"] == "algorithm_mismatch"
    _public, result = signed(world, "ES256", {"type": "ecdsa", "curve": "secp521r1"})
    assert result["code"] == "algorithm_mismatch"


def test_curve_that_no_ca_takes_is_refused(world: HostWorld, tmp_path: Path) -> None:
    path = tmp_path / "tls.key"
    path.write_text(key_pem(ec.generate_private_key(ec.BrainpoolP256R1())))
    arguments: dict[str, Any] = {"path": str(path), "algorithm": "ES256", "data_b64": base64.b64encode(DATA).decode()}
    assert world.modules.run("key_signature", **arguments)["code"] == "key_unsupported"


def test_missing_key_and_bad_data_are_told(world: HostWorld) -> None:
    options: dict[str, Any] = {"name": "shop", "version": "20260101T000000Z-abcdef", "algorithm": "ES256"}
    assert world.modules.run("key_signature", data_b64="AAAA", **options)["code"] == "key_missing"
    options["version"] = world.prepare()["version"]
    assert world.modules.run("key_signature", data_b64="not base64!", **options)["code"] == "data_unreadable"


def test_version_is_found_by_the_fingerprint_of_its_key(world: HostWorld) -> None:
    old, new = world.prepare(), world.prepare("other")
    arguments: dict[str, Any] = {"name": "shop", "algorithm": "ES256", "data_b64": base64.b64encode(DATA).decode()}
    result = world.modules.run("key_signature", spki_sha256=old["spki_sha256"], **arguments)
    assert result["signature_b64"]
    for wrong in (new["spki_sha256"], "0" * 64):
        assert world.modules.run("key_signature", spki_sha256=wrong, **arguments)["code"] == "key_missing"


def test_key_in_a_file_signs_if_it_is_the_right_one(world: HostWorld, tmp_path: Path) -> None:
    key = make_key("rsa")
    path = tmp_path / "tls.key"
    path.write_text(key_pem(key))
    spki = spki_sha256(key.public_key())
    arguments: dict[str, Any] = {"path": str(path), "algorithm": "RS256", "data_b64": base64.b64encode(DATA).decode()}
    result = world.modules.run("key_signature", spki_sha256=spki, **arguments)
    key.public_key().verify(base64.b64decode(result["signature_b64"]), DATA, padding.PKCS1v15(), hashes.SHA256())
    refused = world.modules.run("key_signature", spki_sha256="0" * 64, **arguments)
    assert refused["code"] == "key_mismatch" and "signature_b64" not in refused
    gone = world.modules.run("key_signature", **{**arguments, "path": str(tmp_path / "absent")})
    assert gone["code"] == "key_missing"


def test_what_is_to_be_signed_with_what_must_be_said(world: HostWorld) -> None:
    assert world.modules.run("key_signature", name="shop", algorithm="ES256")["code"] == "arguments_invalid"
    assert world.modules.run("key_signature", data_b64="AAAA", algorithm="ES256")["code"] == "arguments_invalid"
