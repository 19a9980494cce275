# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounting and unmounting, each safe to repeat."""

from __future__ import annotations

from pathlib import Path

from certops_lab.command import run, succeeds


def is_mounted(path: Path) -> bool:
    return str(path) in mount_points()


def mount_points() -> list[str]:
    """All mount points of this mount namespace, in the order they were mounted."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line.split()[1].replace("\\040", " ") for line in lines]


def mount_state(path: Path) -> None:
    """A tmpfs only root can enter, shared so that a running `lab.py exec` sees hosts that come and go."""
    if is_mounted(path):
        return
    run(["mount", "-t", "tmpfs", "-o", "mode=0700", "certops-lab", str(path)])
    run(["mount", "--make-shared", str(path)])


def mount_overlay(target: Path, *, lower: Path, upper: Path, work: Path) -> None:
    if is_mounted(target):
        return
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    run(["mount", "-t", "overlay", "-o", options, "overlay", str(target)])


def unmount_below(path: Path) -> None:
    """Unmount `path` and whatever is mounted below it, last mounted first."""
    ours = [point for point in mount_points() if point == str(path) or point.startswith(f"{path}/")]
    for point in reversed(ours):
        # Lazily if somebody's shell stands in there: it goes when that shell leaves.
        if not succeeds(["umount", point]):
            run(["umount", "--lazy", point])
