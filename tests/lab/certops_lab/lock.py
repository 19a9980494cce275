# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One at a time on this machine, also where the one before was killed: a lock is held until its last command ended."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_held: list[int] = []


def descriptors() -> tuple[int, ...]:
    """The locks this process holds, to be inherited by every command it runs.

    A killed `up` leaves a command behind that still adds a namespace or mount; `down` must not overtake it.
    """
    return tuple(_held)


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Hold the lock on a file, which stays."""
    with _held_open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def locked_directory(path: Path) -> Iterator[None]:
    """Hold the lock on a directory, made if it is missing; it is removed afterwards if it is empty then."""
    with _held_open(_open_locked(path)):
        yield
        try:
            path.rmdir()
        except OSError:  # in use
            pass


def _open_locked(path: Path) -> int:
    while True:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            # Whoever had the lock before may have removed the directory: then this lock guards nothing.
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


@contextmanager
def _held_open(descriptor: int) -> Iterator[int]:
    _held.append(descriptor)
    try:
        yield descriptor
    finally:
        _held.remove(descriptor)
        os.close(descriptor)
