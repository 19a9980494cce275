# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder that is ours alone, for what later runs believe: no links are followed, nothing of others is read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_TEMPORARY = ".tmp"
_LOCK = ".lock"
_LEFT_BEHIND = 3600.0  # seconds after which the temporary file of a run belongs to one that was killed
_LOOK_AGAIN = 0.02


class PrivateFolder:
    """Files in one folder, written whole or not at all. Safe between processes and threads, and when one is killed.

    Methods raise OSError for what a disk does. RotationError ``cache_refused`` for a folder that is not ours.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO | None]:
        """The file, open; None if there is no regular file of ours."""
        with self._opened() as folder:
            try:
                handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
            except OSError:
                handle = -1
        if handle >= 0 and not _is_ours(os.fstat(handle)):
            os.close(handle)
            handle = -1
        if handle < 0:
            yield None
            return
        with os.fdopen(handle, "rb") as file:
            yield file

    def write(self, name: str, *parts: bytes, synced: bool = False) -> None:
        """:param synced: survives a power cut too, not only a kill."""
        with self._opened() as folder:
            temporary = f"{name}.{secrets.token_hex(8)}{_TEMPORARY}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(temporary, flags, 0o600, dir_fd=folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.writelines(parts)
                    if synced:
                        file.flush()
                        os.fsync(handle)
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            if synced:
                os.fsync(folder)

    def remove(self, name: str) -> None:
        with self._opened() as folder, contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)

    def sizes(self) -> dict[str, int]:
        """The files by name. What killed runs have left behind is removed on the way."""
        found: dict[str, int] = {}
        with self._opened() as folder, os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    state = entry.stat(follow_symlinks=False)
                    if not entry.name.endswith((_TEMPORARY, _LOCK)):
                        found[entry.name] = state.st_size
                    elif time.time() - state.st_mtime > _LEFT_BEHIND:
                        os.unlink(entry.name, dir_fd=folder)
        return found

    @contextlib.contextmanager
    def locked(self, name: str, *, patience: float) -> Iterator[bool]:
        """Alone with ``name`` among all threads and processes; False if that was not to be had within ``patience``.

        The kernel takes the lock from who is killed. Nothing depends on it but that work is not done twice.
        """
        handle = self._lock(f"{name}{_LOCK}", time.monotonic() + patience)
        try:
            yield handle is not None
        finally:
            if handle is not None:
                # Removed while it is held: who opened it meanwhile sees that it is no longer there, and starts again.
                with contextlib.suppress(OSError, RotationError):
                    self.remove(f"{name}{_LOCK}")
                os.close(handle)

    def _lock(self, name: str, deadline: float) -> int | None:
        with contextlib.suppress(OSError):  # a folder that cannot be written to, or a file system without locks
            while True:
                handle = self._try_to_lock(name)
                if handle is not None or time.monotonic() >= deadline:
                    return handle
                time.sleep(_LOOK_AGAIN)
        return None

    def _try_to_lock(self, name: str) -> int | None:
        with self._opened() as folder:
            handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(name, folder, handle):
                    return handle
            except BlockingIOError:
                pass
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)
            return None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        """The folder itself, made if need be and looked at each time."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            handle = os.open(self.path, flags)
        except FileNotFoundError:
            self._make()
            handle = os.open(self.path, flags)
        except NotADirectoryError as exc:  # a link too
            raise _refused(self.path, "it is no folder") from exc
        try:
            state = os.fstat(handle)
            if state.st_uid != os.geteuid():
                raise _refused(self.path, "it belongs to another user")
            if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise _refused(self.path, "others may write to it")
            yield handle
        finally:
            os.close(handle)

    def _make(self) -> None:
        for path in (*reversed(self.path.parents), self.path):
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700)


def _is_at(name: str, folder: int, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(name, dir_fd=folder, follow_symlinks=False), os.fstat(handle))
    except FileNotFoundError:
        return False


def _is_ours(state: os.stat_result) -> bool:
    return stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid() and state.st_nlink == 1


def _refused(path: Path, why: str) -> RotationError:
    return RotationError(
        "cache_refused",
        f"{path} cannot hold what later runs believe: {why}",
        remedy="give a folder that belongs to the user who runs this and that nobody else may write to",
        path=str(path),
    )
