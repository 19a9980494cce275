# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that thirty of fifty real hosts have has leaked, and its fingerprint is all that is known of it."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.certops.rotation.tests.integration.lab_fifty.outcome import (
    API,
    CERTIFICATES,
    HAVING_IT,
    HOSTS,
    LEAKED,
    OTHERS,
    SHOP,
    assert_replaced,
    assert_reported,
    entries,
    is_revoked,
    only,
)
from ansible_collections.certops.rotation.tests.support.lab_fleet import LabFleet, Shown

DOWN = ["web02", "web17", "web18"]
# Their nginx runs on, with the configuration it was started with.
BROKEN = ["web04", "web05"]
BREAK_IT = "echo 'no directive of nginx;' > /etc/nginx/conf.d/broken.conf"
MEND_IT = "rm /etc/nginx/conf.d/broken.conf"


def test_from_the_fingerprint_to_thirty_replaced_verified_and_revoked(fleet: LabFleet) -> None:
    leaked = fleet.lay_out(CERTIFICATES, LEAKED)
    before, untouched = fleet.shown(HOSTS), fleet.traces(OTHERS)
    started = time.monotonic()
    run = fleet.must(fleet.emergency({"emergency_spki_sha256": [leaked]}))
    print(f"{len(HAVING_IT)} of {len(HOSTS)} hosts in {time.monotonic() - started:.1f} s")
    assert "30 hosts are concerned, with 2 certificates" in run.output
    assert_replaced(fleet, HAVING_IT, before)
    report = fleet.incident(f"key-{leaked[:16]}")
    assert_reported(fleet, report, only(HAVING_IT, before))
    assert sorted(entries(report)) == HAVING_IT
    assert sorted(fleet.ordered()) == HAVING_IT
    assert fleet.shown(OTHERS) == only(OTHERS, before)
    assert fleet.traces(OTHERS) == untouched
    assert not {before[host].serial for host in OTHERS} & set(fleet.revoked())


def test_those_that_are_down_or_broken_are_reported_and_finished_by_the_next_run(fleet: LabFleet) -> None:
    leaked = fleet.lay_out(CERTIFICATES, LEAKED)
    before, lost = fleet.shown(HOSTS), sorted([*DOWN, *BROKEN])
    done = [host for host in HAVING_IT if host not in lost]
    for host in DOWN:
        fleet.lab("power-off", host, "--hard")
    for host in BROKEN:
        fleet.on(host, BREAK_IT)
    broken = fleet.traces(BROKEN)
    first = fleet.emergency({"emergency_spki_sha256": [leaked]})
    assert first.returncode != 0
    assert_left(fleet, f"key-{leaked[:16]}", before, lost)
    assert_replaced(fleet, [host for host in done if host in API], before)
    assert fleet.traces(BROKEN) == broken
    assert sorted(fleet.ordered()) == done

    with ThreadPoolExecutor(len(DOWN)) as pool:
        list(pool.map(lambda host: fleet.lab("boot", host), DOWN))
    for host in BROKEN:
        fleet.on(host, MEND_IT)
    replaced = fleet.shown(done)
    fleet.must(fleet.emergency({"emergency_spki_sha256": [leaked]}))
    assert fleet.shown(done) == replaced
    assert_replaced(fleet, HAVING_IT, before)
    assert_reported(fleet, fleet.incident(f"key-{leaked[:16]}"), only(HAVING_IT, before), away=DOWN)
    assert sorted(fleet.ordered()) == HAVING_IT
    assert fleet.shown(OTHERS) == only(OTHERS, before)


def assert_left(fleet: LabFleet, incident: str, before: dict[str, Shown], lost: list[str]) -> None:
    """What the report says while some hosts are out of reach, and what is not revoked because of them."""
    told = entries(fleet.incident(incident))
    errors = {host: entry["error"] for host, entry in told.items() if entry.get("error")}
    assert sorted(errors) == lost
    assert all(error["code"] and error["remedy"] for error in errors.values()), errors
    assert {errors[host]["code"] for host in DOWN} == {"host_unreachable"}
    # Nobody serves the one any more that is known of; two hosts serve the other.
    assert is_revoked(fleet, before[API[0]].serial)
    assert not is_revoked(fleet, before[SHOP[0]].serial)
    revocations = [entry["revocation"] for host, entry in told.items() if host not in lost]
    states = Counter((one["state"], *one.get("waits_for", ())) for one in revocations)
    assert states == {("waiting", *BROKEN): len(SHOP) - 3, ("visible",): len(API) - 2}


def test_two_runs_over_disjoint_halves_at_once_have_one_result_and_one_report(fleet: LabFleet) -> None:
    leaked = fleet.lay_out(CERTIFICATES, LEAKED)
    before, untouched = fleet.shown(HOSTS), fleet.traces(OTHERS)
    halves = ([*SHOP, *OTHERS[::2]], [*API, *OTHERS[1::2]])
    values = [{"emergency_spki_sha256": [leaked], "emergency_hosts": half} for half in halves]
    runs = [fleet.start_emergency(each) for each in values]
    outputs = [run.communicate(timeout=900)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert_replaced(fleet, HAVING_IT, before)
    report = fleet.incident(f"key-{leaked[:16]}")
    assert_reported(fleet, report, only(HAVING_IT, before))
    assert sorted(entries(report)) == HAVING_IT
    assert sorted(fleet.ordered()) == HAVING_IT
    assert fleet.traces(OTHERS) == untouched
