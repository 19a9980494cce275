# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can this machine carry a lab? The first thing that is missing, in one line."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from certops_lab import cgroup
from certops_lab.command import run
from certops_lab.errors import CannotRun, LabError
from certops_lab.rootfs import is_built

# Command -> the Debian package that brings it.
TOOLS = {
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
BUILD_TOOLS = {"mmdebstrap": "mmdebstrap"}

_TRY_NAMESPACES = ["unshare", "--net", "--mount", "true"]
_TRY_OVERLAY = (
    "mount -t tmpfs tmpfs /mnt && mkdir /mnt/lower /mnt/upper /mnt/work /mnt/root && "
    "mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root"
)


def require() -> None:
    """CannotRun with the reason, if there is one."""
    if sys.platform != "linux":
        raise CannotRun("needs Linux")
    if os.geteuid() != 0:
        raise CannotRun("needs root, for namespaces and mounts")
    _require_tools(TOOLS if is_built() else {**TOOLS, **BUILD_TOOLS})
    _require_trial(_TRY_NAMESPACES, "network and mount namespaces can't be made here")
    _require_trial(["unshare", "--mount", "sh", "-c", _TRY_OVERLAY], "overlay file systems can't be mounted here")
    _require_groups()


def _require_tools(tools: dict[str, str]) -> None:
    missing = sorted({package for tool, package in tools.items() if not shutil.which(tool)})
    if missing:
        raise CannotRun(f"needs the packages {' '.join(missing)}")


def _require_trial(command: list[str], failure: str) -> None:
    try:
        run(command, timeout=10)
    except LabError as exc:
        raise CannotRun(f"{failure} ({' '.join(str(exc).split()[-8:])})") from exc


def _require_groups() -> None:
    groups = [group for group in cgroup.own_groups() if os.access(group, os.W_OK) and not _is_read_only(group)]
    if not groups:
        raise CannotRun("no control group hierarchy of systemd (version 2, or name=systemd) is mounted writable")


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
