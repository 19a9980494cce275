# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One incident and several runs of the roles on a real nginx: killed before the report, run again, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import spki_of_key
from ansible_collections.certops.rotation.tests.support.kill import kill_when
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must

ALL = ["json", "html", "markdown", "junit", "prometheus"]


@pytest.fixture
def leaked(tmp_path: Path) -> Iterator[LocalWorld]:
    """nginx serves a certificate whose key is known to others; its rotation is an incident."""
    with LocalWorld(tmp_path / "world") as world:
        world.make_ca()
        world.start_nginx([world.first_certificate("shop", ["shop.example.org"], extra=world.snippet("shop"))])
        assert world.nginx is not None
        world.declare("shop", world.nginx.vhosts[0])
        key = spki_of_key(world.pairs / "shop.key")
        world.variables.update(
            rotate_deny_list=[key],
            rotate_report_incident="leak",
            rotate_report_subject={"kind": "key", "spki_sha256": [key], "serials": [], "reason": "keyCompromise"},
        )
        yield world


def incident(world: LocalWorld) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report, and its only entry."""
    report = json.loads((world.place / "reports" / "leak" / "report.json").read_text())
    [entry] = report["rotations"]
    return report, entry


def test_runs_continue_one_report(leaked: LocalWorld) -> None:
    old = leaked.served("shop.example.org")
    leaked.variables["rotate_report_started_at"] = "2026-11-21 01:00:00"
    must(leaked.rotate())
    _first, entry = incident(leaked)
    must(leaked.rotate())
    report, again = incident(leaked)
    assert again == {**entry, **{name: again[name] for name in ("run", "serving", "installed", "history", "seconds")}}
    assert (again["outcome"], again["before"]["serial"]) == ("rotated", old.serial)
    assert again["after"]["serial"] == again["installed"]["serial"] == leaked.served("shop.example.org").serial
    assert [one["check_mode"] for one in report["incident"]["runs"]] == [False, False]
    assert report["incident"]["started_at"] == "2026-11-21T01:00:00Z"
    assert report["counts"] == {"rotated": 1}
    assert report["metrics"]["time_to_revocation_visible"]["count"] == 1
    # It met the limits of a day long past, or did not, by the clock of whoever runs this.
    assert report["clock"]["24h"]["at"] == max(again["times"]["served"], again["times"]["revoked"])


@pytest.mark.parametrize(
    ("before", "outcome", "told_by"),
    [
        ("Revoke the predecessors]", "finished", None),
        ("Destroy the old private keys", "finished", None),
        ("Write the report", "rotated", "record"),
    ],
)
def test_what_a_killed_run_did_is_in_the_report(
    leaked: LocalWorld, before: str, outcome: str, told_by: str | None
) -> None:
    old = leaked.served("shop.example.org")
    with leaked.start_rotate() as process:
        kill_when(process, f": {before}")
    assert not (leaked.place / "reports").exists()
    new = leaked.served("shop.example.org")
    record = json.loads((leaked.live("shop") / "record.json").read_text())
    must(leaked.rotate())
    report, entry = incident(leaked)
    assert (entry["outcome"], entry.get("told_by")) == (outcome, told_by)
    assert (entry["before"]["serial"], entry["after"]["serial"]) == (old.serial, new.serial)
    for verb in ("issued", "installed"):
        assert entry["times"][verb] == record["times"][verb], verb
    assert entry["retirement"]["destroyed"] == [old.spki_sha256]
    assert entry["revocation"]["serial"] == old.serial
    assert entry["revocation"]["state"] in ("revoked", "visible")
    assert report["metrics"]["time_to_serve"]["count"] == 1
    assert report["clock"]["24h"]["state"] == "met"


def test_roles_write_every_format_and_tell_awx(leaked: LocalWorld) -> None:
    leaked.variables.update(
        rotate_report_formats=ALL,
        rotate_report_stats=True,
        rotate_report_textfile_directory=str(leaked.place / "textfiles"),
    )
    leaked.inventory()
    check = leaked.play("certops.rotation.check", ANSIBLE_SHOW_CUSTOM_STATS="1")
    assert check.returncode == 2
    latest = leaked.place / "reports" / "latest"
    assert sorted(path.name for path in latest.iterdir()) == [
        "report.html",
        "report.json",
        "report.md",
        "report.prom",
        "report.xml",
    ]
    [case] = ElementTree.parse(latest / "report.xml").iter("testcase")
    assert [child.get("type") for child in case] == ["key_denied"]
    assert "key_denied" in (latest / "report.md").read_text()
    assert re.search(
        r'certops_certificate_not_after.*host="web1"', (leaked.place / "textfiles/certops_rotation.prom").read_text()
    )
    assert "certops_report" in check.output
    run = must(leaked.rotate("-e", "rotate_report_wave=canary", ANSIBLE_SHOW_CUSTOM_STATS="1"))
    assert re.search(r'"counts": \{\s*"rotated": 1', run.output)
    assert (leaked.place / "reports" / "latest").resolve().name == "leak"
    assert "Incident leak" in (leaked.place / "reports" / "leak" / "report.html").read_text()
    assert [wave["wave"] for wave in incident(leaked)[0]["waves"]] == ["canary"]
    assert (leaked.place / "textfiles" / "certops_leak.prom").exists()
