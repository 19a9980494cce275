# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of a service as the kernel tells them in ``/proc``: its master and the workers that the master started."""

from __future__ import annotations

import os
from dataclasses import dataclass

_SHUTTING_DOWN = b"is shutting down"  # how nginx names a worker that takes no new connection


@dataclass(frozen=True)
class Process:
    """One process. The start time tells it from a later one with the same number."""

    pid: int
    parent: int
    started: str


def process(pid: int) -> Process | None:
    """The process with this number, if it is alive (a zombie is not)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as handle:
            fields = handle.read().rpartition(b")")[2].split()  # the name before it may hold spaces and parentheses
    except OSError:
        return None
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return None
    return Process(pid, int(fields[1]), fields[19].decode("ascii"))


def children(master: Process) -> set[Process]:
    """The living processes that ``master`` started."""
    alive = (process(int(entry)) for entry in os.listdir("/proc") if entry.isdigit())
    return {found for found in alive if found is not None and found.parent == master.pid}


def is_called(pid: int, name: str) -> bool:
    """Whether the process runs a program of this name: a stale pid file may name somebody else's process."""
    return name.encode("utf-8") in _read(pid, "comm") + b" " + _read(pid, "cmdline")


def takes_connections(worker: Process) -> bool:
    """Whether an old worker still is one: alive, and not called one that is shutting down."""
    return process(worker.pid) == worker and _SHUTTING_DOWN not in _read(worker.pid, "cmdline")


def _read(pid: int, what: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{what}", "rb") as handle:
            return handle.read(65536)
    except OSError:
        return b""
