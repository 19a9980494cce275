# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node dies in the middle of emergencies, at random: nothing is lost, and nothing done twice.

Ten times on real hosts in ``lab_fifty``; here for those who have no root.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator

from ansible_collections.certops.rotation.tests.support.kill import kill, read_until
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.local_world import must

HOSTS = ["web1", "web2", "web3", "web4"]
KILLS = 4
# The playbook's start-up is the same each time, and touches nothing; from here on it matters when it ends.
BEGIN = "PLAY [Replace, wave by wave]"
TIMES = {"detected", "issued", "installed", "served", "revoked", "visible"}


def test_killed_at_random(fleet: LocalFleet) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    fleet.start(HOSTS)
    longest, kills = _undisturbed(fleet), 0
    for number in _incidents():
        values = {"emergency_everything": True, "emergency_incident": f"lost-{number}"}
        values["emergency_reason"] = "keyCompromise"
        before = {host: fleet.served_by(host) for host in HOSTS}
        first, killed = len(fleet.ordered()), kills
        while kills < KILLS and kills - killed < 3 and _is_killed(fleet, values, chance.uniform(0, longest)):
            kills += 1
            for host in HOSTS:
                _assert_whole(fleet, host)
        must(fleet.emergency(values))
        _assert_done(fleet, f"lost-{number}", {host: facts.serial for host, facts in before.items()})
        assert len(fleet.ordered()) - first == len(HOSTS)
        if kills == KILLS:
            break
    assert len(set(fleet.ordered())) == len(fleet.ordered())


def _incidents() -> Iterator[int]:
    yield from range(1, 3 * KILLS)


def _undisturbed(fleet: LocalFleet) -> float:
    """How long it takes from the first wave to the end, in seconds."""
    process = fleet.start_emergency({"emergency_everything": True, "emergency_incident": "lost-0"})
    with process:
        read_until(process, BEGIN)
        started = time.monotonic()
        output = process.communicate(timeout=180)[0]
    assert process.returncode == 0, output
    return time.monotonic() - started


def _is_killed(fleet: LocalFleet, values: dict[str, object], after: float) -> bool:
    """Whether it was still running then."""
    with fleet.start_emergency(values) as process:
        read_until(process, BEGIN)
        try:
            process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            kill(process)
            return True
    return False


def _assert_whole(fleet: LocalFleet, host: str) -> None:
    """It serves, and what a reload would load is a pair that belongs together."""
    assert fleet.served_by(host).serial
    nginx = fleet.fleet[host]
    subprocess.run([*nginx.command, "-t"], check=True, capture_output=True)


def _assert_done(fleet: LocalFleet, incident: str, before: dict[str, str]) -> None:
    entries = {entry["host"]: entry for entry in fleet.incident(incident)["rotations"]}
    assert sorted(entries) == HOSTS
    for host, entry in entries.items():
        assert entry["before"]["serial"] == before[host]
        assert entry["after"]["serial"] == fleet.served_by(host).serial != before[host]
        assert set(entry["times"]) >= TIMES, (host, entry["times"])
        assert entry["revocation"]["state"] == "visible" and not entry.get("error")
    revoked = {serial for _name, serial, reason in fleet.ca_certificates() if reason == "keyCompromise"}
    assert set(before.values()) <= revoked
