# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host costs when there are more of them: rotations of the first 10, 20, 50, 100 … hosts of one lab.

Runs in the lab. Every size is measured in every round, beside a ping of the same hosts, and the small ones twice; the
medians count. Beside the time: processor time of the control node (with its ssh, without the hosts), and the memory of
ansible-playbook itself, most of which its forks share. All of it goes to build/bench/scale.json, for plots.py.
"""

from __future__ import annotations

import contextlib
import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

from tests.bench import in_lab  # noqa: E402
from tests.bench.in_lab import timed  # noqa: E402
from tests.support.lab_world import LabWorld  # noqa: E402

CALLBACKS = Path(__file__).resolve().parent / "callback_plugins"
DETAILS = ROOT / "build" / "bench" / "scale.json"
SIZES = (10, 20, 50, 100, 200)
SMALL = 50
FLAT_GOAL = 1.2


def main() -> int:
    options = in_lab.parser(__doc__).parse_args()
    with in_lab.usual_hosts() as world:
        found = measured_sizes(world, options.rounds)
    DETAILS.write_text(json.dumps(found, indent=2) + "\n")
    in_lab.write(options.result, rows(found))
    return 0


def measured_sizes(world: LabWorld, rounds: int) -> list[dict[str, Any]]:
    """The medians, smallest size first."""
    sizes = [size for size in SIZES if size <= len(world.hosts)]
    samples: dict[int, list[dict[str, Any]]] = {size: [] for size in sizes}
    for number in range(rounds):
        for size in [*sizes, *(size for size in sizes if size <= SMALL)]:
            with only_first(world, size):
                samples[size].append(sample := measured(world))
            took = ", ".join(f"{what} {sample[what]:.2f}" for what in ("ping", "rotation", "processor", "megabytes"))
            print(f"round {number + 1}, {size} hosts: {took} (load {in_lab.load():.1f})", flush=True)
    return [{"hosts": size, **medians(of_size)} for size, of_size in samples.items()]


@contextlib.contextmanager
def only_first(world: LabWorld, size: int) -> Iterator[None]:
    """The world with an inventory of so many hosts; those that are left out are idle."""
    everyone, inventory = world.hosts, world.inventory / "lab.yml"
    world.hosts = dict(list(everyone.items())[:size])
    described = yaml.safe_load(world.lab_inventory.read_text())
    described["all"]["children"]["lab"]["hosts"] = world.hosts
    inventory.unlink()
    inventory.write_text(json.dumps(described))
    try:
        yield
    finally:
        world.hosts = everyone


def measured(world: LabWorld) -> dict[str, Any]:
    ping = timed(world.ping)
    world.revoke_all()
    steps = world.place / "steps.json"
    before, started = processor_seconds(), time.monotonic()
    megabytes = rotate(world, steps)
    return {
        "ping": ping,
        "rotation": time.monotonic() - started,
        "processor": processor_seconds() - before,
        "megabytes": megabytes,
        "steps": {task["task"].rpartition(" : ")[2]: task["seconds"] for task in json.loads(steps.read_text())},
    }


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rotate(world: LabWorld, steps: Path) -> float:
    """Rotate all hosts; the most memory that ansible-playbook's own process had, in MB."""
    environment = {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "task_seconds",
        "TASK_SECONDS": str(steps),
    }
    with world.start("certops.rotation.rotate", **environment) as process:
        watch = threading.Thread(target=note_memory, args=(process, noted := [0.0]), daemon=True)
        watch.start()
        output, _nothing = process.communicate(timeout=900)
        watch.join()
    if process.returncode or output.count("changed=0 "):
        raise SystemExit(output)
    return max(noted)


def note_memory(process: subprocess.Popen[str], noted: list[float]) -> None:
    """The kernel's own high-water mark, read as long as the process lives."""
    while True:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            return
        lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        if not lines:  # it has ended
            return
        noted.append(int(lines[0].split()[1]) * 1024 / 1e6)
        time.sleep(0.2)


def medians(samples: list[dict[str, Any]]) -> dict[str, Any]:
    figures = {
        what: round(statistics.median(sample[what] for sample in samples), 3)
        for what in ("ping", "rotation", "processor", "megabytes")
    }
    steps = {
        name: statistics.median(sample["steps"].get(name, 0.0) for sample in samples) for name in samples[0]["steps"]
    }
    return {**figures, "steps": {name: round(seconds, 3) for name, seconds in steps.items()}, "samples": len(samples)}


def rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Seconds a host, of each size beside the cheapest of those that are smaller: what may not grow."""
    each = {size["hosts"]: size["rotation"] / size["hosts"] for size in found}
    return [
        in_lab.row(
            f"rotate.yml of {hosts} hosts, for each of them", hosts, seconds,
            min(other for smaller, other in each.items() if smaller < hosts), FLAT_GOAL, "of the cheapest before",
        )
        for hosts, seconds in list(each.items())[1:]
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
