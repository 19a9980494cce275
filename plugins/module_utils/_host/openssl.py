# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The openssl program (1.1.1 or newer): it writes, reads and uses private keys, so that Python never holds one."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.command import Outcome, run
from ansible_collections.certops.rotation.plugins.module_utils._host.digest import sha256_hex
from ansible_collections.certops.rotation.plugins.module_utils._host.names import is_ip_address

CURVES = {"secp256r1": "prime256v1", "secp384r1": "secp384r1", "secp521r1": "secp521r1"}
RSA_SIZES = (2048, 3072, 4096)
_REQUEST = rb"-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\n?"
_CERTIFICATE = r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\n?"
_STORAGE_FAULTS = ((b"No space left", "disk_full"), (b"Read-only file system", "read_only"))
_CN_LIMIT = 64  # RFC 5280 appendix A.1, ub-common-name


class Openssl:
    """Calls to one openssl program, which may be named by path."""

    def __init__(self, program: str = "openssl") -> None:
        self.program = program

    def version(self) -> str:
        """Such as ``OpenSSL 3.0.19 27 Jan 2026 (Library: ...)``."""
        return self.call(["version"], "openssl_failed", "openssl does not tell its version").output.decode().strip()

    def new_key_and_request(self, key_path: str, key: dict[str, Any], names: list[str], must_staple: bool) -> str:
        """Write a new private key to ``key_path``, nobody else's from its first byte on, and return its CSR as PEM."""
        argv = [
            "req",
            "-new",
            *_key_arguments(key),
            "-nodes",
            "-keyout",
            key_path,
            "-sha256",
            "-subj",
            _subject(names),
            "-config",
            "/dev/stdin",
        ]
        with private_files():
            outcome = self.call(argv, "key_not_made", "openssl made no key", _request_config(names, must_staple))
        request = re.search(_REQUEST, outcome.output)
        if request is None:
            raise RotationError("key_not_made", "openssl made no request", openssl=outcome.tail)
        return request.group().decode("ascii")

    def spki(self, key_path: str) -> bytes:
        """The DER SubjectPublicKeyInfo of the private key in a file."""
        # the empty passphrase: an encrypted key is an error here, not a question on a terminal
        return self.call(
            ["pkey", "-in", key_path, "-passin", "pass:", "-pubout", "-outform", "DER"],
            "key_unreadable",
            f"{key_path} holds no private key that openssl can read",
        ).output

    def spki_sha256(self, key_path: str) -> str:
        """SHA-256 of the public key that belongs to the private key in a file."""
        return sha256_hex(self.spki(key_path))

    def certificates_in(self, path: str) -> str:
        """The certificates in a PEM file and nothing else of it: the file may hold a private key as well."""
        outcome = run([self.program, "storeutl", "-certs", "-passin", "pass:", path])
        return "".join(re.findall(_CERTIFICATE, outcome.output.decode("ascii", "replace")))

    def sign(self, key_path: str, digest: str, data: bytes) -> bytes:
        """A signature over ``data``: PKCS#1 v1.5 for RSA, DER ECDSA-Sig-Value for EC."""
        return self.call(
            ["dgst", "-" + digest, "-sign", key_path, "-passin", "pass:"],
            "signature_failed",
            f"{key_path} does not sign",
            data,
        ).output

    def call(
        self,
        arguments: list[str],
        code: str,
        message: str,
        given: bytes | None = None,
        output_to: int | None = None,
    ) -> Outcome:
        """Run openssl. RotationError ``code`` with ``message`` if it fails; ``output_to`` as ``command.run`` has it."""
        try:
            outcome = run([self.program, *arguments], given=given, output_to=output_to)
        except RotationError as error:
            if error.code != "command_missing":
                raise
            raise RotationError(
                "openssl_missing",
                f"There is no openssl program at {self.program}",
                remedy="Install the openssl package, version 1.1.1 or newer.",
            ) from error
        if outcome.code != 0:
            code = next((fault for said, fault in _STORAGE_FAULTS if said in outcome.errors), code)
            raise RotationError(code, message, openssl=outcome.tail, exit_code=outcome.code)
        return outcome


def checked_key(key: dict[str, Any]) -> dict[str, Any]:
    """The wanted key, with only the options that its type has."""
    if key.get("type", "ecdsa") == "ecdsa":
        return {"type": "ecdsa", "curve": key.get("curve") or "secp256r1"}
    return {"type": "rsa", "size": key.get("size") or 2048}


def _key_arguments(key: dict[str, Any]) -> list[str]:
    if key["type"] == "ecdsa":
        return [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:" + CURVES[key["curve"]],
            "-pkeyopt",
            "ec_param_enc:named_curve",
        ]
    return ["-newkey", "rsa:" + str(key["size"])]


def _subject(names: list[str]) -> str:
    """The first DNS name as CN where it fits, else an empty subject: subjectAltName is what counts (RFC 6125)."""
    first = next((name for name in names if not is_ip_address(name)), "")
    return "/CN=" + first if first and len(first) <= _CN_LIMIT else "/"


def _request_config(names: list[str], must_staple: bool) -> bytes:
    alternatives = ",".join(("IP:" if is_ip_address(name) else "DNS:") + name for name in names)
    lines = [
        "[req]",
        "distinguished_name = dn",
        "req_extensions = ext",
        "prompt = no",
        "[dn]",
        "[ext]",
        "subjectAltName = " + alternatives,
    ]
    if must_staple:
        lines.append("tlsfeature = status_request")  # RFC 7633
    return "\n".join([*lines, ""]).encode("ascii")


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """What a program writes inside is nobody else's from its first byte on."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
