# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the progress callback adds to a rotation of 50 hosts, on a terminal, where it has the most to do.

Runs in the lab. Each round is a rotation without it, two with it, and one without, of what has just been revoked. Two
in a hundred are less than what wall time and even processor time differ by from run to run, so what counts are the
instructions that the control node executes (ansible-playbook, its forks and ssh; perf counts them). Where there is no
perf, processor time stands in.
"""

from __future__ import annotations

import dataclasses
import os
import pty
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

from tests.bench import in_lab  # noqa: E402
from tests.support import playbook  # noqa: E402
from tests.support.lab_world import LabWorld  # noqa: E402

GOAL = 1.02
TIMEOUT = 600
PLAIN: dict[str, str] = {}
PROGRESS = {"ANSIBLE_CALLBACKS_ENABLED": "certops.rotation.progress"}


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one run of the control node."""

    wall: float
    processor: float
    instructions: float | None

    def __str__(self) -> str:
        counted = f", {self.instructions / 1e9:.2f} G instructions" if self.instructions else ""
        return f"{self.wall:.2f} s, {self.processor:.2f} s of processor{counted}"


def main() -> int:
    options = in_lab.parser(__doc__).parse_args()
    with in_lab.usual_hosts() as world:
        rotate(world, PROGRESS)  # fill caches
        rounds = [measured_round(world, number + 1) for number in range(options.rounds)]
    in_lab.write(options.result, rows(len(world.hosts), rounds))
    return 0


def measured_round(world: LabWorld, number: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {"without": [], "with": []}
    for which in ("without", "with", "with", "without"):
        costs[which].append(rotate(world, PROGRESS if which == "with" else PLAIN))
        print(f"round {number}: {which} {costs[which][-1]} (load {in_lab.load():.1f})", flush=True)
    return costs


def rotate(world: LabWorld, environment: dict[str, str]) -> Cost:
    """One rotation of everything on a terminal that nobody is slow to read."""
    world.revoke_all()
    counted = world.place / "instructions"
    counted.unlink(missing_ok=True)
    perf = shutil.which("perf")
    counter = [perf, "stat", "-x,", "-e", "instructions:u,instructions:k", "-o", str(counted), "--"] if perf else []
    command = [*counter, playbook.command(), "-i", str(world.inventory), "certops.rotation.rotate"]
    started = time.monotonic()
    written, processor = on_terminal(command, world.place, playbook.environment(ANSIBLE_FORKS="20", **environment))
    wall = time.monotonic() - started
    if (b"hosts done" in written) != bool(environment) or b"changed=0 " in written:
        raise SystemExit(f"not the run that was to be measured:\n{written.decode(errors='replace')[-4000:]}")
    return Cost(wall, processor, instructions(counted))


def on_terminal(command: list[str], place: Path, environment: dict[str, str]) -> tuple[bytes, float]:
    """What it wrote, and the processor time of it and of all that it waited for."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    deadline = threading.Timer(TIMEOUT, process.kill)
    deadline.start()
    written = b""
    try:
        while block := os.read(ours, 65536):
            written += block
    except OSError:  # the other end is closed
        pass
    _pid, status, used = os.wait4(process.pid, 0)
    deadline.cancel()
    os.close(ours)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: {process.returncode}\n{written.decode(errors='replace')[-4000:]}")
    return written, used.ru_utime + used.ru_stime


def instructions(counted: Path) -> float | None:
    """As perf wrote them; None where this machine does not let it count."""
    if not counted.is_file():
        return None
    lines = [line.split(",") for line in counted.read_text().splitlines() if "instructions" in line]
    counts = [float(line[0]) for line in lines if line[0].isdigit()]
    return sum(counts) if len(counts) == 2 else None


def rows(hosts: int, rounds: list[dict[str, list[Cost]]]) -> list[dict[str, Any]]:
    """Instructions have the goal; wall time is there to be read beside them."""
    are_counted = all(cost.instructions for costs in rounds for each in costs.values() for cost in each)
    what, name = ("instructions", "instructions") if are_counted else ("processor", "processor time")
    counted = row(hosts, rounds, f"progress callback on a terminal, {name}", what, GOAL)
    if are_counted:
        counted |= {
            "seconds": round(counted["seconds"] / 1e9, 3),
            "floor_seconds": round(counted["floor_seconds"] / 1e9, 3),
        }
        counted["unit"] = "G"
    return [counted, row(hosts, rounds, "progress callback on a terminal, wall time", "wall", None)]


def row(hosts: int, rounds: list[dict[str, list[Cost]]], name: str, what: str, goal: float | None) -> dict[str, Any]:
    """The median round counts: its two rotations with the callback beside its two without."""
    pairs = [
        [statistics.mean(getattr(cost, what) for cost in costs[each]) for each in ("with", "without")]
        for costs in rounds
    ]
    measured, floor = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
    return in_lab.row(name, hosts, measured, floor, goal, "the same rotation without it")


if __name__ == "__main__":
    sys.exit(main())
