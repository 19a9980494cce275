# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Second opinions that share no code with the collection: openssl on CRL and OCSP, and a search for private keys."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.certops.rotation.tests.support.host_world import spki_of_key

_LARGEST = 4 * 1024 * 1024
_SLICE = 24


def crl_says(crl: Path, serial: str) -> str | None:
    """The reason for which a serial is in a CRL, in openssl's words; None if it is not in it."""
    command = ["openssl", "crl", "-in", str(crl), "-inform", "DER", "-noout", "-text"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for entry in text.split("Serial Number:")[1:]:
        if entry.split()[0].lower() == serial:
            reason = re.search(r"CRL Reason Code:\s*\n\s*(.+)", entry)
            return reason[1].strip() if reason else "unspecified"
    return None


def ocsp_says(certificate: Path, issuer: Path, root: Path, url: str) -> str:
    """``good``, ``revoked (keyCompromise)`` or ``unknown``, verified and asked for by openssl."""
    command = ["openssl", "ocsp", "-issuer", str(issuer), "-cert", str(certificate), "-url", url,
               "-CAfile", str(root), "-verify_other", str(issuer)]  # fmt: skip
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    if "Response verify OK" not in ended.stderr:
        raise AssertionError(ended.stderr)
    status = re.search(r": (good|revoked|unknown)\b", ended.stdout)
    reason = re.search(r"Reason: (\w+)", ended.stdout)
    return (status[1] if status else ended.stdout) + (f" ({reason[1]})" if reason else "")


def private_keys_below(folder: Path) -> dict[Path, str]:
    """Each file that holds a private key, whatever its name, with the SHA-256 of the public half."""
    found = {}
    for path in folder.rglob("*"):
        is_small_file = path.is_file() and not path.is_symlink() and path.stat().st_size < _LARGEST
        if is_small_file and b"PRIVATE KEY-----" in path.read_bytes():
            found[path] = spki_of_key(path)
    return found


class Leak:
    """Looks for any part of private keys in whatever it is shown."""

    def __init__(self) -> None:
        self._slices: set[bytes] = set()

    def learn(self, key: Path) -> None:
        """Remember every 24 bytes of the key's base64 (from the secret part on), as they would stand in any text."""
        body = b"".join(line for line in key.read_bytes().splitlines() if not line.startswith(b"-----"))
        public = spki_text(key)
        # A slice of the head with one sign of the secret behind it stands in every 64th key.
        first = len(_HEAD) - _SLICE // 3 if body.startswith(_HEAD) else 0
        for start in range(first, len(body) - _SLICE + 1):
            part = body[start : start + _SLICE]
            if part not in public:  # the tail of a PKCS#8 key
                self._slices.add(part)

    def __len__(self) -> int:
        return len(self._slices)

    def found_in(self, texts: Iterable[bytes]) -> list[bytes]:
        """The parts of keys that are in any of the texts, also with line breaks (or JSON's) between them."""
        flat = [text.replace(b"\\n", b"").replace(b"\n", b"") for text in texts]
        return [part for part in self._slices if any(part in text for text in flat)]


def spki_text(key: Path) -> bytes:
    """The public half of a key as base64 in each of its three alignments."""
    command = ["openssl", "pkey", "-in", str(key), "-pubout", "-outform", "DER"]
    public = subprocess.run(command, check=True, capture_output=True).stdout
    return b" ".join(base64.b64encode(public[start:]) for start in range(3))


# PrivateKeyInfo of a P-256 key up to the secret itself: 30 81 87 02 01 00 30 13 … 04 6d 30 6b 02 01 01 04 20
_PKCS8_HEAD = bytes.fromhex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420")
_HEAD = base64.b64encode(_PKCS8_HEAD)
