# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with keys for TLS session tickets (RFC 5077): whoever has one reads tickets, and with them TLS 1.2 sessions.

So they are written anew where a private key is in other hands, in the same switch, and what they were is destroyed.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import (
    TEMPORARY,
    remove_if_there,
    sync_folder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import refuse_unsafe_folder
from ansible_collections.certops.rotation.plugins.module_utils._host.command import run
from ansible_collections.certops.rotation.plugins.module_utils._host.destroy import BEFORE, destroy_key

# nginx takes 80 bytes (AES-256) or 48 (AES-128), each with a name and a key for HMAC; apache and haproxy 48 or 80 too.
SIZES = (48, 80)
_SINCE = (1, 23, 2)


@dataclass(frozen=True)
class TicketKey:
    """A file as it was found: what replaces it is as long, and belongs to the same user."""

    path: str
    size: int
    user: int
    group: int


def read_ticket_key(path: str) -> TicketKey:
    """RotationError ``ticket_key_invalid`` for what is no such file; its content is not read."""
    refuse_unsafe_folder(os.path.dirname(path))
    try:
        found = os.lstat(path)
    except FileNotFoundError as exc:
        raise _invalid(path, "is not there") from exc
    if not stat.S_ISREG(found.st_mode):
        raise _invalid(path, "is a link, or no file")
    if found.st_size not in SIZES:
        raise _invalid(path, f"has {found.st_size} bytes, and not 48 or 80")
    return TicketKey(path, found.st_size, found.st_uid, found.st_gid)


def renew(key: TicketKey) -> None:
    """Replace the file by one with a new random key, mode 0600."""
    folder, name = os.path.split(key.path)
    temporary = os.path.join(folder, f"{TEMPORARY}{name[:60]}-{os.urandom(6).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.write(descriptor, os.urandom(key.size))
            if (key.user, key.group) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, key.user, key.group)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, key.path)
    except BaseException:
        remove_if_there(temporary)
        raise
    sync_folder(folder)


def sweep_beside(key: TicketKey) -> None:
    """Destroy what a killed run left beside the file: keys that are not used any more, or never were."""
    folder, name = os.path.split(key.path)
    for entry in os.listdir(folder):
        if entry.startswith((f"{TEMPORARY}{name[:60]}-", f"{BEFORE}{name}-")):
            path = os.path.join(folder, entry)
            if os.lstat(path).st_nlink == 1:
                destroy_key(path)
            else:
                os.unlink(path)


def kept_over_reload(test: list[str]) -> str | None:
    """A warning where nginx has ticket keys that a reload does not end; None where it has not, or is no nginx.

    Since 1.23.2, nginx keeps the keys that it makes itself in the memory of a shared session cache.
    The configuration is looked through here and stays here.
    """
    if not test or test[-1] != "-t" or os.path.basename(test[0]) != "nginx":
        return None
    try:
        shown = run([*test[:-1], "-v", "-T"])
    except RotationError:
        return None
    version = re.search(rb"nginx version: \S+?/(\d+)\.(\d+)\.(\d+)", shown.errors)
    lines = [line.strip() for line in shown.output.decode("utf-8", "replace").splitlines()]
    has_shared = any(line.startswith("ssl_session_cache") and "shared:" in line for line in lines)
    has_file = any(line.startswith("ssl_session_ticket_key") for line in lines)
    if version is None or tuple(map(int, version.groups())) < _SINCE or not has_shared or has_file:
        return None
    return (
        "nginx keeps the keys of its session tickets over a reload, as there is a shared ssl_session_cache; it replaces"
        " them as ssl_session_timeout passes. If somebody could read its memory, restart it now"
    )


def _invalid(path: str, why: str) -> RotationError:
    return RotationError(
        "ticket_key_invalid",
        f"The session ticket key {path} {why}",
        remedy="Nothing was touched. Name the file of ssl_session_ticket_key itself, or take it out of ticket_keys.",
        path=path,
    )
