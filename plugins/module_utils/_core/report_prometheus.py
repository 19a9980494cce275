# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as metrics for Prometheus, in its text format 0.0.4, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Mapping, Tuple

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text
from ansible_collections.certops.rotation.plugins.module_utils._core.report_words import METRIC_NAMES, OUTCOMES

Sample = Tuple[Mapping[str, Any], float]

_STATES = ("met", "open", "missed")
_FIGURES = ("p50", "p95", "max")


def as_prometheus(report: Mapping[str, Any]) -> str:
    """Gauges, all with the label ``incident`` (empty for a single run), so that two incidents do not collide."""
    base = {"incident": (report.get("incident") or {}).get("name", "")}
    families = [
        ("report_timestamp_seconds", "When the report was written.", [({}, _seconds(report["written_at"]) or 0)]),
        ("certificates", "Certificates by outcome of the last run.", _counts(report)),
        ("failures", "Certificates that failed.", [({}, len(report["failures"]))]),
        ("unknowns", "Hosts, endpoints and revocations that could not be seen.", [({}, len(report["unknowns"]))]),
        ("clock_deadline_timestamp_seconds", "Deadline of the limit.", _deadlines(report)),
        ("clock_state", "1 for the state that the limit is in.", _clock_states(report)),
        ("seconds", "Time from the beginning, by metric and figure.", _metrics(report)),
        ("certificate_failed", "1 for a certificate that failed, 0 for others.", _failed(report)),
        ("certificate_not_after_timestamp_seconds", "End of what is in use, the earliest.", _ends(report)),
    ]
    return "".join(_family(f"certops_{name}", text, base, samples) for name, text, samples in families)


def _counts(report: Mapping[str, Any]) -> Iterator[Sample]:
    for outcome in dict.fromkeys([*OUTCOMES, *report["counts"]]):
        yield {"outcome": outcome}, report["counts"].get(outcome, 0)


def _deadlines(report: Mapping[str, Any]) -> Iterator[Sample]:
    for limit, one in (report.get("clock") or {}).items():
        yield {"limit": limit}, _seconds(one["deadline"]) or 0


def _clock_states(report: Mapping[str, Any]) -> Iterator[Sample]:
    for limit, one in (report.get("clock") or {}).items():
        for state in _STATES:
            yield {"limit": limit, "state": state}, float(one["state"] == state)


def _metrics(report: Mapping[str, Any]) -> Iterator[Sample]:
    for metric in METRIC_NAMES:
        for figure in _FIGURES:
            value = report["metrics"][metric][figure]
            if value is not None:
                yield {"metric": metric, "figure": figure}, value


def _failed(report: Mapping[str, Any]) -> Iterator[Sample]:
    failed = {(one["host"], one["name"]) for one in report["failures"]}
    for entry in report["rotations"]:
        yield _labels(entry), float((entry["host"], entry["name"]) in failed)


def _ends(report: Mapping[str, Any]) -> Iterator[Sample]:
    for entry in report["rotations"]:
        after = entry["after"].get("not_after") if entry.get("proof") else None
        times = [after] if after else [one.get("not_after") for one in entry.get("serving") or ()]
        ends = [seconds for one in times if (seconds := _seconds(one)) is not None]
        if ends:
            yield _labels(entry), min(ends)


def _labels(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"host": entry["host"], "name": entry["name"]}


def _family(name: str, text: str, base: Mapping[str, Any], samples: Iterable[Sample]) -> str:
    lines = [f"{name}{_label_text({**base, **labels})} {_number(value)}\n" for labels, value in samples]
    return f"# HELP {name} {text}\n# TYPE {name} gauge\n" + "".join(lines) if lines else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _label_text(labels: Mapping[str, Any]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    # A lone surrogate is no character and could not be written as UTF-8.
    return escaped.encode("utf-8", "replace").decode("utf-8")


def _seconds(text: Any) -> float | None:
    try:
        return from_text(text).timestamp() if text else None
    except (RotationError, AttributeError):
        return None
