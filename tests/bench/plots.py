# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plots of docs/benchmarks.md, drawn from what was measured. A few lines of SVG need no library."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 860, 340, 90
INK, FAINT = "#1f2933", "#cbd2d9"
COLOURS = ("#2b6cb0", "#dd6b20", "#2f855a", "#b83280", "#718096")
# Tasks of rotate.yml in which each host has a process and a connection of its own.
HOST_TASKS = ("Look at the host", "Switch, test", "Destroy the old")
INCLUDES = ("Rotate what is due", "Go back, or have")


def write(folder: Path, rows: Sequence[Mapping[str, Any]], details: Path) -> None:
    """Write every plot for which there are figures."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {"goals": goals(rows), "fifty_hosts": fifty_hosts(rows)}
    if (scale := details / "scale.json").exists():
        sizes = json.loads(scale.read_text())
        made |= {"scale": cost_of_a_host(sizes), "steps": steps_of_a_host(sizes)}
    for name, text in made.items():
        (folder / f"{name}.svg").write_text(text)


def goals(rows: Sequence[Mapping[str, Any]]) -> str:
    """How much of what its goal allows each figure takes."""
    with_goal = [row for row in rows if row["goal"]]
    bars = [(f"{row['name']} ({row['hosts']})", row["ratio"] / row["goal"]) for row in with_goal]
    return bar_chart("What was measured, as a part of what the goal allows (1 = goal)", bars, "{:.2f}", limit=1.0)


def fifty_hosts(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same hosts: ping, check, rotation, and the peer's rotation, in seconds."""
    beside_ping = [row for row in rows if row["hosts"] == 50 and row["floor"].startswith("ansible")]
    found = {row["name"].partition(",")[0]: row["seconds"] for row in beside_ping}
    found |= {row["floor"]: row["floor_seconds"] for row in beside_ping}
    return bar_chart("50 hosts: seconds of wall time", sorted(found.items(), key=lambda bar: bar[1]), "{:.1f} s")


def cost_of_a_host(sizes: Sequence[Mapping[str, Any]]) -> str:
    """Wall time divided by the hosts, over the number of hosts."""
    lines = {
        "rotate.yml, every certificate revoked": [(each["hosts"], each["rotation"] / each["hosts"]) for each in sizes],
        "of it, processor time of the control node": [
            (each["hosts"], each["processor"] / each["hosts"]) for each in sizes
        ],
        "ansible all -m ping": [(each["hosts"], each["ping"] / each["hosts"]) for each in sizes],
    }
    return line_chart("Seconds for each host, by the number of hosts", lines, "hosts")


def steps_of_a_host(sizes: Sequence[Mapping[str, Any]]) -> str:
    """What a host's share of the wall time goes into."""
    lines = {
        kind: [(each["hosts"], seconds_of(each, kind) / each["hosts"]) for each in sizes]
        for kind in ("three steps on the host", "steps of the control node", "Ansible's start and includes")
    }
    return line_chart("Where a host's seconds go, by the number of hosts", lines, "hosts")


def seconds_of(size: Mapping[str, Any], kind: str) -> float:
    steps: Mapping[str, float] = size["steps"]
    on_hosts = sum(seconds for name, seconds in steps.items() if name.startswith(HOST_TASKS))
    includes = sum(seconds for name, seconds in steps.items() if name.startswith(INCLUDES))
    if kind == "three steps on the host":
        return on_hosts
    if kind == "steps of the control node":
        return sum(steps.values()) - on_hosts - includes
    return float(size["rotation"]) - sum(steps.values()) + includes


def bar_chart(title: str, bars: Sequence[tuple[str, float]], form: str, limit: float | None = None) -> str:
    """Horizontal bars with their names on the left; a line at the limit, bars beyond it in another colour."""
    longest = max([value for _name, value in bars] + [limit or 0.0]) or 1.0
    scale, height = (WIDTH - LEFT - RIGHT - 60) / longest, 50 + 22 * len(bars)
    parts = [text(10, 24, title, size=15)]
    for number, (name, value) in enumerate(bars):
        y = 42 + 22 * number
        colour = COLOURS[1 if limit is not None and value > limit else 0]
        parts += [
            text(LEFT + 50, y + 12, name, anchor="end"),
            f'<rect x="{LEFT + 60}" y="{y}" width="{value * scale:.1f}" height="16" fill="{colour}"/>',
            text(LEFT + 66 + value * scale, y + 12, form.format(value)),
        ]
    if limit is not None:
        x = LEFT + 60 + limit * scale
        parts.append(f'<path d="M{x:.1f} 36 V{height - 6}" stroke="{INK}" stroke-dasharray="4 3"/>')
    return document(height, parts)


def line_chart(title: str, lines: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> str:
    """Values over a logarithmic axis, from zero up; the names stand at the right end of their lines."""
    height, top, bottom, left, right = 340, 50, 300, 60, 470
    places = sorted({x for points in lines.values() for x, _y in points})
    highest = nice(max(y for points in lines.values() for _x, y in points))
    first, last = math.log(places[0]), math.log(max(places[-1], places[0] * 1.01))

    def across(x: float) -> float:
        return left + (right - left) * (math.log(x) - first) / (last - first)

    def down(y: float) -> float:
        return bottom - (bottom - top) * y / highest

    parts = [text(10, 24, title, size=15), *axes(places, highest, across, down, (left, right), unit)]
    for number, points in enumerate(lines.values()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return document(height, [*parts, *end_names(lines, down, right)])


def axes(
    places: Sequence[float],
    highest: float,
    across: Callable[[float], float],
    down: Callable[[float], float],
    ends: tuple[int, int],
    unit: str,
) -> list[str]:
    parts = []
    for step in range(5):
        value = highest * step / 4
        parts.append(f'<path d="M{ends[0]} {down(value):.1f} H{ends[1]}" stroke="{FAINT}"/>')
        parts.append(text(ends[0] - 8, down(value) + 4, f"{value:.2f}", anchor="end"))
    parts += [text(across(place), down(0) + 18, f"{place:g}", anchor="middle") for place in places]
    return [*parts, text((ends[0] + ends[1]) / 2, down(0) + 34, unit, anchor="middle")]


def end_names(
    lines: Mapping[str, Sequence[tuple[float, float]]], down: Callable[[float], float], right: int
) -> list[str]:
    """Names beside the last points, moved apart where they would lie on each other."""
    parts, free = [], 0.0
    wanted = sorted((down(points[-1][1]), number, name) for number, (name, points) in enumerate(lines.items()))
    for y, number, name in wanted:
        free = max(y, free + 16)
        parts.append(text(right + 10, free + 4, name, colour=COLOURS[number % len(COLOURS)]))
    return parts


def nice(value: float) -> float:
    """The next round number above."""
    unit = 10.0 ** math.floor(math.log10(value))
    return next(step * unit for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * unit >= value)


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, colour: str = INK) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
    return f"<text {place}>{escape(words)}</text>"


def document(height: int, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', *parts, "</svg>"]) + "\n"
