# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab can't run, every command says why in one line and exits with 3. Needs no root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAB = Path(__file__).with_name("lab.py")
COMMANDS = [["check"], ["up"], ["down"], ["status"], ["exec", "--", "true"], ["with", "--", "true"]]


def refusal(arguments: list[str], environment: dict[str, str], prefix: list[str]) -> str:
    done = subprocess.run(
        [*prefix, sys.executable, str(LAB), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.skipif(os.geteuid() != 0, reason="with root's rights we can take one away")
def test_missing_package_is_named(arguments: list[str], tmp_path: Path) -> None:
    said = refusal(arguments, {"PATH": str(tmp_path)}, [])
    assert said.startswith("lab: cannot run here: needs the packages ")
    assert "systemd-container" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="is root")
def test_without_root_it_refuses() -> None:
    assert "needs root" in refusal(["check"], dict(os.environ), [])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to drop a right")
def test_root_that_may_not_mount_is_refused() -> None:
    prefix = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    assert "namespaces can't be made here" in refusal(["up"], dict(os.environ), prefix)
