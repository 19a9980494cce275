# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report as a person meets it: what it shows, what can be found in it, and what it keeps out."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Run, make_report
from ansible_collections.certops.rotation.plugins.plugin_utils.report_formats import texts_of
from ansible_collections.certops.rotation.tests.support.browser import address, said
from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report
from ansible_collections.certops.rotation.tests.support.hostile_report import HOSTILE, hostile_report

Opened = Callable[[dict[str, Any]], Any]

HOSTS = 200
# What a person would call at once.
AT_ONCE = 1.0


def text_of(page: Any, selector: str) -> str:
    return str(page.execute_script("return document.querySelector(arguments[0]).innerText", selector))


def rows(page: Any) -> list[list[str]]:
    """The texts of the rows that are drawn."""
    script = """return [...document.querySelectorAll("#table tbody tr:not(.spacer)")].map(
        (row) => [...row.cells].map((cell) => cell.textContent))"""
    found: list[list[str]] = page.execute_script(script)
    return found


def find(page: Any, text: str) -> str:
    """Type into the search, and wait until the table follows; how many it says to have found."""
    before = text_of(page, "#shown")
    script = """const search = document.getElementById("search");
        search.value = arguments[0]; search.dispatchEvent(new Event("input"))"""
    page.execute_script(script, text)
    deadline = time.monotonic() + 5
    while text_of(page, "#shown") == before and time.monotonic() < deadline:
        time.sleep(0.02)
    return text_of(page, "#shown")


def choose(page: Any, outcome: str) -> str:
    script = """const outcome = document.getElementById("outcome");
        outcome.value = arguments[0]; outcome.dispatchEvent(new Event("change"))"""
    page.execute_script(script, outcome)
    return text_of(page, "#shown")


# --- content


def test_page_tells_what_happened(opened: Opened) -> None:
    page = opened(fleet_report(HOSTS))
    assert page.title == "Incident leaked-key"
    summary = text_of(page, "#summary")
    for words in ("open\nlimit 24h, until 2026-11-22T01:00:00Z", "2\nfailed", "118\nrotated", "80\nkept", "3\nunknown"):
        assert words in summary
    figures = text_of(page, "#metrics")
    for words in (
        "Time to inventory",
        "Time to reissue",
        "Time to serve",
        "revoke accepted",
        "revocation visible",
        "p95",
    ):
        assert words in figures
    assert "Correct the configuration, then run again." in text_of(page, "#failures")
    assert "web00007/shop at 192.0.2.7 port 8443" in text_of(page, "#unknowns")
    sections = [one.get_attribute("id") for one in page.find_elements("css selector", "main > section")]
    assert sections == ["summary", "failures", "metrics", "timeline", "unknowns", "certificates"]
    assert len(page.find_elements("css selector", "#timeline .bar")) == 4
    assert len(page.find_elements("css selector", "#timeline polyline")) == 4


def test_table_begins_with_what_failed(opened: Opened) -> None:
    found = rows(opened(fleet_report(HOSTS)))
    assert [row[2] for row in found[:3]] == ["failed", "failed", "rotated"]
    assert found[0][0] == "web00050"
    assert found[0][8] == "install: nginx: [emerg] unknown directive (config_test_failed)"
    assert found[2][6].startswith("2026-11-21T01:0")
    assert found[2][7] == "visible"


def test_report_of_a_run_in_which_nothing_was_due(opened: Opened) -> None:
    page = opened(make_report({}, Run("20261121T023000Z-4f1a2b", "2026-11-21T02:30:00Z", check_mode=True)))
    assert page.title == "Certificate rotation 20261121T023000Z-4f1a2b"
    assert "check mode: nothing was changed" in text_of(page, "header")
    assert text_of(page, "#shown") == "0 of 0"
    assert page.find_elements("id", "failures") == []


# --- finding


