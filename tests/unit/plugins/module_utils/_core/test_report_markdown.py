# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report for a ticket."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Run, make_report
from ansible_collections.certops.rotation.plugins.module_utils._core.report_markdown import as_markdown, code
from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report
from ansible_collections.certops.rotation.tests.support.hostile_report import HOSTILE, hostile_report

AT = "2026-11-21T01:02:03Z"


def outside_code(markdown: str) -> str:
    """What is left when every code span is taken out, as CommonMark finds them: from backticks to as many."""
    return re.sub(r"(?s)(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", markdown)


def test_ticket_has_what_a_reader_decides_by() -> None:
    text = as_markdown(fleet_report(1000))
    assert text.startswith("# Incident leaked-key\n")
    assert "* Limit 24h: **open** (until 2026-11-22T01:00:00Z)" in text
    assert "| failed | 10 |" in text
    assert "| rotated | 590 |" in text
    assert re.search(r"\| Time to serve \| \d+ min .* \| 590 \|", text)
    assert "* `revoked by right of: certificate key (590)`" in text
    assert "* `revocation seen in: crl (590)`" in text
    assert "## Failures: 10" in text
    assert "* `config_test_failed` in `install`: `nginx: [emerg] unknown directive`" in text
    assert "  * What to do: `Correct the configuration, then run again.`" in text
    assert "## Unknown: 15" in text
    assert "## Waves" in text
    assert text.index("## Failures") < text.index("## Unknown") < text.index("## Waves")


def test_ticket_of_a_large_fleet_is_short_and_says_what_it_leaves_out() -> None:
    text = as_markdown(fleet_report(10_000))
    assert len(text) < 20_000
    assert re.search(r"and \d+ more", text)


def test_report_of_nothing_is_a_ticket_too() -> None:
    text = as_markdown(make_report({}, Run("r1", AT, check_mode=True)))
    assert "No certificates." in text
    assert "check mode, nothing was changed" in text


def test_hostile_texts_are_code_and_nothing_else() -> None:
    text = as_markdown(hostile_report())
    left = outside_code(text)
    for word in ("hacked", "script", "onerror", "everyone", "example.org", "gnp", "heading", "https:"):
        assert word in text
        assert word not in left, word
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e\u2066\u2028\u2029\ufeff\ud800]", text)


@pytest.mark.parametrize("text", [*HOSTILE, "`", "``", "a`", "`a", "", "|", "x" * 1000])
def test_code_span_has_no_way_out(text: str) -> None:
    span = code(text)
    assert "\n" not in span
    assert outside_code(span) == ""
    assert not re.search(r"(?<!\\)\|", span)


def test_table_rows_have_as_many_cells_as_their_head() -> None:
    report: dict[str, Any] = hostile_report()
    tables = [line for line in as_markdown(report).splitlines() if line.startswith("|")]
    waves = [line for line in tables if "hacked" in line]
    assert waves
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 7 for line in waves)
