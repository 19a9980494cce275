# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One changing run at a time on a host: ``flock`` on ``<root>/.lock``, which the kernel lifts when the holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors

_POLL = 0.1


@contextlib.contextmanager
def root_lock(root: str, timeout: float) -> Iterator[None]:
    """Hold the root's lock; RotationError ``locked`` if another run holds it for ``timeout`` seconds."""
    path = os.path.join(root, ".lock")
    with storage_errors(f"Taking the lock {path}"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(descriptor, path, timeout)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as exc:
            if time.monotonic() >= deadline:
                raise RotationError(
                    "locked",
                    f"Another run has held {path} for {timeout:g} seconds",
                    remedy="Wait until it has ended, then run again.",
                ) from exc
            time.sleep(_POLL)
