# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release: everything that is switched as one unit for one certificate."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import read_file
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CHAIN,
    SNIPPET,
    STAPLE,
    TRUST,
    CertificateFolder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.der import (
    certificate_blocks,
    subject_public_key_info,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.digest import sha256_hex
from ansible_collections.certops.rotation.plugins.module_utils._host.names import checked_version
from ansible_collections.certops.rotation.plugins.module_utils._host.own_paths import OwnPath, own_paths
from ansible_collections.certops.rotation.plugins.module_utils._host.record import Record

OPERATIONS = ["switch", "repair", "rollback", "staple"]
RELEASE_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "operation": {"type": "str", "default": "switch", "choices": OPERATIONS},
    "version": {"type": "str"},
    "chain_pem": {"type": "str"},
    "trust_pem": {"type": "str"},
    "staple_b64": {"type": "str"},
    "spki_sha256": {"type": "str"},
    "sealed_key_b64": {"type": "str", "no_log": True},
    "snippets": {
        "type": "dict",
        "default": {},
        "options": {
            "off": {"type": "str", "default": ""},
            "nginx": {"type": "str", "default": ""},
            "file": {"type": "str", "default": ""},
        },
    },
    "stapling": {"type": "str", "default": "auto", "choices": ["auto", "off", "nginx", "file"]},
    "responder": {
        "type": "dict",
        "options": {"host": {"type": "str", "required": True}, "port": {"type": "int", "default": 80}},
    },
    "must_staple": {"type": "bool", "default": False},
    "paths": {
        "type": "dict",
        "options": {
            "certificate": {"type": "path"},
            "key": {"type": "path", "no_log": False},
            "trust": {"type": "path"},
            "staple": {"type": "path"},
        },
    },
    "ticket_keys": {"type": "list", "elements": "path", "default": [], "no_log": False},
    "record": {"type": "dict", "default": {}},
    "back_allowed": {"type": "bool", "default": True},
}

_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Release:
    """One entry of the option ``releases``, checked as far as that is possible without looking at the disk."""

    folder: CertificateFolder
    operation: str
    version: str | None
    chain: bytes | None
    trust: bytes | None
    staple: bytes | None
    spki_sha256: str | None
    sealed_key: str | None
    snippets: dict[str, str]
    stapling: str
    responder: dict[str, Any] | None
    must_staple: bool
    paths: list[OwnPath]
    ticket_keys: list[str]
    record: Record
    back_allowed: bool

    def leaf_spki_sha256(self) -> str:
        """SHA-256 of the public key in the first certificate of the chain."""
        return sha256_hex(subject_public_key_info(self.blocks()[0]))

    def blocks(self) -> list[bytes]:
        """The DER of the chain's certificates, at least one."""
        blocks = certificate_blocks(self.chain.decode("ascii", "replace")) if self.chain else []
        if not blocks:
            raise RotationError("certificate_unreadable", f"The chain of {self.folder.name} holds no certificate")
        return blocks

    def files(self, mode: str) -> dict[str, bytes | None]:
        """What belongs into the version's folder when it is stapled this way; None for what must not be there."""
        has_file = mode == "file" or any(own.role == "staple" for own in self.paths)
        return {
            CHAIN: self.chain,
            TRUST: self.trust,
            SNIPPET: self.snippets[mode].encode("utf-8"),
            STAPLE: self.staple if has_file else None,
        }


def read_release(root: str, given: dict[str, Any]) -> Release:
    """The option as a value. RotationError ``name_invalid``, ``paths_invalid``, ``staple_unreadable``."""
    folder = CertificateFolder(root, given["name"])
    return Release(
        folder=folder,
        operation=given["operation"],
        version=checked_version(given["version"]) if given["version"] else None,
        chain=_text(given["chain_pem"]),
        trust=_text(given["trust_pem"]),
        staple=_decoded(given["staple_b64"], folder.name),
        spki_sha256=given["spki_sha256"],
        sealed_key=given["sealed_key_b64"],
        snippets=given["snippets"] or {"off": "", "nginx": "", "file": ""},
        stapling=given["stapling"],
        responder=given["responder"],
        must_staple=given["must_staple"],
        paths=own_paths(folder, given["paths"]),
        ticket_keys=given["ticket_keys"] or [],
        record=given["record"] or {},
        back_allowed=given["back_allowed"],
    )


def differing(folder: CertificateFolder, version: str, wanted: dict[str, bytes | None]) -> dict[str, bytes | None]:
    """The files that are not on disk as they are wanted."""
    return {name: data for name, data in wanted.items() if content_of(folder, version, name) != data}


def content_of(folder: CertificateFolder, version: str, file_name: str) -> bytes | None:
    """The content of a version's public file, None if it has none of that name."""
    try:
        return read_file(os.path.join(folder.version_path(version), file_name), _LIMIT)
    except FileNotFoundError:
        return None


def _text(pem: str | None) -> bytes | None:
    return (pem.strip() + "\n").encode("utf-8") if pem and pem.strip() else None


def _decoded(staple_b64: str | None, name: str) -> bytes | None:
    if not staple_b64:
        return None
    try:
        return base64.b64decode(staple_b64, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise RotationError("staple_unreadable", f"The staple of {name} is not base64") from exc