def test_search_and_filter_find(opened: Opened) -> None:
    page = opened(fleet_report(HOSTS))
    assert find(page, "WEB00042") == f"1 of {HOSTS}"
    assert [row[0] for row in rows(page)] == ["web00042"]
    assert find(page, "shop150.example.org config") == f"0 of {HOSTS}"
    assert find(page, "nginx emerg") == f"1 of {HOSTS}"
    assert find(page, "no such thing") == f"0 of {HOSTS}"
    assert rows(page) == []
    assert find(page, "") == f"{HOSTS} of {HOSTS}"
    assert choose(page, "kept") == f"80 of {HOSTS}"
    assert {row[2] for row in rows(page)} == {"kept"}
    assert find(page, "web0000") == f"4 of {HOSTS}"


def test_a_failure_leads_to_its_hosts(opened: Opened) -> None:
    page = opened(fleet_report(HOSTS))
    choose(page, "kept")
    page.execute_script('document.querySelector("button[data-find=host_unreachable]").click()')
    assert text_of(page, "#shown") == f"1 of {HOSTS}"
    assert rows(page)[0][0] == "web00150"


def test_columns_sort_both_ways(opened: Opened) -> None:
    page = opened(fleet_report(HOSTS))
    script = 'document.querySelectorAll("#table th button")[arguments[0]].click()'
    page.execute_script(script, 0)
    assert [row[0] for row in rows(page)[:3]] == ["web00000", "web00001", "web00002"]
    page.execute_script(script, 0)
    assert rows(page)[0][0] == f"web{HOSTS - 1:05}"
    assert page.find_elements("css selector", "#table th[aria-sort=descending]")[0].text == "Host"


def test_details_have_all_the_evidence(opened: Opened) -> None:
    report = fleet_report(HOSTS)
    page = opened(report)
    find(page, "web00001")
    page.execute_script('document.querySelector("#table td button").click()')
    text = text_of(page, "#detail")
    entry = report["rotations"][1]
    for words in (
        "web00001 / shop",
        f"serial {entry['before']['serial']}, key SHA-256 {entry['before']['spki_sha256']}",
        f"serial {entry['after']['serial']}",
        f"{entry['times']['served']} served",
        "192.0.2.1 port 443 as shop1.example.org",
        "by right of: certificate key",
        "crl http://ca.example.org/1.crl",
    ):
        assert words in text
    page.execute_script('document.querySelector("#detail form button").click()')
    assert page.execute_script('return document.getElementById("detail").open') is False


# --- hostile content


def test_hostile_texts_are_shown_and_do_nothing(opened: Opened) -> None:
    page = opened(hostile_report())
    assert len(rows(page)) == len(HOSTILE)
    shown = {row[1] for row in rows(page)}
    assert {"</script><script>window.hacked=1</script>", "<!--<script>", "{{ 7 * 7 }}{% raw %}"} <= shown
    for number in range(len(HOSTILE)):
        page.execute_script('document.querySelectorAll("#table td button")[arguments[0]].click()', number)
        page.execute_script('document.querySelector("#detail form button").click()')
    page.execute_script('document.querySelectorAll("button.find").forEach((button) => button.click())')
    assert page.execute_script("return window.hacked") is None
    assert page.execute_script("return document.scripts.length") == 3
    assert page.find_elements("css selector", "img, iframe, object, embed, form:not([method=dialog])") == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize(
    "inserted",
    [
        "<script>window.hacked=1</script>",
        "<script src='hack.js'></script>",
        "<img src='https://example.org/x.png'>",
        "<p onclick='window.hacked=1' id='trap'>trap</p>",
        "<style>body { display: none }</style>",
        "<iframe src='hack.html'></iframe>",
    ],
)
def test_policy_would_stop_what_got_into_the_page_all_the_same(window: Any, tmp_path: Path, inserted: str) -> None:
    (tmp_path / "hack.js").write_text("window.hacked=1")
    (tmp_path / "hack.html").write_text("<script>parent.hacked=1</script>")
    text = texts_of(fleet_report(2), ["html"])["html"]
    (tmp_path / "report.html").write_text(text.replace("<main>", f"{inserted}<main>", 1))
    said(window)
    window.get(address(tmp_path / "report.html"))
    window.execute_script('document.getElementById("trap")?.click()')
    assert window.execute_script("return window.hacked") is None
    assert window.execute_script("return getComputedStyle(document.body).display") == "block"
    assert "Content Security Policy" in " ".join(said(window))


