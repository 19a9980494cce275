# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report for a ticket: what a reader decides by, in Markdown, short however large the fleet is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.report_words import (
    METRIC_NAMES,
    grouped,
    outcome_counts,
    revocation_lines,
    span,
    subject_text,
    title,
    visible,
)

_MOST_GROUPS = 50
_MOST_PLACES = 20
_MOST_WAVES = 50
_LONGEST = 500


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report; what it leaves out for its length, it says."""
    blocks = [_head(report), _figures(report), _failures(report), _unknowns(report), _waves(report)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def code(value: Any) -> str:
    """``value`` as a code span, in which nothing is a link, a mention, HTML or a cell (CommonMark 6.1, GFM 4.10)."""
    text = visible(value)
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    text = text.replace("|", "\\|") if text else " "
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _head(report: Mapping[str, Any]) -> str:
    incident = report.get("incident")
    lines = [f"# {_plain(title(report))}", ""]
    if incident:
        lines += [f"* About: {code(subject_text(incident.get('subject') or {}))}"]
        lines += [f"* Since: {incident['started_at']}; runs and waves so far: {len(incident['runs'])}"]
    for limit, one in (report.get("clock") or {}).items():
        at = f", done at {one['at']}" if one["at"] else ""
        lines.append(f"* Limit {limit}: **{one['state']}** (until {one['deadline']}{at})")
    mode = "; check mode, nothing was changed" if report.get("check_mode") else ""
    lines.append(f"* Written: {report['written_at']} by run {code(report['run'])}{mode}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """For a heading; its words are ours and a name of safe characters."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~@&])", r"\\\1", visible(text))


def _figures(report: Mapping[str, Any]) -> str:
    counts = [(name.replace("_", " "), str(number)) for name, number in outcome_counts(report)]
    metrics = report["metrics"]
    rows = [
        (text, *(span(metrics[name][figure]) for figure in ("p50", "p95", "max")), str(metrics[name]["count"]))
        for name, text in METRIC_NAMES.items()
        if metrics[name]["count"]
    ]
    tables = [_table(("Outcome", "Certificates"), counts)] if counts else ["No certificates."]
    tables += [_table(("", "p50", "p95", "max", "certificates"), rows)] if rows else []
    lines = revocation_lines(report)
    tables += ["\n".join(f"* {code(line)}" for line in lines)] if lines else []
    return "\n\n".join(tables)


def _failures(report: Mapping[str, Any]) -> str:
    groups = grouped(report["failures"])
    lines = [f"## Failures: {len(report['failures'])}", ""] if groups else []
    for group in groups[:_MOST_GROUPS]:
        lines.append(f"* {code(group['code'])} in {code(group['step'])}: {code(group['msg'])}")
        lines += [f"  * What to do: {code(group['remedy'])}"] if group.get("remedy") else []
        lines.append(f"  * {_places(group['places'])}")
    return "\n".join([*lines, *_left_out(groups, _MOST_GROUPS)])


def _unknowns(report: Mapping[str, Any]) -> str:
    groups = grouped(report["unknowns"])
    lines = [f"## Unknown: {len(report['unknowns'])}", ""] if groups else []
    for group in groups[:_MOST_GROUPS]:
        lines.append(f"* {group['what']}: {code(group['code'])}: {code(group['msg'])}")
        lines.append(f"  * {_places(group['places'])}")
    return "\n".join([*lines, *_left_out(groups, _MOST_GROUPS)])


def _places(places: Sequence[str]) -> str:
    named = ", ".join(code(place) for place in places[:_MOST_PLACES])
    more = len(places) - _MOST_PLACES
    return f"{named} and {more} more" if more > 0 else named


def _waves(report: Mapping[str, Any]) -> str:
    waves = report["waves"]
    if not waves:
        return ""
    rows = [
        (
            code(wave["wave"]),
            str(len(wave["hosts"])),
            str(wave["certificates"]),
            str(wave["failed"]),
            wave["times"].get("began", "–"),
            wave["times"].get("ended", "–"),
        )
        for wave in waves[:_MOST_WAVES]
    ]
    table = _table(("Wave", "Hosts", "Certificates", "Failed", "Began", "Ended"), rows)
    return "\n".join(["## Waves", "", table, *_left_out(waves, _MOST_WAVES)])


def _left_out(everything: Sequence[Any], most: int) -> Iterator[str]:
    if len(everything) > most:
        yield f"\n{len(everything) - most} more are in report.json."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
