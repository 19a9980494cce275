# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that several hosts have has leaked: from the key alone to the fleet without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.local_world import must

HOSTS = ["web1", "web2", "web3", "web4"]
HAVING_IT = HOSTS[:3]
TIMES = {"detected", "issued", "installed", "served", "revoked", "visible"}


@pytest.mark.each_core
def test_certificate_on_several_hosts_is_replaced_everywhere_and_revoked(fleet: LocalFleet) -> None:
    fleet.start(HOSTS, shared=HAVING_IT)
    before = {host: fleet.served_by(host) for host in HOSTS}
    leaked = fleet.chain_of("web1")
    run = must(fleet.emergency({"emergency_key_path": fleet.leak("web1")}))
    after = {host: fleet.served_by(host) for host in HOSTS}
    assert after["web4"] == before["web4"]
    assert len({after[host].spki_sha256 for host in HAVING_IT} | {before["web1"].spki_sha256}) == 4
    assert fleet.status(leaked) == "revoked"
    assert before["web1"].spki_sha256 in (fleet.place / "deny_list").read_text()
    assert not any(before["web1"].spki_sha256 in fleet.keys_on(host) for host in HAVING_IT)
    entries = fleet.entries()
    assert sorted(entries) == HAVING_IT
    assert {entry["revocation"]["state"] for entry in entries.values()} == {"visible"}
    assert all(set(one["times"]) >= TIMES for one in entries.values())
    assert "3 hosts are concerned, with 1 certificates" in run.output


def test_each_certificate_of_the_key_is_revoked_after_the_last_is_replaced(fleet: LocalFleet) -> None:
    fleet.start(HOSTS, same_key=HAVING_IT)
    leaked = {host: fleet.chain_of(host) for host in HOSTS}
    must(fleet.emergency({"emergency_spki_sha256": [fleet.served_by("web2").spki_sha256]}))
    assert {host: fleet.status(leaked[host]) for host in HOSTS} == {
        **dict.fromkeys(HAVING_IT, "revoked"),
        "web4": "good",
    }
    entries = fleet.entries()
    last_served = max(entry["times"]["served"] for entry in entries.values())
    assert min(entry["times"]["revoked"] for entry in entries.values()) >= last_served


def test_hosts_that_cannot_be_rotated_now_are_told_and_the_next_run_finishes_them_and_only_them(
    fleet: LocalFleet,
) -> None:
    hosts = [*HOSTS, "web5", "web6"]
    having_it = hosts[:5]
    fleet.start(hosts, shared=having_it)
    leaked = fleet.chain_of("web1")
    values = {"emergency_key_path": fleet.leak("web1")}
    fleet.fleet["web2"].stop()
    fleet.unreachable = {"web2", "web3"}  # one is down, of the other only ssh is
    fleet.fleet["web4"].write(broken="no directive of nginx;")
    first = fleet.emergency(values)
    assert first.returncode != 0
    done, left = ["web1", "web5"], ["web2", "web3", "web4"]
    assert all(fleet.entries()[host]["error"]["code"] for host in left)
    assert fleet.entries()["web4"]["error"]["code"] == "config_test_failed"
    # Two of them still serve it, so nobody may revoke it yet.
    assert fleet.status(leaked) == "good"
    assert {fleet.entries()[host]["revocation"]["state"] for host in done} == {"waiting"}
    assert fleet.entries()["web1"]["revocation"]["waits_for"] == ["web3", "web4"]
    replaced = {host: fleet.served_by(host).serial for host in [*done, "web6"]}

    fleet.unreachable = set()
    fleet.fleet["web2"].start()
    fleet.fleet["web4"].write()
    must(fleet.emergency(values))
    assert fleet.status(leaked) == "revoked"
    assert {host: fleet.served_by(host).serial for host in [*done, "web6"]} == replaced
    entries = fleet.entries()
    assert sorted(entries) == having_it
    assert {entry["revocation"]["state"] for entry in entries.values()} == {"visible"}
    assert not any(entry.get("error") for entry in entries.values())
    assert len(fleet.ordered()) == len(set(fleet.ordered())) == 5
    # A third run has nothing to do, and loses nothing of what was written.
    must(fleet.emergency(values))
    assert len(fleet.ordered()) == 5
    assert {entry["revocation"]["state"] for entry in fleet.entries().values()} == {"visible"}


