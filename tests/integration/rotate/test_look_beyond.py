# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that has a part of the hosts only does not revoke what the others serve still."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.local_world import must

ONE_AFTER_THE_OTHER = """
- hosts: all
  gather_facts: false
  serial: 1
  max_fail_percentage: 100
  tasks:
    - ansible.builtin.import_role: {name: certops.rotation.rotate, rolespec_validate: false}
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    with LocalFleet(tmp_path) as made:
        made.make_ca()
        yield made


def rotate(fleet: LocalFleet, *arguments: str, playbook: str = "certops.rotation.rotate") -> Any:
    fleet.inventory()
    return fleet.play(playbook, *arguments)


def revocations(fleet: LocalFleet) -> dict[str, dict[str, Any]]:
    """By host, what the newest report says of the predecessor."""
    report = json.loads((fleet.place / "reports" / "latest" / "report.json").read_text())
    return {entry["host"]: entry["revocation"] for entry in report["rotations"]}


@pytest.mark.each_core
def test_what_a_host_beyond_the_limit_serves_is_revoked_when_that_one_is_done(fleet: LocalFleet) -> None:
    fleet.start(["web1", "web2", "web3"], shared=["web1", "web2"])
    fleet.host_variables["web3"] = {"rotate_certificates": "{{ nobody_has_said }}"}
    copied, own = fleet.chain_of("web1"), fleet.chain_of("web3")
    forced = ("-e", "rotate_force=true")

    first = must(rotate(fleet, "--limit", "web1", *forced))
    assert fleet.status(copied) == "good"
    assert fleet.served_by("web2").sha256 != fleet.served_by("web1").sha256
    assert (revocations(fleet)["web1"]["state"], revocations(fleet)["web1"]["waits_for"]) == ("waiting", ["web2"])
    assert "web3 is not asked what it serves" in first.output

    must(rotate(fleet, "--limit", "web2", *forced))
    assert fleet.status(copied) == "revoked"
    assert revocations(fleet)["web2"]["state"] == "visible"

    must(rotate(fleet, "--limit", "web1"))
    assert revocations(fleet)["web1"]["state"] in ("already_revoked", "visible")
    assert fleet.status(own) == "good"


def test_hosts_of_later_batches_are_asked_though_they_declare_nothing_and_silent_ones_are_named(
    fleet: LocalFleet,
) -> None:
    fleet.start(["web1", "web2", "web3"], shared=["web1", "web2"])
    copied = fleet.chain_of("web1")
    for host in ("web2", "web3"):
        [vhost] = fleet.fleet[host].vhosts
        fleet.host_variables[host] = {"rotate_certificates": [], "rotate_port": vhost.port}
    fleet.unreachable = {"web2", "web3"}
    fleet.fleet["web3"].stop()
    (fleet.place / "batches.yml").write_text(ONE_AFTER_THE_OTHER)

    run = rotate(fleet, "-e", "rotate_force=true", playbook=str(fleet.place / "batches.yml"))
    assert run.returncode != 0  # two hosts cannot be reached
    assert fleet.status(copied) == "good"
    assert "these did not answer, so whether they serve a certificate that is replaced here is not known: web3" in (
        run.output.replace("\n", " ")
    )


def test_nobody_is_asked_where_that_is_not_wanted(fleet: LocalFleet) -> None:
    fleet.start(["web1", "web2"], shared=["web1", "web2"])
    copied = fleet.chain_of("web1")
    must(rotate(fleet, "--limit", "web1", "-e", "rotate_force=true", "-e", "rotate_look_beyond=false"))
    assert fleet.status(copied) == "revoked"
