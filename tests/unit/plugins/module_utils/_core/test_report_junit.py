# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as JUnit XML."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Run, make_report
from ansible_collections.certops.rotation.plugins.module_utils._core.report_junit import as_junit
from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report
from ansible_collections.certops.rotation.tests.support.hostile_report import HOSTILE, hostile_report

AT = "2026-11-21T01:02:03Z"
ERROR = {"step": "issue", "code": "ca_refused", "msg": "the CA says no", "remedy": "Ask it.", "facts": {}}
PLACE = {"address": "192.0.2.7", "port": 443, "server_name": "shop.example.org"}
SILENT = {**PLACE, "error": {"code": "timeout", "msg": "no answer"}}


def one(name: str, action: str, **more: Any) -> dict[str, Any]:
    return {"host": "web1", "name": name, "decision": {"action": action, "reasons": []}, **more}


def suite(report: dict[str, Any]) -> ElementTree.Element:
    [found] = ElementTree.fromstring(as_junit(report).encode("utf-8"))
    return found


def test_failed_fails_unknown_and_planned_are_skipped_the_rest_passes() -> None:
    rotations = [
        one("failed", "rotate", error=ERROR),
        one("unknown", "keep", served=[SILENT]),
        one("planned", "rotate"),
        one("done", "rotate", proof={"checked": []}, seconds={"issue": 0.25, "verify": 0.5}),
    ]
    found = suite(make_report({"web1": rotations, "web2": []}, Run("r", AT)))
    assert {name: found.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "errors": "0",
        "skipped": "3",
    }
    cases = {case.get("name"): case for case in found}
    assert [child.tag for child in cases["failed"]] == ["failure"]
    failure = cases["failed"][0]
    assert (failure.get("type"), failure.get("message"), failure.text) == (
        "ca_refused",
        "issue: the CA says no",
        "Ask it.",
    )
    assert cases["unknown"][0].get("message") == "unknown: no answer"
    assert cases["planned"][0].get("message") == "to rotate"
    assert (list(cases["done"]), cases["done"].get("time"), cases["done"].get("classname")) == ([], "0.750", "web1")
    assert cases["host"].get("classname") == "web2"


def test_what_was_asked_to_fail_fails() -> None:
    kept = one("shop", "keep")
    kept["decision"]["reasons"] = [{"code": "revoked", "text": "it is revoked"}]
    made = make_report({"web1": [kept]}, Run("r", AT, fail_on=frozenset({"revoked"})))
    assert suite(made).get("failures") == "1"


def test_hostile_texts_stay_texts() -> None:
    found = suite(hostile_report())
    assert len(found) == len(HOSTILE) + 1
    assert {child.tag for case in found for child in case} == {"failure", "skipped"}
    names = [str(case.get("name")) for case in found]
    assert "</script><script>window.hacked=1</script>" in names
    assert "\\u202egnp.exe" in "".join(names)


def test_large_fleet_has_a_case_for_each_certificate() -> None:
    found = suite(fleet_report(1000))
    assert (found.get("tests"), found.get("failures")) == ("1000", "10")
