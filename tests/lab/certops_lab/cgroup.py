# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group of its own for every host.

Without one all hosts share the caller's, their systemds fight over the same directories, and teardown hangs.
The groups are made below the caller's own group, so that limits and accounting set on the caller hold for the hosts.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from certops_lab.process import send, wait_until

# Of version 1 only those that a booting systemd writes to; nspawn mounts the others read-only in the host.
# (A new cpuset group would moreover refuse processes until it is given cpus.)
V1_HIERARCHIES = ("name=systemd", "memory", "pids")


def own_groups() -> list[Path]:
    """Directory of the calling process's group in each hierarchy that matters and is mounted writable."""
    mounted = dict(_mounted_hierarchies())
    groups = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        for wanted in ("", *V1_HIERARCHIES):
            if wanted in controllers.split(",") and wanted in mounted:
                groups.append(mounted[wanted] / path.lstrip("/"))
    return groups


def _mounted_hierarchies() -> Iterator[tuple[str, Path]]:
    """(controller, mount point); the unified hierarchy has the empty name, as in /proc/self/cgroup."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _source, target, kind, options = line.split()[:4]
        if kind == "cgroup2":
            yield "", Path(target)
        elif kind == "cgroup":
            for option in options.split(","):
                if option in V1_HIERARCHIES:
                    yield option, Path(target)


def plan(relative: str) -> list[Path]:
    """Where `relative` would be below the caller's group in every hierarchy; for `make`, `enter` and `remove`."""
    return [group / relative for group in own_groups()]


def make(groups: Sequence[Path]) -> None:
    for group in groups:
        group.mkdir(parents=True, exist_ok=True)


def enter(groups: Sequence[Path]) -> None:
    """Move the calling process in. Made to run between fork and exec, hence nothing but writes."""
    pid = str(os.getpid()).encode()
    for group in groups:
        fd = os.open(group / "cgroup.procs", os.O_WRONLY)
        os.write(fd, pid)
        os.close(fd)


def members(groups: Sequence[Path]) -> set[int]:
    """Pids in these groups and all groups below them."""
    pids: set[int] = set()
    for group in groups:
        for procs in group.rglob("cgroup.procs"):
            try:
                pids.update(int(line) for line in procs.read_text().split())
            except OSError:  # the group went away between listing and reading
                continue
    pids.discard(0)  # a process of another pid namespace: not ours
    return pids


def kill_members(groups: Sequence[Path], *, seconds: float = 10) -> bool:
    """Kill whatever lives in these groups, also what forks meanwhile; whether they are empty afterwards."""

    def empty_after_kill() -> bool:
        found = members(groups)
        for pid in found:
            send(pid, signal.SIGKILL)
        return not found

    return wait_until(empty_after_kill, seconds=seconds)


def remove(groups: Sequence[Path], *, parents: int) -> None:
    """Delete the groups from the leaves up, then as many levels above them, where those are empty."""
    for group in groups:
        for directory, _names, _files in os.walk(group, topdown=False):
            _rmdir(Path(directory))
        for parent in list(group.parents)[:parents]:
            _rmdir(parent)


def _rmdir(group: Path) -> None:
    try:
        group.rmdir()
    except OSError:  # busy for a moment, gone already, or another lab's hosts are below
        pass
