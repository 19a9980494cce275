# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill loses certificates of its own: the same playbook, the same report, and the fleet as it was before."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.local_world import must
from ansible_collections.certops.rotation.tests.support.nginx import free_port

HOSTS = ["web1", "web2"]


def test_drill_ends_in_the_same_report_and_leaves_nothing_behind(fleet: LocalFleet) -> None:
    fleet.start(HOSTS)
    fleet.add_ca("staging")
    before = {host: fleet.served_by(host) for host in HOSTS}
    files = {host: _files(fleet.fleet[host].prefix / "conf.d") for host in HOSTS}
    for host in HOSTS:
        fleet.host_variables[host] = {
            "emergency_drill_port": free_port(),
            "emergency_drill_server_path": str(fleet.fleet[host].prefix / "conf.d" / "drill.conf"),
        }
    fleet.inventory()
    values = {"emergency_confirm": False, "emergency_drill_issuer": "staging"}
    must(fleet.play("certops.rotation.emergency_drill", "-e", json.dumps(values)))
    [folder] = (fleet.place / "reports").glob("drill-*")
    report = json.loads((folder / "report.json").read_text())
    assert report["incident"]["subject"]["drill"] is True
    assert {entry["host"]: entry["revocation"]["state"] for entry in report["rotations"]} == dict.fromkeys(
        HOSTS, "visible"
    )
    assert {entry["name"] for entry in report["rotations"]} == {"certops-drill"}
    assert (folder / "report.html").is_file() and (folder / "report.md").is_file()
    assert {host: fleet.served_by(host) for host in HOSTS} == before
    assert fleet.ordered() == []
    assert {host: _files(fleet.fleet[host].prefix / "conf.d") for host in HOSTS} == files
    assert not any((fleet.place / host / "certops" / "certops-drill").exists() for host in HOSTS)
    assert not (fleet.place / "deny_list").exists()


def test_drill_needs_an_issuer(fleet: LocalFleet) -> None:
    fleet.start(HOSTS[:1])
    fleet.inventory()
    run = fleet.play("certops.rotation.emergency_drill", "-e", '{"emergency_confirm": false}')
    assert run.returncode != 0 and "Set emergency_drill_issuer" in run.output
    subprocess.run([*fleet.fleet["web1"].command, "-t"], check=True, capture_output=True)
    assert _files(fleet.fleet["web1"].prefix / "conf.d") == []


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
