# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/architecture.svg: a rotation from detect to report, drawn from the task files of the role.

Order, modules and where a step runs are read from ``roles/rotate/tasks``; what a step hands on, and whom it talks to,
is said here. A task file that calls one of our modules and is not said here is an error: nothing is left out silently.
"""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from tools.python_environments import ROOT

PATH = ROOT / "docs" / "architecture.svg"
TASKS = ROOT / "roles" / "rotate" / "tasks"
_OURS = "certops.rotation."


@dataclasses.dataclass(frozen=True)
class Verb:
    """What code can't tell: the promise in a few words, the keys that a rotation has from then on, who is asked."""

    promise: str
    adds: str
    ca: str = ""
    """What is said between control node and CA; the arrow's head is where it goes."""
    client: str = ""
    """What is asked of the host as a client, not through ssh."""
    aside: bool = False
    """Only where it has to be."""


VERBS = {
    "detect": Verb("what is served, and is it revoked?", "served, verdict", "← CRL, OCSP, ARI", "TLS handshakes"),
    "decide": Verb("keep, rotate, repair, finish or stop", "decision"),
    "prepare": Verb("fresh key and request; a look", "installed, prepared"),
    "settle": Verb("the plan, with what is on the hosts", "decision"),
    "issue": Verb("a chain for each request", "issued", "→ order"),
    "validate": Verb("names, dates, key, chain, never seen", "issued, validated", "← CRL, OCSP"),
    "install": Verb("one switch; test, reload, or back", "installation"),
    "verify": Verb("every listener × name serves it", "proof", "", "TLS handshakes"),
    "rollback": Verb("if not: the old pair again", "rolled_back", aside=True),
    "sign": Verb("a compromised key signs its end", "revocation", aside=True),
    "revoke": Verb("the predecessor, with the proof", "revocation", "→ revoke"),
    "confirm": Verb("CRL and OCSP show it", "revocation", "← CRL, OCSP"),
    "retire": Verb("the old key is destroyed", "retirement"),
    "report": Verb("who, what, when, with evidence", "report"),
}
# Other orders of the same steps, and what only some certificates need.
OTHERS = {
    "prepare_late": "prepare again, for what only the look showed",
    "sign_first": "sign before the replacement",
    "revoke_first": "revoke before the replacement",
    "share": "one key for several hosts, sealed",
    "webroot": "answers to http-01 in web roots",
    "staple": "staple files, kept fresh",
    "tell": "the report once more, in other formats",
}

WIDTH, ROW, BOX, TOP = 1020, 60, 44, 72
CA, CONTROL, HOST = (20, 120), (220, 300), (700, 300)  # left edge, width
_STYLE = """
svg { font-family: system-ui, sans-serif; font-size: 13px }
.ground { fill: #ffffff } .lane { fill: #f3f5f8 } .box { fill: #ffffff; stroke: #8592a3 }
.host { stroke: #0b6e4f } .aside { stroke-dasharray: 4 3 } text { fill: #1c2733 }
.quiet { fill: #566373; font-size: 12px }
.verb { font-weight: 700; font-size: 15px } .code { font-family: ui-monospace, monospace; font-size: 12px }
.code { fill: #0b5394 } .flow { stroke: #566373; fill: none; stroke-width: 1.5 }
.ask { stroke-dasharray: 5 4 } .head { fill: #566373 }
.title { font-weight: 700; font-size: 16px }
@media (prefers-color-scheme: dark) {
.ground { fill: #14181d } .lane { fill: #1d232b } .box { fill: #14181d; stroke: #7c8896 }
.host { stroke: #4cc38a } text { fill: #e6eaef } .quiet { fill: #a3afbd } .code { fill: #7ab7ff }
.flow { stroke: #a3afbd } .head { fill: #a3afbd }
}"""


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    modules: tuple[str, ...]
    on_host: bool


def draw() -> str:
    steps = read_steps()
    height = TOP + ROW * len(steps) + 84
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        "<title>A rotation, from detect to report</title>",
        f"<style>{_STYLE}\n</style>",
        '<marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0 L8 4 L0 8 z"/></marker>',
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        *_lanes(TOP + ROW * len(steps)),
        *(part for number in range(len(steps)) for part in _row(steps, number)),
        *_others(TOP + ROW * len(steps) + 34),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


# What the code says


def read_steps() -> list[Step]:
    """The verbs in the order in which the role comes to them."""
    order = list(dict.fromkeys(name for name in _walk("main") if _modules(name)))
    unsaid = {path.stem for path in TASKS.glob("*.yml") if _modules(path.stem)} - VERBS.keys() - OTHERS.keys()
    gone = {name for name in [*VERBS, *OTHERS] if not (TASKS / f"{name}.yml").is_file() or not _modules(name)}
    if unsaid or gone or order != list(VERBS):
        raise ValueError(f"not in the picture: {sorted(unsaid)}; not in the role: {sorted(gone)}; its order: {order}")
    return [Step(name, _modules(name), _is_on_host(name)) for name in order]