def test_wave_that_fails_stops_the_next(fleet: LocalFleet) -> None:
    """The new certificate never comes to be served: the first host fails, and no other is touched."""
    fleet.start(HOSTS, shared=HAVING_IT)
    before = {host: fleet.served_by(host) for host in HOSTS}
    values = {"rotate_service": {"kind": "none", "test": ["true"]}, "rotate_served_deadline": 1}
    run = fleet.emergency({"emergency_key_path": fleet.leak("web1"), **values})
    assert run.returncode != 0
    assert {host: fleet.served_by(host) for host in HOSTS} == before
    entries = fleet.entries()
    assert entries["web1"]["error"]["code"] == "not_served"
    assert {entries[host]["outcome"] for host in ("web2", "web3")} == {"to_rotate"}
    assert len(fleet.ordered()) == 1


def test_nobody_answers_so_nothing_is_touched(fleet: LocalFleet) -> None:
    fleet.start(HOSTS[:1])
    before = fleet.served_by("web1")
    run = fleet.emergency({"emergency_key_path": fleet.leak("web1"), "emergency_confirm": True})
    assert run.returncode != 0 and "set emergency_confirm to false" in run.output
    assert fleet.served_by("web1") == before and fleet.ordered() == []
    # Known as leaked it is all the same, and stays so for every other run.
    assert before.spki_sha256 in (fleet.place / "deny_list").read_text()


def test_check_mode_changes_nothing_and_tells_the_plan(fleet: LocalFleet) -> None:
    fleet.start(HOSTS, shared=HAVING_IT)
    before = {host: fleet.served_by(host) for host in HOSTS}
    run = must(fleet.emergency({"emergency_key_path": fleet.leak("web1"), "emergency_confirm": True}, "--check"))
    assert "3 hosts are concerned" in run.output
    assert {host: fleet.served_by(host) for host in HOSTS} == before and fleet.ordered() == []
    assert not (fleet.place / "deny_list").exists() and not (fleet.place / "reports").exists()


def test_hooks_of_the_load_balancer_run_around_each_rotation(fleet: LocalFleet, tmp_path: Path) -> None:
    fleet.start(["web1", "web2"], shared=["web1", "web2"])
    for name in ("drain", "undrain"):
        tell = f"echo {name} {{{{ inventory_hostname }}}} >> {tmp_path}/balancer"
        task = {"name": name, "ansible.builtin.shell": tell, "delegate_to": "localhost", "changed_when": False}
        (tmp_path / f"{name}.yml").write_text(json.dumps([task]))
    hooks = {f"emergency_{name}": str(tmp_path / f"{name}.yml") for name in ("drain", "undrain")}
    must(fleet.emergency({"emergency_key_path": fleet.leak("web1"), **hooks}))
    told = (tmp_path / "balancer").read_text().splitlines()
    assert told == ["drain web1", "undrain web1", "drain web2", "undrain web2"]


def test_two_runs_over_halves_of_the_fleet_end_in_one_report(fleet: LocalFleet) -> None:
    fleet.start(HOSTS, same_key=HOSTS)
    values = {"emergency_key_path": fleet.leak("web1")}
    runs = [fleet.start_emergency({**values, "emergency_hosts": half}) for half in ("web1:web2", "web3:web4")]
    outputs = [run.communicate(timeout=180)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    entries = fleet.entries()
    assert sorted(entries) == HOSTS
    assert {entry["revocation"]["state"] for entry in entries.values()} == {"visible"}
    assert len(fleet.ordered()) == 4


def test_host_that_has_no_part_in_the_run_is_not_revoked_under_its_feet(fleet: LocalFleet) -> None:
    fleet.start(["web1", "web2"], shared=["web1", "web2"])
    leaked, values = fleet.chain_of("web1"), {"emergency_key_path": fleet.leak("web1")}
    must(fleet.emergency({**values, "emergency_hosts": "web1"}))
    assert fleet.entries()["web1"]["revocation"]["waits_for"] == ["web2"]
    assert fleet.status(leaked) == "good"
    must(fleet.emergency(values))
    assert fleet.status(leaked) == "revoked"
    assert {entry["outcome"] for entry in fleet.entries().values()} == {"rotated"}


def test_no_host_uses_the_key(fleet: LocalFleet) -> None:
    fleet.start(HOSTS[:2])
    run = must(fleet.emergency({"emergency_spki_sha256": ["ab" * 32]}))
    assert "0 hosts are concerned" in run.output
    assert fleet.ordered() == [] and fleet.incident()["rotations"] == []
