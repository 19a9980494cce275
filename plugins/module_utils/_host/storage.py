# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file system can refuse, as coded errors."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_CODES = {
    errno.ENOSPC: ("disk_full", "no space is left", "Free some space or inodes on the host, then run again."),
    errno.EDQUOT: ("disk_full", "the quota is used up", "Raise the quota on the host, then run again."),
    errno.EROFS: ("read_only", "the file system is read-only", "Mount it writable on the host, then run again."),
    errno.EACCES: ("permission_denied", "permission is denied", "Run with become, as the owner of the files."),
    errno.EPERM: ("permission_denied", "the operation is not permitted", "Run with become; look for chattr +i."),
    errno.ELOOP: (
        "root_unsafe",
        "there is a symbolic link where none may be",
        "Replace the link by what it points to.",
    ),
}


def storage_error(error: OSError, doing: str) -> RotationError:
    """The coded error for what the operating system said while ``doing``."""
    code, reason, remedy = _CODES.get(error.errno or 0, ("storage_failed", error.strerror or str(error), ""))
    return RotationError(
        code,
        f"{doing}: {reason}",
        remedy=remedy,
        errno=errno.errorcode.get(error.errno or 0),
        path=str(error.filename or ""),
    )


@contextlib.contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Every OSError inside becomes a RotationError that says what was being done."""
    try:
        yield
    except OSError as exc:
        raise storage_error(exc, doing) from exc
