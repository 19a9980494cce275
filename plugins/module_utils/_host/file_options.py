# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group, mode and SELinux type of what we write: the ``files`` option of the host modules."""

from __future__ import annotations

import grp
import os
import pwd
import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

HOST_FILES_SPEC: dict[str, dict[str, Any]] = {
    "root": {"type": "path", "default": "/etc/certops"},
    "files": {
        "type": "dict",
        "default": {},
        "options": {
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "key_mode": {"type": "str", "default": "0600", "no_log": False},
            "mode": {"type": "str", "default": "0644"},
            "directory_mode": {"type": "str", "default": "0755"},
            "setype": {"type": "str"},
        },
    },
    "lock_timeout": {"type": "float", "default": 30.0},
}

_MODE = r"0?[0-7]{3}"
_SETYPE = r"[A-Za-z0-9_]+"
_SELINUX = "/sys/fs/selinux/enforce"
_CONTEXT = "security.selinux"


@dataclass(frozen=True)
class FileOptions:
    """How files and folders below the root shall look; ``-1`` leaves owner or group as it comes."""

    uid: int = -1
    gid: int = -1
    key_mode: int = 0o600
    mode: int = 0o644
    directory_mode: int = 0o755
    setype: str | None = None

    def dress_file(self, descriptor: int, *, is_key: bool = False) -> None:
        """Give an open file its owner first, then its mode: never readable by more than the final owner allows."""
        if self.uid != -1 or self.gid != -1:
            os.fchown(descriptor, self.uid, self.gid)
        os.fchmod(descriptor, self.key_mode if is_key else self.mode)
        self._label(descriptor)

    def dress_folder(self, path: str) -> None:
        """Folders get group and mode; their owner stays who made them, so that nobody else can swap files in them."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if self.gid != -1:
                os.fchown(descriptor, -1, self.gid)
            os.fchmod(descriptor, self.directory_mode)
            self._label(descriptor)
        finally:
            os.close(descriptor)

    def _label(self, descriptor: int) -> None:
        if self.setype is None or not os.path.exists(_SELINUX):
            return
        context = os.getxattr(descriptor, _CONTEXT).rstrip(b"\0").decode("ascii").split(":")
        context[2] = self.setype
        os.setxattr(descriptor, _CONTEXT, ":".join(context).encode("ascii"))


def read_file_options(files: dict[str, Any] | None) -> FileOptions:
    """The ``files`` option as checked values."""
    given = files or {}
    setype = given.get("setype")
    if setype is not None and not re.fullmatch(_SETYPE, setype):
        raise RotationError("name_invalid", f"{setype[:80]!r} is not an SELinux type")
    key_mode = _mode(given, "key_mode", 0o600)
    mode, directory_mode = _mode(given, "mode", 0o644), _mode(given, "directory_mode", 0o755)
    if key_mode not in (0o600, 0o640):
        raise RotationError(
            "mode_unsafe",
            f"key_mode {key_mode:04o} is not for private keys",
            remedy="Use 0600, or 0640 together with a group.",
        )
    if (mode | directory_mode) & 0o022:
        raise RotationError("mode_unsafe", "mode and directory_mode must not be writable by group or others")
    return FileOptions(
        uid=_uid(given.get("owner")),
        gid=_gid(given.get("group")),
        key_mode=key_mode,
        mode=mode,
        directory_mode=directory_mode,
        setype=setype,
    )


def _mode(given: dict[str, Any], option: str, default: int) -> int:
    text = given.get(option)
    if text is None:
        return default
    if not re.fullmatch(_MODE, text):
        raise RotationError("mode_unsafe", f"{option} is {text[:20]!r}, not an octal mode such as 0640")
    return int(text, 8)


def _uid(owner: str | None) -> int:
    if owner is None:
        return -1
    try:
        return int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
    except KeyError as exc:
        raise RotationError("owner_unknown", f"There is no user {owner!r} on the host") from exc


def _gid(group: str | None) -> int:
    if group is None:
        return -1
    try:
        return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError as exc:
        raise RotationError("owner_unknown", f"There is no group {group!r} on the host") from exc
