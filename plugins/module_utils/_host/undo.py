# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that can be taken back, certificate by certificate, without needing space on the disk to do so."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import (
    remove_if_there,
    sync_folder,
    write_file,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import CertificateFolder
from ansible_collections.certops.rotation.plugins.module_utils._host.destroy import BEFORE, destroy_key
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions


class Undo:
    """What was done, in order. ``back`` takes it back in reverse; ``keep`` makes it final."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], None]]] = []
        self._kept_aside: list[str] = []
        self._secrets: list[str] = []

    def write(self, name: str, path: str, data: bytes, options: FileOptions) -> None:
        """Write a file of certificate ``name``; what was there before is kept aside as a hard link."""
        aside = self._set_aside(path)
        self._steps.append((name, lambda: _restore(path, aside)))
        write_file(path, data, options)

    def remove(self, name: str, path: str) -> None:
        """Remove a file of certificate ``name``."""
        aside = self._set_aside(path)
        self._steps.append((name, lambda: _restore(path, aside)))
        remove_if_there(path)

    def renew(self, name: str, path: str, write: Callable[[], None]) -> None:
        """Have ``write`` replace a secret of certificate ``name``; what it was before is destroyed in the end."""
        aside = self._set_aside(path)
        if aside is not None:
            self._secrets.append(aside)
        self._steps.append((name, lambda: _restore(path, aside)))
        write()

    def switch(self, folder: CertificateFolder, version: str | None, before: str | None) -> None:
        """Point ``live`` to another version."""
        self._steps.append((folder.name, lambda: folder.point_live_to(before)))
        if folder.live() != version:
            folder.point_live_to(version)

    def back(self, names: set[str]) -> list[str]:
        """Take back every step of these certificates; returns what could not be taken back, in words."""
        failures = []
        for name, step in reversed(self._steps):
            if name in names:
                try:
                    step()
                except OSError as exc:
                    failures.append(f"{name}: {exc}")
        self._steps = [(name, step) for name, step in self._steps if name not in names]
        return failures

    def keep(self) -> None:
        """Everything stays as it is now."""
        self._steps = []
        for secret in self._secrets:
            with contextlib.suppress(OSError):
                if os.lstat(secret).st_nlink == 1:
                    destroy_key(secret)
        for aside in self._kept_aside:
            with contextlib.suppress(OSError):
                remove_if_there(aside)

    def _set_aside(self, path: str) -> str | None:
        aside = os.path.join(os.path.dirname(path), f"{BEFORE}{os.path.basename(path)}-{os.urandom(4).hex()}")
        try:
            os.link(path, aside, follow_symlinks=False)
        except FileNotFoundError:
            return None
        self._kept_aside.append(aside)
        return aside


def _restore(path: str, aside: str | None) -> None:
    if aside is None:
        remove_if_there(path)
    else:
        os.rename(aside, path)
    sync_folder(os.path.dirname(path))
