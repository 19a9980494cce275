# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page as text; how a browser takes it is for tests/integration/report."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.report_json import entry_lines
from ansible_collections.certops.rotation.plugins.plugin_utils.report_formats import FILE_NAMES, texts_of
from ansible_collections.certops.rotation.plugins.plugin_utils.report_page import as_page
from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report
from ansible_collections.certops.rotation.tests.support.hostile_report import HOSTILE, hostile_report


class Page(HTMLParser):
    """Which elements there are, and what stands in scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.cdata_elem:
            self.inside.append((self.elements[-1][1], data))


def page(report: dict[str, Any]) -> str:
    return as_page(report, entry_lines(report))


def test_policy_allows_the_one_style_and_the_one_script() -> None:
    text = page(fleet_report(20))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]
    for tag in ("style", "script"):
        [inside] = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


def test_data_is_the_report() -> None:
    report = fleet_report(20)
    inside = {facts.get("id"): data for facts, data in Page(page(report)).inside}
    assert [json.loads(line) for line in str(inside["entries"]).split("\n")] == report["rotations"]
    rows = json.loads(str(inside["rows"]))
    assert [row[:3] for row in rows] == [[one["host"], one["name"], one["outcome"]] for one in report["rotations"]]


def test_hostile_texts_make_no_element_and_no_attribute() -> None:
    harmless, hostile = Page(page(fleet_report(20))), Page(page(hostile_report()))
    allowed = {tag for tag, _facts in harmless.elements}
    assert {tag for tag, _facts in hostile.elements} <= allowed
    names = {name for _tag, facts in hostile.elements for name in facts}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src", "autofocus", "x=")]
    assert [tag for tag, _facts in hostile.elements].count("script") == 3
    inside = {facts.get("id"): data for facts, data in hostile.inside}
    assert len(str(inside["entries"]).split("\n")) == len(HOSTILE)


def test_nothing_is_asked_of_a_network() -> None:
    text = page(fleet_report(20))
    addresses = [
        value
        for _tag, facts in Page(text).elements
        for name, value in facts.items()
        if name in ("src", "href", "action", "srcset", "poster", "xlink:href")
    ]
    assert addresses == ["data:,"]
    assert "@import" not in text
    assert "url(" not in text


def test_every_format_has_a_file_of_its_own() -> None:
    report = hostile_report()
    texts = texts_of(report, FILE_NAMES)
    assert texts.keys() == FILE_NAMES.keys()
    assert len(set(FILE_NAMES.values())) == len(FILE_NAMES)
    assert json.loads(texts["json"]) == report
    for name, text in texts.items():
        assert text.encode("utf-8"), name
