# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which key is meant, whatever tells it; private keys stay out of what is kept and said."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import spki_sha256
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.key_identity import (
    from_fingerprint,
    identify,
    load_private_key,
)
from ansible_collections.certops.rotation.tests.support.pki import Authority, make_key
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

KEY = make_key("ec")
SPKI = spki_sha256(KEY.public_key())
CERTIFICATE = Authority.root().issue(["shop.example.org"], key=KEY).certificate
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(KEY, hashes.SHA256())


def private(form: PrivateFormat, encoding: Encoding = Encoding.PEM, passphrase: str | None = None) -> bytes:
    protection: Any = serialization.NoEncryption()
    if passphrase:
        protection = serialization.BestAvailableEncryption(passphrase.encode())
    return bytes(KEY.private_bytes(encoding, form, protection))


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("private_key", lambda encoding: private(PrivateFormat.PKCS8, encoding)),
        ("private_key", lambda encoding: private(PrivateFormat.TraditionalOpenSSL, encoding)),
        ("public_key", lambda encoding: KEY.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)),
        ("certificate", CERTIFICATE.public_bytes),
        ("request", REQUEST.public_bytes),
    ],
)
def test_each_kind_tells_the_same_key(kind: str, make: Any, encoding: Encoding) -> None:
    found = identify(make(encoding), "the file")
    assert (found.kind, found.spki_sha256, found.key_type) == (kind, SPKI, "ec-secp256r1")
    assert (found.certificate is not None) == (kind == "certificate")


@pytest.mark.parametrize(
    "written",
    [SPKI, SPKI.upper(), ":".join(SPKI[at : at + 2] for at in range(0, 64, 2))],
    ids=["lower-case", "upper-case", "colons"],
)
def test_fingerprint_is_read_however_it_is_written(written: str) -> None:
    found = from_fingerprint(written)
    assert (found.spki_sha256, found.kind, found.key_type) == (SPKI, "fingerprint", None)


@pytest.mark.parametrize(
    "written", ["", "abc", "g" * 64, SPKI + "00"], ids=["empty", "too-short", "not-hexadecimal", "too-long"]
)
def test_what_is_no_fingerprint_is_refused(written: str) -> None:
    with pytest.raises(RotationError) as refused:
        from_fingerprint(written)
    assert refused.value.code == "fingerprint_invalid"


def test_encrypted_key_needs_its_passphrase() -> None:
    data = private(PrivateFormat.PKCS8, passphrase="right one")
    assert identify(data, "key.pem", "right one").spki_sha256 == SPKI
    for given, code in ((None, "passphrase_needed"), ("wrong", "key_unreadable")):
        with pytest.raises(RotationError) as refused:
            identify(data, "key.pem", given)
        assert refused.value.code == code
        assert "right one" not in str(refused.value)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x30\x03\x02\x01\x01", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_garbage_is_refused_without_showing_it(data: bytes) -> None:
    with pytest.raises(RotationError) as refused:
        identify(data, "the file")
    assert refused.value.code == "key_unreadable"
    assert data.decode("latin-1")[-8:] not in str(refused.value.as_result()) or not data


def test_broken_private_key_does_not_show_itself() -> None:
    broken = private(PrivateFormat.PKCS8).replace(b"M", b"N", 2)
    with pytest.raises(RotationError) as refused:
        load_private_key(broken, "key.pem")
    shown = str(refused.value.as_result()) + str(refused.value)
    assert not any(line in shown for line in broken.decode().splitlines() if line)
