# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private key's way from one host to another: sealed by openssl on one, unsealed by openssl on the other.

An envelope of CMS (RFC 5652) for an elliptic-curve key that exists for this once (RFC 5753), with what openssl 1.1.1
and 3 both have. It does not say who sealed it, and AES-CBC does not notice changes; so the receiver only takes a key
that is whole and whose public key is the one of the certificate it gets.
"""

from __future__ import annotations

import os
import re

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    ONE_TIME_CERTIFICATE,
    ONE_TIME_KEY,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl, private_files

_CERTIFICATE = r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{64,8192}-----END CERTIFICATE-----\n?"
_CONFIG = b"[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = receiver\n"
_DAYS = "2"


def new_one_time_pair(openssl: Openssl, place: str) -> str:
    """Write a key that opens one envelope to ``receiver.key`` in ``place``; returns its certificate as PEM."""
    key_path = os.path.join(place, ONE_TIME_KEY)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-pkeyopt", "ec_param_enc:named_curve"]
    request = ["req", "-x509", "-new", *key, "-nodes", "-keyout", key_path, "-sha256", "-days", _DAYS]
    with private_files():
        outcome = openssl.call(
            [*request, "-config", "/dev/stdin"], "key_not_made", "openssl made no one-time key", _CONFIG
        )
    certificate = re.search(_CERTIFICATE.encode("ascii"), outcome.output)
    if certificate is None:
        raise RotationError("key_not_made", "openssl made no one-time certificate", openssl=outcome.tail)
    return certificate.group().decode("ascii")


def sealed(openssl: Openssl, key_path: str, certificate_pem: str) -> bytes:
    """The private key in a file, as an envelope (DER) that only the key of this certificate opens."""
    if re.fullmatch(_CERTIFICATE, certificate_pem) is None:
        raise RotationError("certificate_unreadable", "What a key was to be sealed to is not one certificate in PEM")
    envelope = ["cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc", "-in", key_path]
    recipient = ["-recip", "/dev/stdin", "-keyopt", "ecdh_kdf_md:sha256", "-aes256-wrap"]
    outcome = openssl.call(
        [*envelope, *recipient], "seal_failed", "openssl did not seal the key", certificate_pem.encode("ascii")
    )
    if not outcome.output:
        raise RotationError("seal_failed", "openssl sealed nothing", openssl=outcome.tail)
    return outcome.output


def unseal(openssl: Openssl, envelope: bytes, place: str, path: str) -> None:
    """Have openssl open an envelope by the one-time key in ``place``, into the new file ``path``, mode 0600.

    RotationError ``seal_broken``. This process never has what was inside.
    """
    key_path, certificate_path = os.path.join(place, ONE_TIME_KEY), os.path.join(place, ONE_TIME_CERTIFICATE)
    opened_by = ["-recip", certificate_path, "-inkey", key_path]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        openssl.call(
            ["cms", "-decrypt", "-binary", "-inform", "DER", "-in", "/dev/stdin", *opened_by],
            "seal_broken",
            "What was sealed cannot be opened by the one-time key",
            envelope,
            output_to=descriptor,
        )
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_inconsistent(openssl: Openssl, path: str) -> None:
    """RotationError ``seal_broken`` unless the private key in the file really has the public key that it says.

    Of an elliptic-curve key, openssl reads the public half from beside the private one, and both could differ.
    """
    said = openssl.call(
        ["pkey", "-in", path, "-passin", "pass:", "-noout", "-check"],
        "seal_broken",
        "What was sealed is not a private key that openssl can read",
    )
    # openssl 1.1.1 ends with 0 in any case.
    if b"Key is valid" not in said.output:
        raise RotationError("seal_broken", "What was sealed is a private key whose halves do not belong together")
