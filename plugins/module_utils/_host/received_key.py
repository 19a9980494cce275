# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking in a key that another host made: it is unsealed, checked, remembered, and only then the version's key."""

from __future__ import annotations

import binascii
import os

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import sync_folder
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CertificateFolder,
    folder_names,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import iso, utc_now
from ansible_collections.certops.rotation.plugins.module_utils._host.destroy import (
    UNSEALED,
    destroy_key,
    end_waiting,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions
from ansible_collections.certops.rotation.plugins.module_utils._host.keys_log import (
    KeyFact,
    append_fact,
    read_keys_log,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.record import (
    read_record,
    updated,
    write_record,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.sealing import refuse_inconsistent, unseal

# What a key may have met here since it was received first, and be received again: it was given up, not replaced.
_HARMLESS = frozenset({"received", "live", "abandoned"})


def receive_key(
    root: str,
    folder: CertificateFolder,
    version: str,
    envelope_b64: str,
    expected: str,
    openssl: Openssl,
    options: FileOptions,
) -> None:
    """Put the sealed key into a version that waits for it. Under the root's lock.

    RotationError ``seal_broken``, ``key_mismatch``, ``key_known``, ``version_unusable``; then the version is as before.
    """
    place = folder.version_path(version)
    record = read_record(place)
    if folder.has_key(version) and record.get("spki_sha256") == expected:
        end_waiting(folder, version)
        return
    _refuse_not_waiting(folder, version, record.get("state"))
    _refuse_known(root, folder, expected)
    path = os.path.join(place, UNSEALED + os.urandom(6).hex())
    try:
        unseal(openssl, _decoded(envelope_b64), place, path)
        _refuse_other(openssl, path, expected, folder.name)
        _dress(path, options)
        append_fact(folder.path, KeyFact(iso(utc_now()), expected, "received", version), options)
        write_record(place, updated(record, {"spki_sha256": expected, "times": {"received": iso(utc_now())}}), options)
        os.rename(path, folder.key_path(version))
    except BaseException:
        destroy_key(path)
        raise
    sync_folder(place)
    end_waiting(folder, version)


def _refuse_not_waiting(folder: CertificateFolder, version: str, state: object) -> None:
    if state != "prepared" or folder.has_key(version) or not os.path.lexists(folder.one_time_key_path(version)):
        raise RotationError(
            "version_unusable",
            f"{version} of {folder.name} does not wait for a key",
            remedy="Run the same playbook again: it has a new one-time key made.",
        )


def _refuse_known(root: str, folder: CertificateFolder, spki_sha256: str) -> None:
    """A key that this host made, retired or knows of any other certificate is not what the group just made."""
    for name in folder_names(root):
        other = CertificateFolder(root, name)
        fates = [fact.fate for fact in read_keys_log(other.path) if fact.spki_sha256 == spki_sha256]
        if fates and (name != folder.name or fates[0] != "received" or not set(fates) <= _HARMLESS):
            raise _known(spki_sha256, f"it is in the keys.log of {name} as {fates[-1]}")
    live = folder.live()
    if live is not None and folder.record(live).get("spki_sha256") == spki_sha256:
        raise _known(spki_sha256, "it is live")


def _known(spki_sha256: str, why: str) -> RotationError:
    return RotationError(
        "key_known",
        f"The key that was sealed for this host is not new here: {why}",
        remedy="Nothing was touched. Run again with rotate_force on all hosts that share the certificate.",
        spki_sha256=spki_sha256,
    )


def _refuse_other(openssl: Openssl, path: str, expected: str, name: str) -> None:
    refuse_inconsistent(openssl, path)
    found = openssl.spki_sha256(path)
    if found != expected:
        raise RotationError(
            "key_mismatch",
            f"The key that was sealed for {name} is not that of the certificate",
            remedy="Nothing was touched. Find out who sealed it, then run again.",
            expected_spki_sha256=expected,
            key_spki_sha256=found,
        )


def _dress(path: str, options: FileOptions) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        options.dress_file(descriptor, is_key=True)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _decoded(envelope_b64: str) -> bytes:
    try:
        return binascii.a2b_base64(envelope_b64.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error) as exc:
        raise RotationError("seal_broken", "What was sealed is not base64") from exc
