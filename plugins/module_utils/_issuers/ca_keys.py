# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private keys of the CA: made once, stored for their owner alone, optionally under a passphrase."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    ec,
    exceptions,
    hashes,
    rsa,
    serialization,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import create_exclusively

if TYPE_CHECKING:
    from typing import TypeAlias

SigningKey: TypeAlias = "ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey"

KEY_TYPES = ("ec-secp256r1", "ec-secp384r1", "rsa-2048", "rsa-3072", "rsa-4096")


def generate_key(key_type: str) -> SigningKey:
    """A fresh key of one of KEY_TYPES."""
    family, parameter = key_type.split("-")
    if family == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=int(parameter))
    return ec.generate_private_key({"secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1}[parameter]())


def key_type_of(key: object) -> str:
    """The name of a private or public key's type, as in KEY_TYPES."""
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return f"rsa-{key.key_size}"
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return f"ec-{key.curve.name}"
    return type(key).__name__


def responder_key_type(ca_key: SigningKey) -> str:
    """The OCSP signer's key is quick to sign with, but of the CA's family: who chose RSA has clients that need it."""
    return "rsa-2048" if isinstance(ca_key, rsa.RSAPrivateKey) else "ec-secp256r1"


def signature_hash(key: SigningKey) -> hashes.SHA256 | hashes.SHA384:
    """SHA-384 with P-384, otherwise SHA-256 (Baseline Requirements 7.1.3.2)."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size > 256:
        return hashes.SHA384()
    return hashes.SHA256()


def create_key_file(path: Path, key_type: str, passphrase: bytes | None) -> bool:
    """Write a fresh key to ``path``, mode 0600, unless there is one; False if there was."""
    if path.exists():
        return False
    return create_exclusively(path, key_pem(generate_key(key_type), passphrase), mode=0o600)


def key_pem(key: SigningKey, passphrase: bytes | None) -> bytes:
    """PKCS #8, encrypted if there is a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption(),
    )


def load_key_file(path: Path, passphrase: bytes | None) -> SigningKey:
    """The key in ``path``.

    :raises RotationError: ``ca_key_missing``, ``ca_key_exposed``, ``ca_passphrase``, ``ca_key_invalid``;
        the reason given by the parser is left out, because it may quote the file.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except OSError as error:
        raise RotationError(
            "ca_key_missing",
            f"the CA key {path} cannot be read: {error.strerror}",
            remedy="Run as the user who owns the CA directory, or restore the key from its backup.",
            path=str(path),
        ) from error
    if mode & 0o077:
        raise RotationError(
            "ca_key_exposed",
            f"the CA key {path} has mode {mode:04o}: others than its owner may read it",
            remedy="Find out who has read it; if nobody has, set its mode to 0600.",
            path=str(path),
        )
    return _parse_key(path, content, passphrase)


def _parse_key(path: Path, content: bytes, passphrase: bytes | None) -> SigningKey:
    is_encrypted = b"ENCRYPTED" in content
    if is_encrypted and not passphrase:
        raise RotationError(
            "ca_passphrase",
            f"the CA key {path} is protected by a passphrase, and none is given",
            remedy="Give the passphrase of the CA, for example from a vault.",
            path=str(path),
        )
    try:
        key = serialization.load_pem_private_key(content, passphrase if is_encrypted else None)
    except (ValueError, TypeError, exceptions.UnsupportedAlgorithm):
        code, what = (
            ("ca_passphrase", "does not open with this passphrase")
            if is_encrypted
            else ("ca_key_invalid", "is not a private key in PEM")
        )
        raise RotationError(code, f"the CA key {path} {what}", path=str(path)) from None
    if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        raise RotationError(
            "ca_key_invalid", f"the CA key {path} is of a kind that this CA does not use", path=str(path)
        )
    return key
