# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module key_seal does: seal keys that were made to be shared, each for the hosts that wait for it."""

from __future__ import annotations

import binascii
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CertificateFolder,
    refuse_unsafe_folder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.lock import root_lock
from ansible_collections.certops.rotation.plugins.module_utils._host.names import checked_sha256, checked_version
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.sealing import sealed
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors


def carry_out(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Everything the module returns. In check mode nothing is sealed; what would be refused is."""
    root, openssl = params["root"], Openssl(params["openssl"])
    with storage_errors(f"Sealing keys below {root}"):
        refuse_unsafe_folder(root, follow=True)
        with root_lock(root, params["lock_timeout"]):
            found = [_sealed(root, given, openssl, check_mode) for given in params["seals"]]
    return {"changed": False, "sealed": found}


def _sealed(root: str, given: dict[str, Any], openssl: Openssl, check_mode: bool) -> dict[str, Any]:
    """The envelopes of one key in the order of its receivers, or the error."""
    name = given["name"]
    try:
        with storage_errors(f"Sealing the key of {name}"):
            folder = CertificateFolder(root, name)
            folder.check()
            version = checked_version(given["version"])
            _refuse_other_than_shared(folder, version, given, openssl)
            receivers = [] if check_mode else given["certificates"]
            envelopes = [sealed(openssl, folder.key_path(version), one) for one in receivers]
    except RotationError as error:
        return {"name": name, "error": error.as_result()}
    return {
        "name": name,
        "envelopes_b64": [binascii.b2a_base64(one, newline=False).decode("ascii") for one in envelopes],
    }


def _refuse_other_than_shared(folder: CertificateFolder, version: str, given: dict[str, Any], openssl: Openssl) -> None:
    """RotationError ``seal_refused``: a key leaves its host only if it was made to be shared, by this group, and is
    about to be installed or is live."""
    if not folder.has_version(version) or not folder.has_key(version):
        raise RotationError("key_missing", f"Version {version} of {folder.name} has no key")
    record, wanted = folder.record(version), checked_sha256(given["spki_sha256"])
    if (record.get("request") or {}).get("shared") != given["shared"]:
        why = "was not made to be shared as {}".format(given["shared"])
    elif version != folder.live() and record.get("state") != "prepared":
        why = "is {}, neither prepared nor live".format(record.get("state"))
    elif record.get("spki_sha256") != wanted or openssl.spki_sha256(folder.key_path(version)) != wanted:
        why = "has another key than the one to seal"
    else:
        return
    raise RotationError(
        "seal_refused",
        f"The key of {folder.name} stays where it is: version {version} {why}",
        remedy="Run the same playbook again; it plans anew with what is on the hosts.",
    )
