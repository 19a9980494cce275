# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate's folder on the host: its versions, and which of them is live.

Nothing below the root is followed if it is a link, except ``live`` in the one form that we write, and nothing is
touched in a folder that somebody else could write to.
"""

from __future__ import annotations

import contextlib
import os
import stat

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import replace_link
from ansible_collections.certops.rotation.plugins.module_utils._host.names import (
    checked_folder_name,
    is_folder_name,
    is_version,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.record import Record, read_record

VERSIONS = "versions"
LIVE = "live"
KEY, REQUEST, CHAIN, TRUST, STAPLE, SNIPPET = (
    "privkey.pem",
    "request.csr",
    "fullchain.pem",
    "trust.pem",
    "staple.der",
    "nginx.conf",
)
# Only while a version waits for a key from another host: the one-time pair that it is sealed to.
ONE_TIME_KEY, ONE_TIME_CERTIFICATE = "receiver.key", "receiver.crt"


class CertificateFolder:
    """``<root>/<name>`` and what is below it. Constructing one reads nothing."""

    def __init__(self, root: str, name: str) -> None:
        self.name = checked_folder_name(name)
        self.path = os.path.join(root, self.name)
        self.versions_path = os.path.join(self.path, VERSIONS)
        self.live_path = os.path.join(self.path, LIVE)

    def version_path(self, version: str) -> str:
        """The folder of a version."""
        return os.path.join(self.versions_path, version)

    def key_path(self, version: str) -> str:
        """Where the version's private key is, or was."""
        return os.path.join(self.version_path(version), KEY)

    def exists(self) -> bool:
        """Whether this certificate has a folder at all."""
        return os.path.lexists(self.path)

    def check(self) -> None:
        """RotationError ``root_unsafe`` unless this user or root alone can write here."""
        for path in (self.path, self.versions_path, *map(self.version_path, self.versions())):
            refuse_unsafe_folder(path)

    def versions(self) -> list[str]:
        """All versions, oldest first."""
        try:
            return sorted(entry for entry in os.listdir(self.versions_path) if is_version(entry))
        except FileNotFoundError:
            return []

    def has_version(self, version: str) -> bool:
        """Whether the version has a folder."""
        return os.path.isdir(self.version_path(version))

    def one_time_key_path(self, version: str) -> str:
        """Where the key is, or was, that opens what another host sealed for this version."""
        return os.path.join(self.version_path(version), ONE_TIME_KEY)

    def has_key(self, version: str) -> bool:
        """Whether the version still has its private key."""
        return os.path.lexists(self.key_path(version))

    def live(self) -> str | None:
        """The version that ``live`` points to."""
        try:
            target = os.readlink(self.live_path)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise RotationError("root_unsafe", f"{self.live_path} is not a symbolic link") from exc
        folder, version = os.path.split(target)
        if folder != VERSIONS or not is_version(version):
            raise RotationError("root_unsafe", f"{self.live_path} points to {target[:200]!r}, not to a version")
        return version

    def record(self, version: str) -> Record:
        """The version's record as the next run must read it.

        ``live`` is switched before the record can say so: a live version that calls itself prepared is one whose
        run was killed in between, and counts as installed.
        """
        record = read_record(self.version_path(version))
        if record.get("state") == "prepared" and self.live() == version:
            return dict(record, state="installed")
        return record

    def point_live_to(self, version: str | None) -> None:
        """Switch ``live`` in one rename; None takes it away, as before the first release."""
        if version is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.live_path)
        else:
            replace_link(self.live_path, VERSIONS + "/" + version)


def folder_names(root: str) -> list[str]:
    """The certificates that have a folder below the root."""
    try:
        with os.scandir(root) as entries:
            return sorted(
                entry.name for entry in entries if is_folder_name(entry.name) and entry.is_dir(follow_symlinks=False)
            )
    except FileNotFoundError:
        return []


def refuse_unsafe_folder(path: str, *, follow: bool = False) -> None:
    """RotationError ``root_unsafe`` if ``path`` exists and is a link, no folder, or writable by somebody else."""
    try:
        found = os.stat(path, follow_symlinks=follow)
    except FileNotFoundError:
        return
    except NotADirectoryError as exc:
        raise RotationError("root_unsafe", f"{path} is not below a folder") from exc
    if not stat.S_ISDIR(found.st_mode):
        reason = "is not a folder"
    elif found.st_uid not in (0, os.geteuid()):
        reason = f"belongs to user {found.st_uid}"
    elif found.st_mode & 0o022:
        reason = f"can be written to by group or others (mode {stat.S_IMODE(found.st_mode):04o})"
    else:
        return
    raise RotationError(
        "root_unsafe",
        f"{path} {reason}: keys are not safe there",
        remedy="Make it a folder of root's, or of the user that runs this, with mode 0755 or less.",
    )
