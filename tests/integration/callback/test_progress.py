# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress callback beside Ansible's own output, on a pseudo-terminal and without one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support import playbook

PLAY = """
- name: Replace
  hosts: all
  gather_facts: false
  serial: [1, 2, "100%"]
  max_fail_percentage: 60
  tasks:
    - name: Take some time
      ansible.builtin.wait_for: {timeout: 1}
    - name: Fail one
      ansible.builtin.fail: {msg: it is c}
      when: inventory_hostname == "c"
"""
ENABLED = {"ANSIBLE_CALLBACKS_ENABLED": "certops.rotation.progress"}
CLEAR = "\r\x1b[K"


@pytest.fixture
def play(tmp_path: Path) -> Path:
    path = tmp_path / "play.yml"
    path.write_text(PLAY)
    hosts = {host: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable} for host in "abcde"}
    playbook.write_inventory(tmp_path / "inventory.yml", hosts, {})
    return path


def on_terminal(play: Path, **environment: str) -> str:
    """What it writes to a terminal of 150 columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            str(play.with_name("inventory.yml")),
            str(play),
        ],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=playbook.environment(COLUMNS="150", **environment),
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            written += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    process.wait(60)
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def lines_left(written: str) -> list[str]:
    """What stands on the screen in the end: whatever was cleared is gone."""
    return [line.rpartition(CLEAR)[2] for line in written.split("\n")]


def test_live_line_tells_wave_hosts_failures_and_time_and_nothing_else_is_lost(play: Path) -> None:
    with_line, without = on_terminal(play, **ENABLED), on_terminal(play)
    # Hosts of a wave answer in any order.
    assert sorted(lines_left(with_line)) == sorted(lines_left(without))
    shown = [part.partition("\n")[0] for part in with_line.split(CLEAR)[1:]]
    assert any("Replace, wave 2 (hosts 2 to 3 of 5): Take some time" in line and "2 at it" in line for line in shown)
    assert any("wave 3 (hosts 4 to 5 of 5)" in line and "hosts/s, about 0:0" in line for line in shown)
    assert any("wave 2 " in line and "1 failed" in line for line in shown)
    assert max(len(line) for line in shown) < 150


def test_without_a_terminal_each_wave_is_told_in_a_line(play: Path) -> None:
    run = playbook.run(play, play.with_name("inventory.yml"), (), cwd=play.parent, timeout=60, **ENABLED)
    told = [line for line in run.output.splitlines() if line.startswith("Replace, wave")]
    assert [line.partition(",")[2].partition(" hosts through")[0] for line in told] == [
        " wave 1 (hosts 1 to 1 of 5), 1",
        " wave 2 (hosts 2 to 3 of 5), 2",
        " wave 3 (hosts 4 to 5 of 5), 2",
    ]
    assert "1 failed" in told[1] and CLEAR not in run.output
    plain = playbook.run(play, play.with_name("inventory.yml"), (), cwd=play.parent, timeout=60)
    others = [line for line in run.output.splitlines() if line not in told]
    assert sorted(others) == sorted(plain.output.splitlines())
