# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site as a reader has it: complete, links whole, searched, no network, light, dark, on paper."""

from __future__ import annotations

import base64
import importlib.util
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from ansible_collections.certops.rotation.tests.support.browser import address, browser, said, why_no_browser

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(importlib.util.find_spec("sphinx") is None, reason="only where all tools are")
# What makes a browser fetch something, as opposed to what a reader may click on.
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}


class Page(HTMLParser):
    """The targets, links and loads of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.targets |= {value for name in ("id", "name") if (value := given.get(name))}
        if tag == "a" and given.get("href"):
            self.links.add(str(given["href"]))
        if tag in LOADS and given.get(LOADS[tag]):
            self.loads.add(str(given[LOADS[tag]]))


@pytest.fixture(scope="module")
def site() -> Path:
    from tools.documentation.site import ensure

    return ensure()


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


@pytest.fixture(scope="module")
def window() -> Iterator[Any]:
    missing = why_no_browser()
    if missing:
        pytest.skip(missing)
    with browser() as driver:
        yield driver


@pytest.fixture
def opened(site: Path, window: Any) -> Any:
    def open_page(name: str) -> Any:
        window.get(address(site / name))
        return window

    said(window)
    yield open_page
    assert said(window) == []
    resources = window.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert [one for one in resources if not one.startswith("file:")] == []


def expected() -> set[str]:
    """A page for each module, plugin, role, guide and decision."""
    kinds = {
        "collection/{}_module.html": ROOT.glob("plugins/modules/*.py"),
        "collection/{}_callback.html": ROOT.glob("plugins/callback/*.py"),
        "collection/{}_role.html": ROOT.glob("roles/*"),
        "collection/docsite/{}.html": ROOT.glob("docs/docsite/rst/*.rst"),
        "project/decisions/{}.html": ROOT.glob("docs/decisions/*.md"),
        "project/{}.html": ROOT.glob("docs/*.md"),
    }
    return {form.format(path.stem) for form, paths in kinds.items() for path in paths if path.stem != "__init__"}


def test_everything_has_its_page(site: Path, pages: dict[Path, Page]) -> None:
    there = {str(path.relative_to(site)) for path in pages}
    assert expected() - there == set()
    assert {"index.html", "start.html", "playbooks.html", "event_sources.html", "changelog.html"} <= there


def test_every_playbook_and_event_source_is_described(site: Path) -> None:
    text = (site / "playbooks.html").read_text("utf-8") + (site / "event_sources.html").read_text("utf-8")
    sources = [*ROOT.glob("playbooks/*.yml"), *ROOT.glob("extensions/eda/plugins/event_source/[!_]*.py")]
    assert len(sources) > 8
    assert [path.stem for path in sources if f"certops.rotation.{path.stem}<" not in text] == []


def test_every_link_within_the_site_leads_somewhere(pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            file, target = urldefrag(unquote(link))
            there = (path.parent / file).resolve() if file else path
            if there.suffix == ".html" and there in pages:
                if target and target not in pages[there].targets:
                    broken.append(f"{path.name}: {link}")
            elif not there.is_file():
                broken.append(f"{path.name}: {link}")
    assert broken == []


def test_no_page_loads_anything_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    loads = {load for page in pages.values() for load in page.loads}
    assert [load for load in loads if urlsplit(load).scheme not in ("", "data") or urlsplit(load).netloc] == []
    for sheet in site.rglob("*.css"):
        assert "url(http" not in sheet.read_text("utf-8") and "url(//" not in sheet.read_text("utf-8"), sheet.name


@pytest.mark.parametrize(
    "name",
    ["index.html", "start.html", "playbooks.html", "event_sources.html", "collection/key_csr_module.html",
     "collection/rotate_role.html", "collection/docsite/guide_emergency.html", "project/architecture.html",
     "project/benchmarks.html"],
)  # fmt: skip
def test_page_opens_whole(opened: Any, name: str) -> None:
    page = opened(name)
    assert page.find_element("css selector", "h1").text
    # Pictures that did not load have no width.
    script = "return [...document.images].filter((one) => !one.naturalWidth).map((one) => one.src)"
    assert page.execute_script(script) == []
    assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth") is True


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("leaked", "guide_emergency.html"), ("rotate_ticket_keys", "rotate_role.html"), ("stapling", "guide_rotate.html")],
)
def test_search_finds_it(opened: Any, words: str, wanted: str) -> None:
    page = opened("index.html")
    field = page.find_element("css selector", "#rtd-search-form input[name=q]")
    field.send_keys(words)
    field.submit()
    deadline = time.monotonic() + 20
    found: list[str] = []
    while "search.html?q=" not in page.current_url and time.monotonic() < deadline:
        time.sleep(0.1)
    while not any(wanted in one for one in found) and time.monotonic() < deadline:
        time.sleep(0.1)
        script = "return [...document.querySelectorAll('#search-results ul.search a')].map((one) => one.href)"
        found = page.execute_script(script)
    assert any(wanted in one for one in found), found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_be_read(opened: Any, window: Any, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        for name in ("index.html", "collection/key_csr_module.html", "collection/docsite/guide_rotate.html"):
            page = opened(name)
            poor = page.execute_script(_POOR_CONTRAST)
            assert poor == [], (name, scheme)
    finally:
        window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_page_can_be_printed_without_the_menu(opened: Any, window: Any) -> None:
    page = opened("collection/docsite/guide_emergency.html")
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not page.find_element("css selector", ".wy-nav-side").is_displayed()
        assert base64.b64decode(page.print_page()).startswith(b"%PDF-")
    finally:
        window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


# WCAG 2.2, 1.4.3, of every text of the page against what is painted behind it; 4.5, or 3 where it is large.
_POOR_CONTRAST = """
const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
const luminance = (colour) => colour.slice(0, 3).map((part) => part / 255)
  .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
const behind = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = rgb(getComputedStyle(one).backgroundColor);
    if (colour.length < 4 || colour[3] > 0.9) return colour;
  }
  return [255, 255, 255];
};
const poor = new Set();
const walker = document.createTreeWalker(document.querySelector("[role=main]"), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !element.checkVisibility({visibilityProperty: true})) continue;
  const style = getComputedStyle(element);
  if (element.closest(".headerlink, .ansibleOptionLink, a.ansible-option-link, script, style")) continue;
  const [dark, light] = [luminance(rgb(style.color)), luminance(behind(element))].sort((a, b) => a - b);
  const ratio = (light + 0.05) / (dark + 0.05);
  if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
    const text = walker.currentNode.textContent.trim().slice(0, 25);
    poor.add(`${element.tagName}.${element.className} ${style.color} ${ratio.toFixed(1)} ${text}`);
  }
}
return [...poor].slice(0, 20);
"""
