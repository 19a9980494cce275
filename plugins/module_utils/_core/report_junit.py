# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as JUnit XML: a test case for each certificate, so that CI shows what failed, and what nobody knows."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Mapping

from ansible_collections.certops.rotation.plugins.module_utils._core.report_words import title, visible

# Outside of these, XML 1.0 (section 2.2) has no characters.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Found = Mapping[str, Any]


def as_junit(report: Mapping[str, Any]) -> str:
    """A failure is a certificate that failed; what is unknown, or was only planned, is skipped, and never passed."""
    failures, unknowns = _by_certificate(report["failures"]), _by_certificate(report["unknowns"])
    cases = [_case(entry, failures, unknowns) for entry in report["rotations"]]
    known = {_key(entry) for entry in report["rotations"]}
    lost = [one for one in report["unknowns"] if _key(one) not in known]
    cases += [_lost(one) for one in lost]
    failed = sum(case.count("<failure ") for case in cases)
    skipped = sum(case.count("<skipped ") for case in cases)
    counts = f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped}"'
    suite = f"name={_attribute(title(report))} timestamp={_attribute(report['written_at'].rstrip('Z'))}"
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {counts}>",
        f"<testsuite {suite} {counts}>",
        *cases,
        "</testsuite>",
        "</testsuites>\n",
    ])  # fmt: skip


def _case(
    entry: Mapping[str, Any],
    failures: Mapping[tuple[str, str], Sequence[Found]],
    unknowns: Mapping[tuple[str, str], Sequence[Found]],
) -> str:
    key = _key(entry)
    # What a failing rotation does not know is no news.
    inside = "".join(_failure(one) for one in failures.get(key, ())[:1])
    if not inside and unknowns.get(key):
        inside = _skipped("unknown: " + "; ".join(str(one["msg"]) for one in unknowns[key]))
    if not inside and entry["outcome"].startswith(("to_", "undecided")):
        inside = _skipped(entry["outcome"].replace("_", " "))
    seconds = sum(value for value in entry.get("seconds", {}).values() if isinstance(value, (int, float)))
    head = f'<testcase classname={_attribute(entry["host"])} name={_attribute(entry["name"])} time="{seconds:.3f}"'
    return f"{head}>{inside}</testcase>" if inside else f"{head}/>"


def _lost(one: Found) -> str:
    name, why = _attribute(one.get("name") or one["what"]), _skipped(f"unknown: {one['msg']}")
    return f'<testcase classname={_attribute(one["host"])} name={name} time="0">{why}</testcase>'


def _failure(one: Found) -> str:
    message = f"{one['step']}: {one['msg']}"
    remedy = _text(one.get("remedy"))
    return f"<failure type={_attribute(one['code'])} message={_attribute(message)}>{remedy}</failure>"


def _skipped(why: str) -> str:
    return f"<skipped message={_attribute(why)}/>"


def _attribute(value: Any) -> str:
    return f'"{_text(value)}"'


def _text(value: Any) -> str:
    return html.escape(_NOT_XML.sub("\ufffd", visible(value)))


def _key(one: Mapping[str, Any]) -> tuple[str, str]:
    return str(one.get("host")), str(one.get("name"))


def _by_certificate(found: Sequence[Found]) -> dict[tuple[str, str], list[Found]]:
    groups: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for one in found:
        groups[_key(one)].append(one)
    return groups
