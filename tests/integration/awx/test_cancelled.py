# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody cancels a job in the middle and launches it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.awx import Awx
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet

HOSTS = ["web1", "web2"]


def begins(task: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["event"] == "playbook_on_task_start" and event["event_data"]["task"].startswith(task)


@pytest.mark.parametrize("task", ["Validate the new chains", "Prove from outside"])
def test_cancelled_job_leaves_whole_pairs_and_is_finished_by_the_next(
    fleet: LocalFleet, awx: Callable[[], Awx], task: str
) -> None:
    """Cancelled when all is ordered, and when all is installed."""
    fleet.start(HOSTS)
    jobs = awx()
    before = {host: fleet.served_by(host) for host in HOSTS}
    cancelled = jobs.run("certops finish", cancel=begins(task))
    assert cancelled.status == "canceled"
    ordered = fleet.ordered()
    assert len(ordered) == 2
    for host in HOSTS:
        assert fleet.served_by(host).serial in (before[host].serial, *ordered)
        assert fleet.pair_matches(host)
    again = jobs.run("certops finish")
    assert (again.status, again.rc) == ("successful", 0), again.output
    assert fleet.ordered() == ordered, "nothing is ordered twice"
    assert sorted(fleet.served_by(host).serial for host in HOSTS) == sorted(ordered)
    assert all(fleet.keys_on(host) == {fleet.served_by(host).spki_sha256} for host in HOSTS)
    reasons = {serial: reason for _name, serial, reason in fleet.ca_certificates()}
    assert {reasons[one.serial] for one in before.values()} == {"superseded"}
