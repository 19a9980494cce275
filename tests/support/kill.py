# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node dies: a playbook and all that it has started, ended at once, as a power cut would."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path


def kill_when(process: subprocess.Popen[str], *texts: str) -> None:
    """Kill it when it has printed all of these."""
    read_until(process, *texts)
    kill(process)


def read_until(process: subprocess.Popen[str], *texts: str) -> None:
    """Read what it prints until all of these were printed, in this order."""
    if process.stdout is None:
        raise AssertionError("its output goes elsewhere")
    for text in texts:
        if not any(text in line for line in process.stdout):
            raise AssertionError(f"it ended without {text!r}")


def kill(process: subprocess.Popen[str]) -> None:
    """End it with its children, which would wait for it in sessions of their own."""
    os.kill(process.pid, signal.SIGSTOP)
    for pid in [process.pid, *descendants(process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def descendants(pid: int) -> list[int]:
    """The processes that this one has started, and those that they have."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found += [int(entry.name), *descendants(int(entry.name))]
    return found
