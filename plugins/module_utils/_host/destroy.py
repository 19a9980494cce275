# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Destroying private keys, and sweeping up what a killed run left behind."""

from __future__ import annotations

import contextlib
import os
import stat

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import (
    TEMPORARY,
    remove_if_there,
    sync_folder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    KEY,
    ONE_TIME_CERTIFICATE,
    ONE_TIME_KEY,
    CertificateFolder,
)

BUILD = ".new-"  # a version in the making; it becomes one by rename
BEFORE = ".before-"  # what a file was before a step that could still be undone
UNSEALED = ".unsealed-"  # a key that was unsealed and not checked yet


def destroy_key(path: str) -> bool:
    """Overwrite the key with random bytes, on disk before it is unlinked; False if there is none.

    Overwriting reaches every other hard link of the same file too, such as a backup by ``cp -l``. A copy-on-write
    file system or a flash drive can keep old blocks; only its encryption helps there.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        overwrite(descriptor)
    finally:
        os.close(descriptor)
    os.unlink(path)
    sync_folder(os.path.dirname(path))
    return True


def end_waiting(folder: CertificateFolder, version: str) -> bool:
    """Destroy the one-time pair of a version that waited for a key, or need not wait any more; False if it had none."""
    remove_if_there(os.path.join(folder.version_path(version), ONE_TIME_CERTIFICATE))
    return destroy_key(folder.one_time_key_path(version))


def overwrite(descriptor: int) -> None:
    """Replace every byte of an open file by random ones and have that on disk."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise RotationError("root_unsafe", "A private key is not a regular file; it was left alone")
    written = 0
    while written < found.st_size:
        written += os.pwrite(descriptor, os.urandom(min(65536, found.st_size - written)), written)
    os.fsync(descriptor)


def discard_build(path: str) -> None:
    """Destroy a version in the making, its key first.

    A key with a second hard link is a vhost's own, which a killed adoption was about to take: it is still in use and
    only unlinked here.
    """
    key_path = os.path.join(path, KEY)
    if os.path.lexists(key_path) and os.lstat(key_path).st_nlink == 1:
        destroy_key(key_path)
    destroy_key(os.path.join(path, ONE_TIME_KEY))
    for entry in os.listdir(path):
        os.unlink(os.path.join(path, entry))
    os.rmdir(path)


def sweep(folder: CertificateFolder) -> None:
    """Remove what a killed run left. Only under the root's lock: whatever is found then belongs to nobody."""
    for place in (folder.path, folder.versions_path, *map(folder.version_path, folder.versions())):
        for entry in _entries(place):
            path = os.path.join(place, entry)
            if entry.startswith(BUILD):
                discard_build(path)
            elif entry.startswith(UNSEALED):
                destroy_key(path)
            elif entry.startswith((TEMPORARY, BEFORE)):
                os.unlink(path)


def remove_version(path: str) -> None:
    """Remove a version's folder; RotationError if it still has a key."""
    if os.path.lexists(os.path.join(path, KEY)):
        raise RotationError("key_still_there", f"{path} still has its key and is not removed")
    destroy_key(os.path.join(path, ONE_TIME_KEY))
    for entry in os.listdir(path):
        os.unlink(os.path.join(path, entry))
    os.rmdir(path)


def _entries(path: str) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return os.listdir(path)
    return []
