# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate and key paths that a vhost of the user's names, before and after their adoption."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CHAIN,
    KEY,
    STAPLE,
    TRUST,
    CertificateFolder,
)

FILE_OF = {"certificate": CHAIN, "key": KEY, "trust": TRUST, "staple": STAPLE}


@dataclass(frozen=True)
class OwnPath:
    """One path of a vhost and the file below ``live`` that belongs there."""

    role: str
    path: str
    target: str

    @property
    def is_ours(self) -> bool:
        """Whether it already is the link into ``live``, or the file below ``live`` itself."""
        return self.path == self.target or (os.path.islink(self.path) and os.readlink(self.path) == self.target)

    @property
    def kind(self) -> str:
        """``file``, ``link`` or ``missing``."""
        if os.path.islink(self.path):
            return "link"
        return "file" if os.path.exists(self.path) else "missing"


def own_paths(folder: CertificateFolder, paths: dict[str, Any] | None) -> list[OwnPath]:
    """The ``paths`` option, checked: absolute, distinct, and not somewhere else below our own root."""
    given = {role: path for role, path in (paths or {}).items() if path}
    if bool(given.get("certificate")) != bool(given.get("key")):
        raise RotationError("paths_invalid", f"paths of {folder.name} needs both certificate and key")
    if len(set(given.values())) != len(given):
        raise RotationError(
            "paths_invalid",
            f"Two paths of {folder.name} are one file; a pair in one file is not adopted",
            remedy="Give the vhost a file for the certificate and one for the key.",
            paths=given,
        )
    found = []
    for role in FILE_OF:
        if role in given:
            target = os.path.join(folder.live_path, FILE_OF[role])
            found.append(OwnPath(role, _checked(given[role], target, folder), target))
    return found


def _checked(path: str, target: str, folder: CertificateFolder) -> str:
    root = os.path.dirname(folder.path)
    if not os.path.isabs(path) or os.path.normpath(path) != path or not path.isprintable():
        raise RotationError("paths_invalid", f"{path[:200]!r} is not an absolute, plain path")
    if path != target and path.startswith(root + os.sep):
        raise RotationError("paths_invalid", f"{path} is below {root} but not part of {folder.live_path}")
    return path
