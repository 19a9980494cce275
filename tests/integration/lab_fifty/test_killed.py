# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node dies ten times in the middle of emergencies on real hosts, at random."""

from __future__ import annotations

import contextlib
import itertools
import random
import subprocess
from collections.abc import Mapping
from typing import Any

from ansible_collections.certops.rotation.tests.integration.lab_fifty.outcome import (
    assert_replaced,
    assert_reported,
)
from ansible_collections.certops.rotation.tests.support.kill import kill
from ansible_collections.certops.rotation.tests.support.lab_fleet import LabFleet

HOSTS = [f"web{number:02}" for number in range(31, 41)]
KILLS = 10
KILLS_PER_INCIDENT = 5
# Its start touches nothing; from here on it matters when it ends.
BEGIN = "PLAY [Replace, wave by wave]"
# So many tasks of an undisturbed run start after that.
TASKS = 80


def test_killed_ten_times_at_random(fleet: LabFleet) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance, kills = random.Random(seed), 0
    fleet.lay_out({host: [host] for host in fleet.hosts}, ())
    for number in range(1, KILLS):
        incident = f"lost-{number}"
        values = {
            "emergency_everything": True,
            "emergency_reason": "keyCompromise",
            "emergency_incident": incident,
            "emergency_hosts": HOSTS,
        }
        before, ordered = fleet.shown(HOSTS), len(fleet.ordered())
        for _kill in range(min(KILLS_PER_INCIDENT, KILLS - kills)):
            kills += _is_killed(fleet, values, chance.randrange(TASKS), chance.uniform(0, 0.4))
            fleet.shown(HOSTS)  # all serve, with the key that belongs to it
            fleet.assert_pairs_match(HOSTS)
        fleet.must(fleet.emergency(values))
        assert_replaced(fleet, HOSTS, before)
        assert_reported(fleet, fleet.incident(incident), before)
        assert sorted(fleet.ordered()[ordered:]) == HOSTS
        if kills == KILLS:
            break
    assert kills == KILLS


def _is_killed(fleet: LabFleet, values: Mapping[str, Any], tasks: int, after: float) -> bool:
    """Killed ``after`` seconds into that task; False if the run had come to its end before."""
    with fleet.start_emergency(values) as process:
        assert process.stdout is not None
        begun = any(BEGIN in line for line in process.stdout)
        seen = itertools.islice((line for line in process.stdout if line.startswith("TASK [")), tasks + 1)
        if len(list(seen)) <= tasks or not begun:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after)
            return False
        kill(process)
    return True
