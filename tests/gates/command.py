# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a tool: from the repository, with the same environment everywhere, never for ever."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.gates.outcome import Outcome

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
COLLECTIONS = BUILD / "collections"
COLLECTION = COLLECTIONS / "ansible_collections" / "certops" / "rotation"
TIMEOUT = 1500.0
# A person's own settings would make the same commit pass for one and fail for another.
NOT_INHERITED = ("ANSIBLE_", "PYTHONPATH", "PYTHONHOME", "PYTEST_", "VIRTUAL_ENV", "MYPY", "MOLECULE_")


_running: set[subprocess.Popen[str]] = set()


def tool_environment(python: Path) -> dict[str, str]:
    """Environment in which the tools beside `python` come first."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    environ["PATH"] = os.pathsep.join([str(python.parent), environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    no_settings = BUILD / "ansible.cfg"
    no_settings.touch()
    environ.update(
        ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
        ANSIBLE_CONFIG=str(no_settings),
        ANSIBLE_HOME=str(BUILD / "ansible"),
        ANSIBLE_NOCOLOR="1",
        LC_ALL="C.UTF-8",
        NO_COLOR="1",
    )
    return environ


def run(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path = ROOT,
    timeout: float = TIMEOUT,
) -> tuple[int, str]:
    """Exit status and everything printed. After `timeout` the command and its children are ended: status 124."""
    process = subprocess.Popen(
        list(command),
        cwd=cwd,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    _running.add(process)
    try:
        output = process.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0]
        return 124, f"{output}\nended after {timeout:.0f} s: {' '.join(command)}"
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    finally:
        _running.discard(process)
    return process.returncode, output


def end_running() -> None:
    """End what other threads run: each has a process group of its own, which a Ctrl-C does not reach."""
    for process in list(_running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)


def one_check(command: Sequence[str], *, environ: Mapping[str, str], cwd: Path = ROOT) -> Outcome:
    """A tool that passes as a whole or fails as a whole."""
    status, output = run(command, environ=environ, cwd=cwd)
    return Outcome(passed=1) if status == 0 else Outcome(failed=1, output=output)