def _walk(name: str) -> Iterator[str]:
    yield name
    for task in _tasks(name):
        called = task.get("ansible.builtin.import_tasks") or task.get("ansible.builtin.include_tasks")
        # The file that is next is a result of settle; what is due is the way that the others lead to, too.
        file = "due.yml" if isinstance(called, str) and "{{" in called else called
        if isinstance(file, str):
            yield from _walk(file.partition(".")[0])


def _tasks(name: str) -> Iterator[dict[str, Any]]:
    yield from _flat(yaml.safe_load((TASKS / f"{name}.yml").read_text("utf-8")))


def _flat(tasks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _flat(task.get(part, []))


def _modules(name: str) -> tuple[str, ...]:
    """Those of ours that a task file calls."""
    called = [key for task in _tasks(name) for key in task if key.startswith(_OURS)]
    return tuple(dict.fromkeys(key[len(_OURS) :] for key in called))


def _is_on_host(name: str) -> bool:
    """A step that does not run once for all hosts runs on each."""
    return not all(task.get("run_once") for task in _tasks(name) if any(key.startswith(_OURS) for key in task))


# What is drawn


def _lanes(bottom: int) -> Iterator[str]:
    for (left, width), title, below in (
        (CA, "CA", ""),
        (CONTROL, "control node", "once for all hosts"),
        (HOST, "host", "python3, openssl, nginx"),
    ):
        yield f'<rect class="lane" x="{left - 10}" y="10" width="{width + 20}" height="{bottom - 10}" rx="8"/>'
        yield _text(left + width / 2, 34, title, "title", "middle")
        if below:
            yield _text(left + width / 2, 54, below, "quiet", "middle")


def _row(steps: list[Step], number: int) -> Iterator[str]:
    step, verb, y = steps[number], VERBS[steps[number].name], _top(number)
    left, width = HOST if step.on_host else CONTROL
    kinds = f"box{' host' if step.on_host else ''}{' aside' if verb.aside else ''}"
    yield f'<rect class="{kinds}" x="{left}" y="{y}" width="{width}" height="{BOX}" rx="6"/>'
    yield _text(left + 10, y + 18, step.name, "verb")
    yield _text(left + width - 10, y + 18, ", ".join(step.modules), "code", "end")
    yield _text(left + 10, y + 35, verb.promise, "quiet")
    yield from _outside(verb, y + BOX / 2)
    for following in _next(steps, number):
        yield from _on(steps, number, following)


def _outside(verb: Verb, middle: float) -> Iterator[str]:
    """What is asked of a CA, and of a host by those who are no administrators."""
    ends = (CA[0] + CA[1], CONTROL[0] - 3)
    if verb.ca:
        start, stop = ends if verb.ca[0] == "←" else ends[::-1]
        yield _arrow(f"M{start} {middle:g} H{stop}")
        yield _text(CA[0] + CA[1] - 6, middle + 4, verb.ca[2:], "quiet", "end")
    if verb.client:
        yield _arrow(f"M{CONTROL[0] + CONTROL[1]} {middle:g} H{HOST[0] + 8}", "ask")
        yield _text(HOST[0] + 16, middle + 4, verb.client, "quiet")


def _next(steps: list[Step], number: int) -> Iterator[int]:
    """The step after this one, and from the main way also the first of those beside it."""
    after = range(number + 1, len(steps))
    main = next((one for one in after if not VERBS[steps[one].name].aside), None)
    if after and main != number + 1:
        yield number + 1
    if main is not None and (main == number + 1 or not VERBS[steps[number].name].aside):
        yield main


def _on(steps: list[Step], number: int, following: int) -> Iterator[str]:
    """To another step: straight down, or across with what crosses the wire."""
    step, end = steps[number], _top(following)
    start = _top(number) + BOX
    kind = "ask" if VERBS[step.name].aside or VERBS[steps[following].name].aside else ""
    if step.on_host == steps[following].on_host:
        left, width = HOST if step.on_host else CONTROL
        yield _arrow(f"M{left + width / 2:g} {start} V{end - 1}", kind)
        return
    sides = (CONTROL[0] + CONTROL[1], HOST[0])
    leave, arrive = sides[::-1] if step.on_host else sides
    between = CONTROL[0] + CONTROL[1] + 30
    yield _arrow(f"M{leave} {start - 8} H{between} V{end + 10} H{arrive}", kind)
    yield _text(between + 6, (start + end) / 2 + 6, VERBS[step.name].adds, "quiet")


def _top(number: int) -> int:
    return TOP + ROW * number


def _others(y: int) -> Iterator[str]:
    for row, (name, text) in enumerate(OTHERS.items()):
        yield _text(20 + row % 2 * WIDTH / 2, y + row // 2 * 20, f"{name}: {text}", "quiet")


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _arrow(path: str, kind: str = "") -> str:
    return f'<path class="{f"flow {kind}".strip()}" d="{path}" marker-end="url(#to)"/>'
