# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a host: version folders, a vhost's own paths, the server's configuration. Reads no key."""

from __future__ import annotations

import binascii
import os
import sys
from dataclasses import asdict
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import read_file
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CHAIN,
    STAPLE,
    TRUST,
    CertificateFolder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import iso, utc_now
from ansible_collections.certops.rotation.plugins.module_utils._host.command import run
from ansible_collections.certops.rotation.plugins.module_utils._host.digest import sha256_hex
from ansible_collections.certops.rotation.plugins.module_utils._host.keys_log import read_keys_log
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.own_paths import OwnPath, own_paths
from ansible_collections.certops.rotation.plugins.module_utils._host.resolvers import resolvers
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors

_LIMIT = 1024 * 1024


def look_at(params: dict[str, Any], openssl: Openssl) -> dict[str, Any]:
    """By name, what is there of each certificate of the option ``requests``; an unreadable one carries its error."""
    found = {}
    for given in params["requests"]:
        try:
            folder = CertificateFolder(params["root"], given["name"])
            found[given["name"]] = installed_facts(folder, given["paths"], openssl)
        except RotationError as error:
            nothing: dict[str, Any] = {"live": None, "versions": [], "keys_log": [], "paths": {}}
            found[given["name"]] = {**nothing, "error": error.as_result()}
    return found


def installed_facts(folder: CertificateFolder, paths: dict[str, Any] | None, openssl: Openssl) -> dict[str, Any]:
    """``rotation.installed`` of one certificate."""
    with storage_errors(f"Looking at {folder.path}"):
        folder.check()
        live = folder.live()
        return {
            "live": live,
            "versions": [_version_facts(folder, version, live) for version in folder.versions()],
            "keys_log": [asdict(fact) for fact in read_keys_log(folder.path)],
            "paths": {own.role: own_path_facts(own, openssl) for own in own_paths(folder, paths)},
        }


def own_path_facts(own: OwnPath, openssl: Openssl) -> dict[str, Any]:
    """What is at one path of a vhost. A link into ``live`` is told by its target; all else is looked into."""
    facts = path_facts(own.path)
    if own.is_ours or facts["kind"] == "missing":
        return facts
    if own.role == "key":
        facts.update(_key_facts(own.path, openssl))
    elif own.role != "staple":
        facts["chain_pem"] = openssl.certificates_in(own.path) or None
    return facts


def path_facts(path: str) -> dict[str, Any]:
    """Whether there is a file, a link (and to what) or nothing."""
    if os.path.islink(path):
        return {"path": path, "kind": "link", "target": os.readlink(path)}
    return {"path": path, "kind": "file" if os.path.exists(path) else "missing", "target": None}


def contents_of_path(path: str, openssl: Openssl) -> dict[str, Any]:
    """Certificates at a path, or else the public half of the key that is there."""
    facts = path_facts(path)
    facts["chain_pem"] = openssl.certificates_in(path) or None
    if facts["kind"] != "missing" and facts["chain_pem"] is None:
        facts.update(_key_facts(path, openssl))
    return facts


def server_configuration(dump: list[str]) -> dict[str, Any] | None:
    """What the server says its configuration is (``nginx -T``); a broken one is told, not raised."""
    if not dump:
        return None
    try:
        outcome = run(dump)
    except RotationError as error:
        return {"configuration": "", "warnings": error.message, "ok": False}
    return {
        "configuration": outcome.output.decode("utf-8", "replace"),
        "warnings": outcome.tail,
        "ok": outcome.code == 0,
    }


def surroundings() -> dict[str, Any]:
    """The host's clock and Python, so that a wrong clock is noticed before it makes a certificate look expired, and
    the name servers that it asks."""
    return {"clock": iso(utc_now()), "python_version": "{}.{}.{}".format(*sys.version_info), "resolvers": resolvers()}


def _version_facts(folder: CertificateFolder, version: str, live: str | None) -> dict[str, Any]:
    record = folder.record(version)
    facts: dict[str, Any] = {
        "version": version,
        "has_key": folder.has_key(version),
        "record": record,
        "spki_sha256": record.get("spki_sha256"),
        "chain_pem": None,
        "staple_sha256": None,
        "staple_b64": None,
    }
    if version == live or record.get("state") == "prepared":
        chain = _optional(folder, version, CHAIN)
        facts["chain_pem"] = chain.decode("ascii", "replace") if chain is not None else None
        if (record.get("request") or {}).get("shared"):
            # Another host that shares this release needs it as well.
            trust = _optional(folder, version, TRUST)
            facts["trust_pem"] = trust.decode("ascii", "replace") if trust is not None else None
        staple = _optional(folder, version, STAPLE)
        if staple is not None:
            facts["staple_sha256"] = sha256_hex(staple)
            facts["staple_b64"] = binascii.b2a_base64(staple, newline=False).decode("ascii")
    return facts


def _optional(folder: CertificateFolder, version: str, file_name: str) -> bytes | None:
    try:
        return read_file(os.path.join(folder.version_path(version), file_name), _LIMIT)
    except FileNotFoundError:
        return None


def _key_facts(path: str, openssl: Openssl) -> dict[str, Any]:
    try:
        return {"spki_sha256": openssl.spki_sha256(path)}
    except RotationError as error:
        if error.code == "openssl_missing":
            raise
        return {"spki_sha256": None, "error": error.message}
