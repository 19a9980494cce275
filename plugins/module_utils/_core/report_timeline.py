# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline of a report as coordinates: how many certificates had come how far when, and below it a lane a wave."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.evidence_figures import WAVE_VERBS
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text
from ansible_collections.certops.rotation.plugins.module_utils._core.report_words import span, visible

VERBS = tuple(verb for verb in WAVE_VERBS if verb != "installed")

_WIDTH, _LEFT, _RIGHT = 1000.0, 150.0, 20.0
_TOP, _CURVES, _LANE, _BAR = 20.0, 150.0, 34.0, 6.0
_MOST_LANES = 30
_POINTS = 200
_LONGEST_LABEL = 18
_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800)
_MOST_TICKS = 8


def timeline(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to draw; None where nothing was replaced."""
    moments = _moments(report["rotations"])
    since = report["metrics"]["since"]
    if not since or not any(moments.values()):
        return None
    start = from_text(since).timestamp()
    end = max(max(times) for times in moments.values() if times)
    axis = _Axis(start, max(end - start, 1.0))
    waves = report["waves"][:_MOST_LANES]
    height = _TOP + _CURVES + 30 + _LANE * len(waves)
    return {
        "width": round(_WIDTH),
        "height": round(height + 10),
        "left": _LEFT,
        "right": _WIDTH - _RIGHT,
        "top": _TOP,
        "base": _TOP + _CURVES,
        "most": max(len(times) for times in moments.values()),
        "ticks": axis.ticks(),
        "curves": [
            {"verb": verb, "points": _curve(times, axis, moments), "count": len(times)}
            for verb, times in moments.items()
            if times
        ],
        "lanes": [_lane(wave, axis, _TOP + _CURVES + 30 + _LANE * number) for number, wave in enumerate(waves)],
        "left_out": len(report["waves"]) - len(waves),
        "bottom": height,
    }


class _Axis:
    """Time from left to right."""

    def __init__(self, start: float, seconds: float) -> None:
        self.start, self.seconds = start, seconds

    def x(self, moment: float) -> float:
        share = min(max((moment - self.start) / self.seconds, 0.0), 1.0)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def ticks(self) -> list[dict[str, Any]]:
        step = next((one for one in _STEPS if self.seconds / one <= _MOST_TICKS), int(self.seconds / _MOST_TICKS) + 1)
        marks = range(0, int(self.seconds) + 1, step)
        return [{"x": self.x(self.start + mark), "label": f"+{span(mark)}" if mark else "start"} for mark in marks]


def _moments(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """By verb when it was done, in order. Equal texts, which are many, are read once."""
    known: dict[str, float] = {}
    found: dict[str, list[float]] = {}
    for verb in VERBS:
        texts = [str(entry["times"][verb]) for entry in entries if entry["times"].get(verb)]
        for text in set(texts) - known.keys():
            known[text] = from_text(text).timestamp()
        found[verb] = sorted(known[text] for text in texts)
    return found


def _curve(times: Sequence[float], axis: _Axis, moments: Mapping[str, Sequence[float]]) -> str:
    """Steps from one count to the next; of many as many as can be seen."""
    most = max(len(one) for one in moments.values())
    instants = [axis.start + axis.seconds * number / _POINTS for number in range(_POINTS + 1)]
    if len(times) < _POINTS:
        instants = [axis.start, *times, axis.start + axis.seconds]
    points, level = [], _TOP + _CURVES
    for instant in instants:
        x = axis.x(instant)
        points.append(f"{x},{level:.1f}")
        level = _TOP + _CURVES * (1 - bisect_right(times, instant) / most)
        points.append(f"{x},{level:.1f}")
    return " ".join(points)


def _lane(wave: Mapping[str, Any], axis: _Axis, y: float) -> dict[str, Any]:
    """A bar for each verb, from the first certificate to the last, one below the other."""
    label = visible(wave["wave"])
    label = f"wave {label}" if label.isdigit() else label
    bars = []
    for number, verb in enumerate(VERBS):
        done = wave["verbs"].get(verb)
        if done:
            x, end = (axis.x(from_text(done[when]).timestamp()) for when in ("first", "last"))
            about = f"{verb}: {done['count']} from {done['first']} to {done['last']}"
            width = round(max(end - x, 3.0), 1)
            bars.append({"verb": verb, "x": x, "width": width, "y": y + number * (_BAR + 1), "about": about})
    return {
        "y": y,
        "label": label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…",
        "hosts": len(wave["hosts"]),
        "failed": wave["failed"],
        "bars": bars,
        "height": _BAR,
    }
