# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a system command and get its output, or one error with what it said."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from certops_lab import lock
from certops_lab.errors import LabError


def run(argv: Sequence[str], *, text: str | None = None, timeout: float = 60) -> str:
    """Standard output of the command; LabError with its last words if it fails or takes too long."""
    try:
        done = subprocess.run(
            argv,
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            pass_fds=lock.descriptors(),
        )
    except subprocess.TimeoutExpired as exc:
        raise LabError(f"{' '.join(argv)}: no end after {timeout:g} s") from exc
    except OSError as exc:
        raise LabError(f"{argv[0]}: {exc.strerror}") from exc
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise LabError(f"{' '.join(argv)}: {words}")
    return done.stdout


def succeeds(argv: Sequence[str], *, timeout: float = 60) -> bool:
    """Whether the command ends with 0 within the time."""
    try:
        run(argv, timeout=timeout)
    except LabError:
        return False
    return True
