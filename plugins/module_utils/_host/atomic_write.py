# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and links that are there whole or not at all, also after a power cut: temporary file, fsync, rename, fsync."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions

TEMPORARY = ".tmp-"  # whatever carries this prefix is left over from a killed run and may go


def write_file(path: str, data: bytes, options: FileOptions) -> None:
    """Replace ``path`` by a file with this content. On failure nothing of it is left and ``path`` is untouched."""
    temporary = _temporary_name(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            _write_all(descriptor, data)
            options.dress_file(descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except BaseException:
        remove_if_there(temporary)
        raise
    sync_folder(os.path.dirname(path))


def replace_link(path: str, target: str) -> None:
    """Let ``path`` be a symbolic link to ``target``, whatever it was, without a moment in which it is missing."""
    temporary = _temporary_name(path)
    os.symlink(target, temporary)
    try:
        os.rename(temporary, path)
    except BaseException:
        remove_if_there(temporary)
        raise
    sync_folder(os.path.dirname(path))


def append_line(path: str, line: str, options: FileOptions) -> None:
    """Add one line and have it on disk before this returns; a line that did not fit is taken off again."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size == 0:
            options.dress_file(descriptor)
        # a line torn by a power cut must not swallow this one
        lead = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
        try:
            _write_all(descriptor, lead + line.encode("ascii") + b"\n")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def read_file(path: str, limit: int) -> bytes:
    """The content of a regular file that is no link, at most ``limit`` bytes. Never for private keys."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as handle:
        return handle.read(limit)


def sync_folder(path: str) -> None:
    """Have the folder's entries on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_if_there(path: str) -> None:
    """Remove a file or link; none there is as good."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _temporary_name(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f"{TEMPORARY}{name[:60]}-{os.urandom(6).hex()}")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
