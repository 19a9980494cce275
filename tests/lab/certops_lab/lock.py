# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One `up` or `down` at a time on this machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from certops_lab.layout import state_directory


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lock on the state directory; the last one out removes the directory if no lab is left."""
    directory = _locked_directory()
    try:
        yield
        try:
            state_directory().rmdir()
        except OSError:  # labs in there
            pass
    finally:
        os.close(directory)


def _locked_directory() -> int:
    path = state_directory()
    while True:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(directory, fcntl.LOCK_EX)
        try:
            # Whoever had the lock before may have removed the directory: then this lock guards nothing.
            if path.stat().st_ino == os.fstat(directory).st_ino:
                return directory
        except FileNotFoundError:
            pass
        os.close(directory)
