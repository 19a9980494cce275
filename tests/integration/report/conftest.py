# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of reports, opened in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.plugin_utils.report_formats import texts_of
from ansible_collections.certops.rotation.tests.support.browser import address, browser, said, why_no_browser
from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report

LARGE_FLEET = 10_000


@pytest.fixture(scope="session")
def window() -> Iterator[Any]:
    """A browser for all tests."""
    missing = why_no_browser()
    if missing:
        pytest.skip(f"no browser: {missing}")
    with browser() as driver:
        yield driver


@pytest.fixture
def opened(window: Any, tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], Any]]:
    """Opens the page of a report. At the end the console must have been told nothing."""

    def opened(report: dict[str, Any]) -> Any:
        path = tmp_path / "report.html"
        path.write_text(texts_of(report, ["html"])["html"], encoding="utf-8")
        said(window)
        window.get(address(path))
        return window

    yield opened
    assert said(window) == []


@pytest.fixture(scope="session")
def large_fleet() -> dict[str, Any]:
    return fleet_report(LARGE_FLEET)
