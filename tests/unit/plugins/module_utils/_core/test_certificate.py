# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certificates are read as, and what is said of things that are none."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core import certificate
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
    serial_hex,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued, der, make_csr, make_key
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.root().intermediate()


@pytest.fixture(scope="module")
def leaf(authority: Authority) -> Issued:
    return authority.issue(
        ["shop.example.org", "192.0.2.7", "2001:db8::1"],
        serial=0xABC,
        ocsp_urls=["http://ocsp.example.org/"],
        crl_urls=["http://crl.example.org/1.crl", "ldap://crl.example.org/"],
        ca_issuers_urls=["http://ca.example.org/ca.crt"],
        must_staple=True,
    )


def test_facts_of_a_server_certificate(leaf: Issued, authority: Authority) -> None:
    facts = certificate_facts(leaf.certificate)
    assert facts.serial == "0abc"
    assert facts.names == ("shop.example.org", "192.0.2.7", "2001:db8::1")
    assert facts.ocsp_urls == ("http://ocsp.example.org/",)
    assert facts.crl_urls == ("http://crl.example.org/1.crl", "ldap://crl.example.org/")
    assert facts.ca_issuers_urls == ("http://ca.example.org/ca.crt",)
    assert (facts.must_staple, facts.is_ca, facts.key_type) == (True, False, "ec-secp256r1")
    assert facts.aki == certificate_facts(authority.certificate).ski
    assert facts.not_before.tzinfo is not None
    assert facts.sha256 == hashlib.sha256(der(leaf.certificate)).hexdigest()


def test_spki_hash_is_the_one_openssl_computes(leaf: Issued, tmp_path: Path) -> None:
    (tmp_path / "leaf.pem").write_text(leaf.pem)
    command = "openssl x509 -in leaf.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl sha256 -r"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert certificate_facts(leaf.certificate).spki_sha256 == done.stdout.split()[0]
    assert certificate.spki_sha256(leaf.key.public_key()) == done.stdout.split()[0]


@pytest.mark.parametrize(
    ("kind", "expected"), [("rsa", "rsa-2048"), ("ec-secp384r1", "ec-secp384r1"), ("ed25519", "ed25519")]
)
def test_key_types(authority: Authority, kind: str, expected: str) -> None:
    assert certificate.key_type(authority.issue(key=make_key(kind)).certificate) == expected


@pytest.mark.parametrize(("serial", "text"), [(0xA1B, "0a1b"), (0xFF, "ff"), (0, "00"), (-1, "-01")])
def test_serial_is_hex_of_even_length(serial: int, text: str) -> None:
    assert serial_hex(serial) == text


@pytest.mark.parametrize(("lifetime", "short"), [(7 * DAY - SECOND, True), (7 * DAY, False), (90 * DAY, False)])
def test_short_lived_is_seven_days_with_the_last_second(authority: Authority, lifetime: timedelta, short: bool) -> None:
    issued = authority.issue(not_before=authority.at, not_after=authority.at + lifetime)
    assert certificate.is_short_lived(issued.certificate) is short


def test_pem_bundle_keeps_its_order(leaf: Issued) -> None:
    text = "some words before\n" + leaf.chain_pem
    assert read_certificates(text.encode()) == list(leaf.chain)


def test_certificate_beside_its_key_is_read(leaf: Issued) -> None:
    assert read_certificates((leaf.key_pem + leaf.pem).encode()) == [leaf.certificate]


def test_der_and_pkcs7_are_read(leaf: Issued) -> None:
    assert read_certificates(der(leaf.certificate)) == [leaf.certificate]
    bundle = pkcs7.serialize_certificates(list(leaf.chain), serialization.Encoding.DER)
    assert set(read_certificates(bundle)) == set(leaf.chain)


def _private_key_der(leaf: Issued) -> bytes:
    return leaf.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (lambda leaf, ca: b"", "nothing"),
        (lambda leaf, ca: b" \n", "nothing"),
        (lambda leaf, ca: leaf.key_pem.encode(), "a private key"),
        (lambda leaf, ca: _private_key_der(leaf), "a private key"),
        (lambda leaf, ca: make_csr(["a.example.org"], leaf.key).encode(), "a certificate request (CSR)"),
        (lambda leaf, ca: ca.crl(), "a CRL"),
        (lambda leaf, ca: b"<html><body>503</body></html>", "an HTML or XML page"),
        (lambda leaf, ca: b"hello", "text"),
        (lambda leaf, ca: b"\x00\xff\x00", "binary data"),
        (lambda leaf, ca: leaf.pem.encode()[:200], "a PEM block without its end"),
    ],
)
def test_what_is_no_certificate_is_named_but_not_shown(
    leaf: Issued, authority: Authority, made: object, found: str
) -> None:
    data = made(leaf, authority)  # type: ignore[operator]
    with pytest.raises(RotationError) as caught:
        read_certificates(data, "shop.crt")
    assert (caught.value.code, caught.value.facts["found"]) == ("not_a_certificate", found)
    secret = leaf.key_pem.splitlines()[1]
    assert secret not in str(caught.value.as_result())


@pytest.mark.parametrize("position", [4, 30, 200])
def test_broken_certificate_is_unreadable(leaf: Issued, position: int) -> None:
    with pytest.raises(RotationError) as caught:
        read_certificates(der(leaf.certificate)[:-position])
    assert caught.value.code == "certificate_unreadable"


def test_broken_pem_is_unreadable() -> None:
    with pytest.raises(RotationError) as caught:
        read_certificates(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert caught.value.code == "certificate_unreadable"


@pytest.mark.parametrize("bit", range(8))
def test_no_flipped_bit_raises_anything_but_our_error(leaf: Issued, bit: int) -> None:
    data = der(leaf.certificate)
    for position in range(bit, len(data), 8):
        flipped = bytearray(data)
        flipped[position] ^= 1 << bit
        try:
            certificate_facts(read_certificates(bytes(flipped))[0])
        except RotationError as error:
            assert error.code in ("certificate_unreadable", "not_a_certificate")


def test_missing_library_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import library

    absent = library("OpenSSL.no_such_part")
    with pytest.raises(RotationError) as caught:
        absent.Context(absent.TLS_CLIENT_METHOD)
    assert caught.value.code == "library_missing" and "pyOpenSSL" in caught.value.remedy
