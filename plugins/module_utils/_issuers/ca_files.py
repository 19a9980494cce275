# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the CA: written whole or not at all, and private where they must be."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

TEMPORARY_PREFIX = ".new-"


def write_atomically(path: Path, content: bytes, *, mode: int) -> None:
    """Whoever reads ``path`` sees the old content or the new, also after a power cut."""
    write_all_atomically([(path, content)], mode=mode)


def write_all_atomically(files: Sequence[tuple[Path, bytes]], *, mode: int) -> None:
    """The same for many files, each on its own; folders are synchronised once for all."""
    with contextlib.ExitStack() as stack:
        temporaries = [stack.enter_context(_temporary_file(path.parent, content, mode)) for path, content in files]
        for (path, _content), temporary in zip(files, temporaries, strict=True):
            temporary.replace(path)
        for folder in {path.parent for path, _content in files}:
            sync_directory(folder)


def create_exclusively(path: Path, content: bytes, *, mode: int) -> bool:
    """Write ``path`` whole unless it exists; False if it did. An existing key is never overwritten."""
    with _temporary_file(path.parent, content, mode) as temporary:
        try:
            # link(2) refuses an existing name, which rename(2) would replace.
            os.link(temporary, path)
        except FileExistsError:
            return False
        sync_directory(path.parent)
        return True


@contextlib.contextmanager
def _temporary_file(directory: Path, content: bytes, mode: int) -> Iterator[Path]:
    temporary = directory / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
    # Created for the owner alone, whatever the umask; opened up only when the content is complete.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Make a rename or a link in ``directory`` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(directory: Path) -> None:
    """Remove what killed processes left below ``directory``. The caller holds the lock, so nobody is writing."""
    for leftover in directory.rglob(TEMPORARY_PREFIX + "*"):
        leftover.unlink(missing_ok=True)
