# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emergency from a survey: answers are texts, nobody can be asked, and a slice is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.certops.rotation.tests.support.awx import Awx
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet


def answers(jobs: Awx, **given: str) -> dict[str, Any]:
    """What a person leaves alone is sent as it is in the form."""
    survey = jobs.templates["certops emergency"]["survey_spec"]["spec"]
    return {**{question["variable"]: question["default"] for question in survey}, **given}


def test_emergency_stops_after_its_plan_and_goes_on_when_it_is_told_to(
    fleet: LocalFleet, awx: Callable[[], Awx]
) -> None:
    fleet.start(["web1", "web2", "web3"], shared=["web1", "web2"])
    jobs, leaked = awx(), fleet.chain_of("web1")
    before = {host: fleet.served_by(host) for host in fleet.fleet}
    named = answers(jobs, emergency_spki_sha256=before["web1"].spki_sha256)

    part = jobs.slices("certops emergency", 2, answers={**named, "emergency_confirm": "false"})
    assert {job.status for job in part} == {"failed"}
    assert all("Set the number of slices of this job template to 1" in " ".join(job.output.split()) for job in part)

    planned = jobs.run("certops emergency", answers=named)
    assert planned.status == "failed" and "2 hosts are concerned" in planned.output
    assert "Nothing was rotated" in planned.output
    assert {host: fleet.served_by(host) for host in fleet.fleet} == before and fleet.ordered() == []

    done = jobs.run("certops emergency", answers={**named, "emergency_confirm": "false"})
    assert (done.status, done.rc) == ("successful", 0), done.output
    assert fleet.status(leaked) == "revoked" and fleet.served_by("web3") == before["web3"]
    assert len(fleet.ordered()) == 2
    assert done.artifacts["certops_report"]["counts"] == {"rotated": 2}
