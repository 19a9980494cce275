# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as metrics."""

from __future__ import annotations

import re

from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Run, make_report
from ansible_collections.certops.rotation.plugins.module_utils._core.report_prometheus import as_prometheus
from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report
from ansible_collections.certops.rotation.tests.support.hostile_report import HOSTILE, hostile_report

SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (-?[0-9.e+-]+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, read as the exposition format 0.0.4 has it; a line that is none is an error, and so is a second."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for line in text.split("\n")[:-1]:
        if not line.startswith("#"):
            matched = SAMPLE.fullmatch(line)
            assert matched, line
            key = (matched[1], frozenset(LABEL.findall(matched[2])))
            assert key not in found, line
            found[key] = float(matched[3])
    assert text.endswith("\n")
    return found


def value(text: str, gauge: str, **labels: str) -> float:
    return samples(text)[gauge, frozenset(labels.items())]


def test_figures_of_an_incident() -> None:
    text = as_prometheus(fleet_report(1000))
    leak = {"incident": "leaked-key"}
    assert value(text, "certops_certificates", outcome="rotated", **leak) == 590
    assert value(text, "certops_certificates", outcome="stopped", **leak) == 0
    assert value(text, "certops_failures", **leak) == 10
    assert value(text, "certops_unknowns", **leak) == 15
    assert value(text, "certops_clock_state", limit="24h", state="open", **leak) == 1
    assert value(text, "certops_clock_state", limit="24h", state="missed", **leak) == 0
    assert value(text, "certops_clock_deadline_timestamp_seconds", limit="24h", **leak) == 1795309200
    assert value(text, "certops_report_timestamp_seconds", **leak) == 1795228200
    assert value(text, "certops_seconds", metric="time_to_inventory", figure="max", **leak) == 59
    assert value(text, "certops_certificate_failed", host="web00050", name="shop", **leak) == 1
    ends = {"host": "web00003", "name": "shop", **leak}
    assert value(text, "certops_certificate_not_after_timestamp_seconds", **ends) == 1800406800
    for family in {line.split("{")[0] for line in text.splitlines() if not line.startswith("#")}:
        assert f"# TYPE {family} gauge\n" in text


def test_single_run_has_no_clock_and_an_empty_incident() -> None:
    text = as_prometheus(make_report({}, Run("r", "2026-11-21T01:00:00Z")))
    assert value(text, "certops_failures", incident="") == 0
    assert "clock" not in text


def test_hostile_texts_stay_in_their_labels() -> None:
    text = as_prometheus(hostile_report())
    hosts = {dict(labels).get("host") for _name, labels in samples(text)} - {None}
    assert len(hosts) == len(HOSTILE)
    text.encode("utf-8")