# --- where it is read


def contrast(one: list[float], other: list[float]) -> float:
    """WCAG 2.2, 1.4.3."""

    def luminance(colour: list[float]) -> float:
        parts = [part / 255 for part in colour[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colours(page: Any, selector: str, ground: str) -> tuple[list[float], list[float]]:
    script = """const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
        const style = (selector) => getComputedStyle(document.querySelector(selector));
        return [rgb(style(arguments[0]).color), rgb(style(arguments[1]).backgroundColor)]"""
    text, behind = page.execute_script(script, selector, ground)
    return text, behind


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_both_be_read(opened: Opened, window: Any, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        page = opened(fleet_report(HOSTS))
        _text, ground = colours(page, "body", "body")
        assert (sum(ground[:3]) > 600) == (scheme == "light")
        for selector, behind in (
            ("body", "body"),
            (".quiet", "body"),
            (".card.bad b", ".card"),
            (".card.open b", ".card"),
            ("td.failed", "body"),
            ("td.rotated", "body"),
            (".remedy", "article"),
            (".legend .issued", "body"),
            (".legend .served", "body"),
            (".legend .revoked", "body"),
            (".legend .visible", "body"),
        ):
            assert contrast(*colours(page, selector, behind)) >= 4.5, (selector, scheme)
    finally:
        window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_print_has_every_row(opened: Opened) -> None:
    page = opened(fleet_report(HOSTS))
    page.execute_script('dispatchEvent(new Event("beforeprint"))')
    assert len(rows(page)) == HOSTS
    assert text_of(page, "#print-note") == ""
    page.execute_script('dispatchEvent(new Event("afterprint"))')
    assert len(rows(page)) < HOSTS


def test_page_can_be_printed(opened: Opened) -> None:
    assert base64.b64decode(opened(fleet_report(40)).print_page()).startswith(b"%PDF-")


def test_without_scripts_all_but_the_table_is_there(opened: Opened, window: Any) -> None:
    window.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page = opened(fleet_report(HOSTS))
        whole = page.find_element("tag name", "body").text
    finally:
        window.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    for words in ("Failures (2)", "Unknown (3)", "The table needs JavaScript; report.json has the same data."):
        assert words in whole


# --- ten thousand hosts


def test_ten_thousand_hosts_are_still_usable(opened: Opened, large_fleet: dict[str, Any]) -> None:
    page = opened(large_fleet)
    assert text_of(page, "#shown") == "10000 of 10000"
    assert len(rows(page)) < 200
    took = []
    for action in (
        'document.getElementById("search").value = "shop9999.example.org"',
        'document.getElementById("search").value = ""; document.getElementById("outcome").value = "kept"',
        'document.getElementById("outcome").value = ""',
    ):
        script = f"""const began = performance.now(); {action};
            document.getElementById("outcome").dispatchEvent(new Event("change"));
            document.body.getBoundingClientRect();
            return performance.now() - began"""
        took.append(page.execute_script(script) / 1000)
    assert max(took) < AT_ONCE, took
    page.execute_script('document.querySelectorAll("#table th button")[0].click()')
    page.execute_script('const box = document.getElementById("window"); box.scrollTop = box.scrollHeight')
    deadline = time.monotonic() + 5
    while rows(page)[-1][0] != "web09999" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert rows(page)[-1][0] == "web09999"
    assert len(rows(page)) < 200
    page.execute_script('dispatchEvent(new Event("beforeprint"))')
    assert "8000 more are in report.json" in text_of(page, "#print-note")
    page.execute_script('dispatchEvent(new Event("afterprint"))')
