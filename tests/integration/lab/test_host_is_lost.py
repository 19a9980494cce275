# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that lose ssh, network or power at any step: the others finish, and the next run finishes these."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.certops.rotation.tests.support.lab_round import Round
from ansible_collections.certops.rotation.tests.support.lab_world import LAB, LabWorld

OFF = "web01"
# Host, what happens to it, and the step that is then about to begin.
LOST = (
    ("web02", "kill-ssh", "prepare"),
    ("web03", "kill-ssh", "issue"),
    ("web04", "kill-ssh", "install"),
    ("web05", "kill-ssh", "verify"),
    ("web06", "kill-ssh", "revoke"),
    ("web07", "kill-ssh", "retire"),
    ("web08", "cut", "verify"),
    ("web09", "power-off --hard", "revoke"),
)

QUICK = '{"rotate_served_deadline": 4, "rotate_timeout": 2}'


def test_lost_at_any_step_the_next_run_finishes(world: LabWorld, hosts: list[str]) -> None:
    lost = [host for host, _what, _step in LOST]
    others = sorted({*hosts} - {*lost, OFF})
    due = Round(world, hosts)
    commands: dict[str, list[str]] = {}
    for host, what, step in LOST:
        commands.setdefault(step, []).append(f"{sys.executable} {LAB} {what} --quiet {host}")
    world.lab("power-off", OFF)
    ended = world.play("certops.rotation.rotate", "-e", QUICK, **world.at(commands))
    print(ended.output)
    failed = {one["host"]: one["error"] for one in world.report()["rotations"] if one.get("error")}
    assert sorted(failed) == sorted({OFF, *lost}), failed
    codes = {host: error["code"] for host, error in failed.items()}
    assert codes == dict.fromkeys(failed, "host_unreachable") | {"web08": "not_served"}
    assert all(error["remedy"] for error in failed.values())
    for host in others:
        due.assert_finished(host)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda host: bring_back(world, host), failed))
    for host in lost:
        due.assert_whole(host)
    again = world.rotate()
    print(again.output)
    for host in hosts:
        due.assert_finished(host)
    assert {host for host, changed in again.changed.items() if changed and host in others} <= {hosts[0]}
    world.rotate(expect_changed=False)


def bring_back(world: LabWorld, host: str) -> None:
    off = [OFF, *(one for one, what, _step in LOST if what.startswith("power-off"))]
    world.lab("boot" if host in off else "mend", host)
