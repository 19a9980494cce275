# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline: coordinates that a page can draw."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Run, make_report
from ansible_collections.certops.rotation.plugins.module_utils._core.report_timeline import timeline
from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report, fleet_rotations


def drawn(report: dict[str, Any]) -> dict[str, Any]:
    found = timeline(report)
    assert found is not None
    return found


def test_nothing_replaced_is_nothing_to_draw() -> None:
    assert timeline(make_report({}, Run("r", "2026-11-21T01:00:00Z"))) is None


@pytest.mark.parametrize("hosts", [1, 20, 1000])
def test_everything_is_inside_and_curves_only_rise(hosts: int) -> None:
    found = drawn(fleet_report(hosts))
    assert [curve["verb"] for curve in found["curves"]] == ["issued", "served", "revoked", "visible"]
    for curve in found["curves"]:
        points = [tuple(map(float, point.split(","))) for point in curve["points"].split()]
        assert len(points) <= 600
        for (x, y), (next_x, next_y) in itertools.pairwise(points):
            assert found["left"] <= x <= next_x <= found["right"]
            assert found["base"] >= y >= next_y >= found["top"]
        assert points[-1][1] == pytest.approx(
            found["base"] - (found["base"] - found["top"]) * curve["count"] / found["most"], abs=0.1
        )
    for lane in found["lanes"]:
        for drawn_bar in lane["bars"]:
            assert found["left"] <= drawn_bar["x"] <= drawn_bar["x"] + drawn_bar["width"] <= found["right"] + 3
            assert drawn_bar["y"] + lane["height"] <= found["height"]
    assert len(found["ticks"]) <= 9
    assert len(found["lanes"]) + found["left_out"] == len({1 + n // 400 for n in range(hosts) if n % 5 < 3})


def test_more_waves_than_can_be_told_apart_are_counted() -> None:
    rotations = fleet_rotations(100)
    for number, [one] in enumerate(rotations.values()):
        one["wave"] = f"wave with a long name {number}"
    report = make_report(rotations, Run("r", "2026-11-21T03:00:00Z"))
    found = drawn(report)
    assert len(found["lanes"]) + found["left_out"] == len(report["waves"]) == 100
    assert found["left_out"] == 70
    assert max(len(lane["label"]) for lane in found["lanes"]) <= 18
    assert found["lanes"][0]["label"].endswith("…")
