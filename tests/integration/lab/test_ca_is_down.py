# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA is down for the whole run: nothing on the hosts is touched but a prepared key, which the next run takes up."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.support.lab_round import Round
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld


def test_ca_that_is_down_leaves_the_old_release_and_the_next_run_finishes(world: LabWorld) -> None:
    hosts = ["web11", "web12"]
    due = Round(world, hosts)
    with world.ca_unreachable():
        ended = world.play("certops.rotation.rotate", "--limit", ",".join(hosts), "-e", "rotate_timeout=2")
    print(ended.output)
    errors = [one["error"] for one in world.report()["rotations"]]
    assert [(error["step"], error["code"], bool(error["remedy"])) for error in errors] == [
        ("issue", "ca_directory_missing", True)
    ] * 2
    for host in hosts:
        due.assert_old_is_whole(host)
    print(world.rotate("--limit", ",".join(hosts)).output)
    for host in hosts:
        due.assert_finished(host)
