# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which key is meant: told by a private key, a public key, a request, a certificate or a fingerprint.

Of a private key only its public half is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_spki_sha256,
    read_certificate,
    spki_sha256,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    DECODING_ERRORS,
    ec,
    exceptions,
    rsa,
    serialization,
    x509,
)

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_PRIVATE = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")


@dataclass(frozen=True)
class KeyIdentity:
    """One key, by the name that it has everywhere in this collection."""

    spki_sha256: str
    kind: str
    """What told it: private_key, public_key, request, certificate or fingerprint"""
    public_key: Any = None
    """None for a fingerprint, and for kinds of key that the library does not know"""
    certificate: x509.Certificate | None = None

    @property
    def key_type(self) -> str | None:
        """``rsa-2048``, ``ec-secp256r1``, ``other``; None where only the fingerprint is known."""
        if self.public_key is None:
            return None
        if isinstance(self.public_key, rsa.RSAPublicKey):
            return f"rsa-{self.public_key.key_size}"
        return f"ec-{self.public_key.curve.name}" if isinstance(self.public_key, ec.EllipticCurvePublicKey) else "other"


def from_fingerprint(text: str) -> KeyIdentity:
    """SHA-256 of a SubjectPublicKeyInfo, however it is written. RotationError ``fingerprint_invalid``."""
    digits = text.strip().lower().replace(":", "").removeprefix("sha256").strip(" =")
    if not _SHA256.match(digits):
        raise RotationError(
            "fingerprint_invalid",
            f"{text[:80]!r} is not the SHA-256 of a public key in hex",
            remedy="openssl pkey -pubin -outform DER -in public.pem | openssl sha256",
        )
    return KeyIdentity(digits, "fingerprint")


def identify(data: bytes, what: str, passphrase: str | None = None) -> KeyIdentity:
    """The key that ``data`` holds or is about, PEM or DER.

    :raises RotationError: ``key_unreadable``, ``passphrase_needed``; neither shows what was read.
    """
    for read in (_certificate, _request, _public_key, _private_key(passphrase, what)):
        found = read(data)
        if found is not None:
            return found
    raise RotationError(
        "key_unreadable",
        f"{what} holds neither a private key nor a public key, a request or a certificate that could be read",
        remedy="Give it as PEM or DER.",
    )


def load_private_key(data: bytes, what: str, passphrase: str | None = None) -> Any:
    """A private key that signs on the control node. RotationError ``key_unreadable``, ``passphrase_needed``."""
    load = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        return load(data, password=passphrase.encode() if passphrase else None)
    except TypeError as exc:
        # Says whether a passphrase was missing or given in vain, and nothing of the key.
        needed = passphrase is None
        raise RotationError(
            "passphrase_needed" if needed else "key_unreadable",
            f"the private key in {what} is encrypted" if needed else f"the private key in {what} has no passphrase",
        ) from exc
    except (ValueError, exceptions.UnsupportedAlgorithm) as exc:
        raise RotationError(
            "key_unreadable", f"the private key in {what} cannot be read; is the passphrase right?"
        ) from exc


def _certificate(data: bytes) -> KeyIdentity | None:
    try:
        certificate = read_certificate(data)
    except RotationError:
        return None
    try:
        key = certificate.public_key()
    except DECODING_ERRORS:
        key = None
    return KeyIdentity(certificate_spki_sha256(certificate), "certificate", key, certificate)


def _request(data: bytes) -> KeyIdentity | None:
    load = x509.load_pem_x509_csr if b"-----BEGIN" in data else x509.load_der_x509_csr
    return _of_key("request", lambda: load(data).public_key())


def _public_key(data: bytes) -> KeyIdentity | None:
    load = serialization.load_pem_public_key if b"-----BEGIN" in data else serialization.load_der_public_key
    return _of_key("public_key", lambda: load(data))


def _private_key(passphrase: str | None, what: str) -> Callable[[bytes], KeyIdentity | None]:
    def read(data: bytes) -> KeyIdentity | None:
        if b"-----BEGIN" in data and not _PRIVATE.search(data):
            return None
        try:
            return _of_key("private_key", lambda: load_private_key(data, what, passphrase).public_key())
        except RotationError:
            if b"-----BEGIN" in data:
                raise
            return None

    return read


def _of_key(kind: str, load: Callable[[], Any]) -> KeyIdentity | None:
    try:
        key = load()
        return KeyIdentity(spki_sha256(key), kind, key)
    except DECODING_ERRORS:
        return None
