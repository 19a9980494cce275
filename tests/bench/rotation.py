# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long rotations take on the hosts of a lab, beside `ansible all -m ping` on the same hosts. Runs in the lab."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

from tests.bench import in_lab  # noqa: E402
from tests.bench.in_lab import row, timed  # noqa: E402
from tests.support.lab_world import LabWorld  # noqa: E402

CALLBACKS = Path(__file__).resolve().parent / "callback_plugins"
ROTATION_GOAL = 3.5
NOTHING_DUE_GOAL = 1.3
EXECUTIONS_GOAL = 3
STEP_GOAL_MS = 15


def main() -> int:
    options = in_lab.parser(__doc__).parse_args()
    with in_lab.usual_hosts() as world:
        in_lab.write(options.result, measure(world, options.rounds))
    return 0


def measure(world: LabWorld, rounds: int) -> list[dict[str, Any]]:
    pings: list[float] = []
    idles: list[float] = []
    rotations: list[float] = []
    executions: list[float] = []
    steps: list[Path] = []
    timed(world.ping)
    for number in range(rounds):
        pings.append(timed(world.ping))
        idles.append(timed(lambda: world.rotate(expect_changed=False)))
        world.revoke_all()
        executed = world.module_executions()
        rotations.append(timed(lambda: world.rotate(expect_changed=True, **steps_into(world, steps))))
        executions.append((world.module_executions() - executed) / len(world.hosts))
        took = f"ping {pings[-1]:.2f} s, nothing due {idles[-1]:.2f} s, rotation {rotations[-1]:.2f} s"
        print(f"round {number + 1}: {took}", flush=True)
    floor = statistics.median(pings)
    hosts = len(world.hosts)
    return [
        row("rotate.yml, every certificate revoked", hosts, statistics.median(rotations), floor, ROTATION_GOAL),
        row("rotate.yml, nothing due", hosts, statistics.median(idles), floor, NOTHING_DUE_GOAL),
        *step_rows(world, steps),
        {
            "name": "module executions on a host per rotation", "hosts": hosts, "seconds": 0.0, "floor": "none",
            "floor_seconds": 0.0, "ratio": max(executions), "goal": EXECUTIONS_GOAL,
            "ok": max(executions) <= EXECUTIONS_GOAL,
        },
    ]  # fmt: skip


def steps_into(world: LabWorld, steps: list[Path]) -> dict[str, str]:
    steps.append(world.place / f"steps{len(steps)}.json")
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "task_seconds",
        "TASK_SECONDS": str(steps[-1]),
    }


def step_rows(world: LabWorld, files: list[Path]) -> list[dict[str, Any]]:
    """The steps of the control node: those that run once for all hosts, per host."""
    seconds: dict[str, list[float]] = {}
    for file in files:
        for task in json.loads(file.read_text()):
            seconds.setdefault(task["task"].rpartition(" : ")[2], []).append(task["seconds"])
    rows = []
    for name in world.fleet_steps():
        each = statistics.median(seconds[name]) / len(world.hosts)
        goal = STEP_GOAL_MS / 1000
        rows.append({
            "name": f"step: {name}", "hosts": len(world.hosts), "seconds": round(each, 4), "floor": "15 ms a host",
            "floor_seconds": goal, "ratio": round(each / goal, 3), "goal": 1, "ok": each <= goal,
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    sys.exit(main())
