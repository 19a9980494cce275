# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL on the control node after each verb in turn, and in mid-switch: the next run finishes the job."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.certops.rotation.tests.support.lab_round import Round
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld

# Killed when the step is about to begin: after detect, decide, prepare, settle, issue, validate, install, verify ...
BEFORE = (
    "decide",
    "prepare",
    "settle",
    "issue",
    "validate",
    "install",
    "verify",
    "revoke",
    "confirm",
    "retire",
    "report",
)
KILL = "kill -9 $PLAYBOOK_PID"
# With the workers, which have sessions of their own and would wait for ever.
KILL_SOON = "(sleep 0.4; kill -9 $(pgrep -P $PLAYBOOK_PID) $PLAYBOOK_PID) >/dev/null 2>&1 &"
AT_ONCE = 3


def test_killed_after_each_verb_the_next_run_finishes(world: LabWorld, hosts: list[str]) -> None:
    kills = {host: (step, KILL) for host, step in zip(hosts, BEFORE, strict=False)}
    kills[hosts[len(BEFORE)]] = ("install", KILL_SOON)
    due = Round(world, list(kills))

    def run(host: str) -> int:
        step, command = kills[host]
        process = world.start("certops.rotation.rotate", "--limit", host, **world.at({step: [command]}))
        process.communicate(timeout=180)
        return process.returncode

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(run, kills)) == {-signal.SIGKILL}
    for host in kills:
        due.assert_whole(host)
    world.rotate()
    for host in kills:
        due.assert_finished(host)
    world.rotate(expect_changed=False)
