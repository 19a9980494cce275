# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as one page that needs nothing else: style, script and data are in it, and it asks no network for anything.

What it shows comes from hosts, CAs and inventories, so none of it may become markup: the template escapes all of it,
the data is JSON in which ``<`` is written as an escape, and the script makes text nodes only. The page's policy allows
the one style and the one script that are ours, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from ansible_collections.certops.rotation.plugins.module_utils._core.report_timeline import timeline
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

_FOLDER = Path(__file__).parent
_MOST_GROUPS = 200
_MOST_PLACES = 200


def as_page(report: Mapping[str, Any], lines: Sequence[str]) -> str:
    """The page. ``lines`` are the entries of the report as JSON, which it shows when asked for one of them."""
    template, style, script = _parts()
    about_failures = {(one["host"], one["name"]): one for one in reversed(report["failures"])}
    rows = [_row(entry, about_failures.get((entry["host"], entry["name"]))) for entry in report["rotations"]]
    return template.render(
        report=report,
        title=title(report),
        subject=subject_text((report["incident"] or {}).get("subject") or {}),
        counts=outcome_counts(report),
        metrics=[(text, report["metrics"][name]) for name, text in METRIC_NAMES.items()],
        revocations=revocation_lines(report),
        timeline=timeline(report),
        failures=grouped(report["failures"]),
        unknowns=grouped(report["unknowns"]),
        most_groups=_MOST_GROUPS,
        most_places=_MOST_PLACES,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        rows=_inert(json.dumps(rows, separators=(",", ":"))),
        entries=_inert("\n".join(lines)),
    )


def _row(entry: Mapping[str, Any], failure: Mapping[str, Any] | None) -> list[Any]:
    """What the table shows and searches; in the order of the script's COLUMNS."""
    before, after, times = entry["before"], entry["after"], entry["times"]
    serving = entry.get("serving") or [{}]
    return [
        entry["host"],
        entry["name"],
        entry["outcome"],
        before.get("serial") or serving[0].get("serial"),
        after.get("serial"),
        after.get("issuer") or entry.get("issuer"),
        times.get("served"),
        (entry.get("revocation") or {}).get("state"),
        f"{failure['step']}: {failure['msg']} ({failure['code']})" if failure else None,
        entry.get("wave"),
        " ".join(map(str, entry["server_names"])),
    ]


@functools.lru_cache(maxsize=1)
def _parts() -> tuple[jinja2.Template, str, str]:
    """Template, style and script; compiling takes longer than rendering."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(visible=visible, span=span)
    template, style, script = (
        (_FOLDER / f"report_page{suffix}").read_text(encoding="utf-8") for suffix in (".html.j2", ".css", ".js")
    )
    return environment.from_string(template), style, script


def _inert(data: str) -> str:
    """JSON that no parser of HTML takes for the end of a script, or for a comment in it (HTML 4.12.1.3)."""
    return data.replace("<", "\\u003c")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline style or script."""
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
