# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look, then make keys and requests for what is due: one run of the module key_csr under one lock."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import CertificateFolder
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import utc_now
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions, read_file_options
from ansible_collections.certops.rotation.plugins.module_utils._host.fresh_key import KeyMaker, KeyRequest
from ansible_collections.certops.rotation.plugins.module_utils._host.lock import root_lock
from ansible_collections.certops.rotation.plugins.module_utils._host.look import look_at
from ansible_collections.certops.rotation.plugins.module_utils._host.names import (
    checked_folder_name,
    checked_server_names,
    checked_sha256,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl, checked_key
from ansible_collections.certops.rotation.plugins.module_utils._host.own_paths import own_paths
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors


def prepare(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """``changed``, ``certificates`` as they were found, and ``prepared`` of the module key_csr."""
    root, openssl, options = params["root"], Openssl(params["openssl"]), read_file_options(params["files"])
    denied = {checked_sha256(fingerprint) for fingerprint in params["deny_list"]}
    maker = KeyMaker(root, denied, openssl, options, utc_now())
    wanted = [given for given in params["requests"] if given["action"] == "rotate"]
    with contextlib.nullcontext() if check_mode else _changing(params, options):
        found = look_at(params, openssl)
        prepared = {given["name"]: _prepare(root, given, maker, check_mode) for given in wanted}
    foreseen = check_mode and any(not entry.get("resumed", True) for entry in prepared.values())
    return {"changed": maker.changed or foreseen, "certificates": found, "prepared": prepared}


def _changing(params: dict[str, Any], options: FileOptions) -> contextlib.AbstractContextManager[None]:
    if not os.path.isdir(params["root"]):
        os.makedirs(params["root"], 0o755)
        options.dress_folder(params["root"])
    return root_lock(params["root"], params["lock_timeout"])


def _prepare(root: str, given: dict[str, Any], maker: KeyMaker, check_mode: bool) -> dict[str, Any]:
    try:
        with storage_errors("Preparing a key for {}".format(given["name"])):
            request = read_request(root, given)
            return asdict(maker.foresee(request) if check_mode else maker.prepare(request))
    except RotationError as error:
        return {"error": error.as_result()}


def read_request(root: str, given: dict[str, Any]) -> KeyRequest:
    """A request as a checked value, for a folder that is safe to write to."""
    folder = CertificateFolder(root, given["name"])
    folder.check()
    wanted: dict[str, Any] = {
        "server_names": checked_server_names(given["server_names"]),
        "key": checked_key(given["key"] or {}),
        "must_staple": given["must_staple"],
    }
    if given.get("shared"):
        # Only a key that was made to be shared ever leaves its host.
        wanted["shared"] = checked_folder_name(given["shared"])
    expected = given.get("spki_sha256")
    premise = (given["premise"] or {}).get("spki_sha256")
    return KeyRequest(
        folder=folder,
        wanted=wanted,
        premise=checked_sha256(premise) if premise else None,
        paths=own_paths(folder, given["paths"]),
        resume_within=given["resume_within"],
        receives=bool(given.get("receive")),
        expected=checked_sha256(expected) if expected else None,
    )
