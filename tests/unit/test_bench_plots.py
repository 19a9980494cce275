# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plots of docs/benchmarks.md are XML that shows what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.certops.rotation.tests.bench import plots

SVG = "{http://www.w3.org/2000/svg}"


def row(name: str, seconds: float, goal: float | None, hosts: int = 50) -> dict[str, Any]:
    floor = {"floor": "ansible all -m ping", "floor_seconds": 4.0, "ratio": seconds / 4}
    return {"name": name, "hosts": hosts, "seconds": seconds, "goal": goal, **floor}


def size(hosts: int) -> dict[str, Any]:
    steps = {"Look at the host and make keys": 0.06 * hosts, "Get new chains": 0.01 * hosts, "Rotate what is due": 0.5}
    return {"hosts": hosts, "ping": 0.1 * hosts, "rotation": 1 + 0.2 * hosts, "processor": hosts, "steps": steps}


@pytest.fixture
def drawn(tmp_path: Path) -> dict[str, ElementTree.Element]:
    (tmp_path / "scale.json").write_text(json.dumps([size(hosts) for hosts in (10, 50, 200)]))
    rows = [row("check.yml, all <well>", 1.0, 0.3), row("rotate.yml, all", 16.0, 3.5), row("the peer", 40.0, None)]
    plots.write(tmp_path / "plots", rows, tmp_path)
    return {file.stem: ElementTree.parse(file).getroot() for file in (tmp_path / "plots").iterdir()}


def words(plot: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in plot.iter(f"{SVG}text")]


def test_figures_beyond_their_goal_have_another_colour(drawn: dict[str, ElementTree.Element]) -> None:
    _ground, held, missed = drawn["goals"].iter(f"{SVG}rect")
    assert held.get("fill") != missed.get("fill")
    assert float(held.get("width", 0)) / float(missed.get("width", 0)) == pytest.approx(
        (0.25 / 0.3) / (4 / 3.5), abs=0.01
    )
    assert words(drawn["goals"])[1] == "check.yml, all <well> (50)"


def test_bars_of_fifty_hosts_are_sorted_and_labelled(drawn: dict[str, ElementTree.Element]) -> None:
    names = ["check.yml", "1.0 s", "ansible all -m ping", "4.0 s", "rotate.yml", "16.0 s", "the peer", "40.0 s"]
    assert words(drawn["fifty_hosts"])[1:] == names


def test_share_of_a_host_adds_up(drawn: dict[str, ElementTree.Element]) -> None:
    kinds = ("three steps on the host", "steps of the control node", "Ansible's start and includes")
    assert sum(plots.seconds_of(size(50), kind) for kind in kinds) == pytest.approx(size(50)["rotation"])
    assert set(kinds) < set(words(drawn["steps"]))
    assert len(list(drawn["scale"].iter(f"{SVG}polyline"))) == 3
