# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said about reports, in the guide and in the module's documentation, is what they have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Incident, Run, make_report
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence_figures import METRICS
from ansible_collections.certops.rotation.plugins.module_utils._core.report_prometheus import as_prometheus
from ansible_collections.certops.rotation.plugins.modules.rotation_report import RETURN
from ansible_collections.certops.rotation.plugins.plugin_utils.report_formats import FILE_NAMES
from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report, fleet_rotations
from ansible_collections.certops.rotation.tests.support.hostile_report import hostile_report

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "guide_report.rst").read_text("utf-8")
FIRST_CELL = re.compile(r"^   \* - ``(\w+)``\n", re.MULTILINE)
# Only where a rotation has it.
SOMETIMES = {"installed", "installation", "rolled_back", "sources", "told_by"}


@pytest.fixture(scope="module")
def documented() -> dict[str, Any]:
    contains: dict[str, Any] = yaml.safe_load(RETURN)["report"]["contains"]
    return contains


def entry_keys() -> set[str]:
    continued = make_report(
        fleet_rotations(60), Run("next", "2026-11-21T03:00:00Z"), Incident("leak"), fleet_report(60)
    )
    entries = [*continued["rotations"], *hostile_report()["rotations"]]
    return {key for entry in entries for key in entry}


def test_every_field_is_documented_and_no_other(documented: dict[str, Any]) -> None:
    assert documented.keys() == fleet_report(20).keys()
    entries = documented["rotations"]["contains"].keys()
    assert entry_keys() <= entries
    assert entries - entry_keys() <= SOMETIMES


def test_guide_has_every_metric_format_and_gauge() -> None:
    words = FIRST_CELL.findall(GUIDE)
    gauges = {line.split("{")[0] for line in as_prometheus(fleet_report(20)).splitlines() if not line.startswith("#")}
    assert sorted(words) == sorted([*FILE_NAMES, *METRICS, *gauges])
    for file in FILE_NAMES.values():
        assert f"``{file}``" in GUIDE
