# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats of a report: the name of each, its file, and what writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.report_json import entry_lines, report_text
from ansible_collections.certops.rotation.plugins.module_utils._core.report_junit import as_junit
from ansible_collections.certops.rotation.plugins.module_utils._core.report_markdown import as_markdown
from ansible_collections.certops.rotation.plugins.module_utils._core.report_prometheus import as_prometheus
from ansible_collections.certops.rotation.plugins.plugin_utils.report_page import as_page

PROMETHEUS = "prometheus"
FILE_NAMES = {
    "json": "report.json",
    "html": "report.html",
    "markdown": "report.md",
    "junit": "report.xml",
    PROMETHEUS: "report.prom",
}

_WRITERS: dict[str, Callable[[Mapping[str, Any], Sequence[str]], str]] = {
    "json": report_text,
    "html": as_page,
    "markdown": lambda report, _lines: as_markdown(report),
    "junit": lambda report, _lines: as_junit(report),
    PROMETHEUS: lambda report, _lines: as_prometheus(report),
}


def texts_of(report: Mapping[str, Any], formats: Iterable[str]) -> dict[str, str]:
    """The report in each format. Its entries, which are most of it, are made into JSON once for all that need it."""
    lines = entry_lines(report)
    return {name: _WRITERS[name](report, lines) for name in formats}
