# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflow of extensions/awx, run by ansible-runner: slices side by side, one CA, one report."""

from __future__ import annotations

import json
from collections.abc import Callable

from ansible_collections.certops.rotation.tests.support.awx import Awx, Job
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.witness import Leak, private_keys_below

# Dealt to two slices: web1, web3 and web5 to one, web2 and web4 to the other.
HOSTS = ["web1", "web2", "web3", "web4", "web5"]
WORKFLOW = "certops rotation with approval"


def statuses(jobs: list[Job]) -> list[tuple[str, int]]:
    return [(job.status, job.rc) for job in jobs]


def test_workflow_rotates_all_hosts_once_and_revokes_when_nobody_serves_it(
    fleet: LocalFleet, awx: Callable[[], Awx]
) -> None:
    """web1 and web2 serve one certificate by accident, web4 and web5 share theirs on purpose: each in two slices."""
    fleet.start(HOSTS[:3], shared=["web1", "web2"])
    fleet.start(HOSTS[3:], shared=["web4", "web5"])
    fleet.share(["web4", "web5"])
    jobs, leak = awx(), Leak()
    old = {host: fleet.chain_of(host) for host in HOSTS}
    before = {host: fleet.served_by(host) for host in HOSTS}
    learn_keys(leak, fleet)

    check = jobs.run("certops check", workflow=WORKFLOW)
    assert statuses([check]) == [("successful", 0)], check.output
    assert check.artifacts["certops_report"]["counts"] == {"to_rotate": 5}
    assert check.artifacts["certops_report"]["incident"] == "workflow-41"

    slices = jobs.slices("certops rotate", 2, after=[check])
    assert statuses(slices) == [("successful", 0)] * 2, "".join(job.output for job in slices)
    # One slice cannot know that the other is done, nor who has made the shared key: nothing is lost meanwhile.
    assert {fleet.status(old[host]) for host in HOSTS} == {"good"}
    assert {host for host in HOSTS if fleet.served_by(host) != before[host]} == {"web1", "web2", "web3"}
    assert len(fleet.ordered()) == 3
    told = jobs.run("certops report", workflow=WORKFLOW, after=slices)
    assert told.status == "failed" and "5 problems" in told.output
    assert "the key of shop is shared, so it is left to a run that sees all of its hosts" in told.output

    finish = jobs.run("certops finish", workflow=WORKFLOW, after=slices)
    assert statuses([finish]) == [("successful", 0)], finish.output
    assert {fleet.status(old[host]) for host in HOSTS} == {"revoked"}
    after = {host: fleet.served_by(host) for host in HOSTS}
    assert after["web4"] == after["web5"] and len({one.spki_sha256 for one in after.values()}) == 4
    assert not {one.spki_sha256 for one in after.values()} & {one.spki_sha256 for one in before.values()}
    # No order twice: one for each of three hosts and one for the two that share.
    assert len(fleet.ordered()) == len(set(fleet.ordered())) == 4

    report = jobs.run("certops report", workflow=WORKFLOW, after=[finish])
    assert statuses([report]) == [("successful", 0)], report.output
    assert_report_is_of_all(fleet, jobs, report)
    learn_keys(leak, fleet)
    assert private_keys_below(fleet.place / "jobs") == {}
    assert leak.found_in(path.read_bytes() for path in jobs.written()) == []


def learn_keys(leak: Leak, fleet: LocalFleet) -> None:
    for key in private_keys_below(fleet.place):
        leak.learn(key)


def assert_report_is_of_all(fleet: LocalFleet, jobs: Awx, report: Job) -> None:
    """One report of four jobs, as artifacts and as files; and events that tell our tasks host by host."""
    summary = report.artifacts["certops_report"]
    assert (summary["incident"], summary["failed"], summary["unknown"]) == ("workflow-41", 0, 0)
    folder = jobs.shared / "reports" / "workflow-41"
    assert {"report.json", "report.html", "report.md"} <= {path.name for path in folder.iterdir()}
    written = json.loads((folder / "report.json").read_text())
    assert sorted(entry["host"] for entry in written["rotations"]) == HOSTS
    assert {entry["revocation"]["state"] for entry in written["rotations"]} == {"visible"}
    assert written["incident"]["runs"][0]["hosts"] == 5
    assert sorted(run["hosts"] for run in written["incident"]["runs"]) == [2, 3, 5, 5]
    tasks = set.union(*(job.tasks() for job in jobs.jobs))
    assert {"Detect what is served", "Switch, test and reload, or back", "Revoke the predecessors"} <= tasks


def test_host_that_fails_fails_its_slice_and_the_report_but_not_the_others(
    fleet: LocalFleet, awx: Callable[[], Awx]
) -> None:
    fleet.start(["web1", "web2"])
    jobs = awx()
    # A template of somebody else's, which does not say that it is cut into slices.
    del jobs.templates["certops rotate"]["extra_vars"]["rotate_is_slice"]
    before = {host: fleet.served_by(host) for host in fleet.fleet}
    fleet.fleet["web2"].write(broken="no directive of nginx;")
    first, second = jobs.slices("certops rotate", 2)
    assert statuses([first]) == [("successful", 0)], first.output
    assert second.status == "failed" and second.rc != 0
    assert fleet.served_by("web1") != before["web1"] and fleet.served_by("web2") == before["web2"]
    # Slices of a rotation that no check came before find together by themselves.
    assert {job.artifacts["certops_report"]["incident"] for job in (first, second)} == {"workflow-43"}
    report = jobs.run("certops report", workflow=WORKFLOW, after=[first, second])
    assert report.status == "failed" and report.rc != 0
    assert "web2/shop: install" in report.output and "config_broken_before" in report.output
    assert f"web1/shop: its predecessor {before['web1'].serial} is not revoked yet" in report.output
    assert report.artifacts["certops_report"]["failed"] == 1
