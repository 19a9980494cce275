# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""diagnose.yml over real ssh: what a host itself cannot reach, and a host that ssh does not reach."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld

HOST = "web10"


def causes(world: LabWorld, *arguments: str) -> tuple[playbook.Run, str]:
    """The run, and the first cause that it names; empty where there is none."""
    ended = world.play("certops.rotation.diagnose", "--limit", HOST, "-e", "diagnose_timeout=3", *arguments)
    first = next((line for line in ended.output.splitlines() if f"{HOST}/shop: 1. " in line), "")
    assert f"{HOST}/shop: 2. " not in ended.output, ended.output
    return ended, first


def test_host_is_looked_at_over_ssh(world: LabWorld) -> None:
    ended, first = causes(world)
    assert (ended.returncode, first) == (0, ""), ended.output

    world.on(HOST, "cp /etc/hosts /etc/hosts.kept && sed -i s/ca.lab.test/gone.lab.test/ /etc/hosts")
    try:
        ended, first = causes(world)
    finally:
        world.on(HOST, "cat /etc/hosts.kept > /etc/hosts")
    assert f"responder_not_resolved; seen from host {HOST}" in first, ended.output

    ended, first = causes(world, "-e", "ansible_port=1")  # where no sshd listens
    assert "host_not_reachable_by_ssh" in first and ended.returncode == 0, ended.output
