# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long rotations take on the hosts of a lab, beside `ansible all -m ping` on the same hosts. Runs in the lab."""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

from tests.support.lab_world import CA_ADDRESS, CA_PORT, LabWorld

CALLBACKS = Path(__file__).resolve().parent / "callback_plugins"
ROTATION_GOAL = 3.5
NOTHING_DUE_GOAL = 1.3
EXECUTIONS_GOAL = 3
STEP_GOAL_MS = 15
# A usual host: two names on port 443, IPv4 and IPv6.
DECLARED = {
    "rotate_certificates": [
        {
            "name": "shop",
            "server_names": ["{{ lab_fqdn }}", "shop.{{ lab_fqdn }}"],
            "listeners": [{"address": "{{ lab_ipv4 }}", "port": 443}, {"address": "{{ lab_ipv6 }}", "port": 443}],
        }
    ]
}


WEB_SERVER = """
user root;
daemon off;
pid {place}/pid;
error_log {place}/error.log;
events {{}}
http {{
    access_log off;
    server {{
        listen {address}:{port};
        root {root};
        merge_slashes off;
        types {{ application/pkix-crl crl; application/pkix-cert crt; }}
        location /ocsp/ {{ types {{}} default_type application/ocsp-response; }}
    }}
}}
"""


def main() -> int:
    options = parser().parse_args()
    with LabWorld(DECLARED) as world, published_by_nginx(world):
        world.create_ca()
        world.first_certificates()
        rows = measure(world, options.rounds)
    options.result.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


@contextlib.contextmanager
def published_by_nginx(world: LabWorld) -> Iterator[None]:
    """What the CA publishes comes from a web server, as it does at users: the tests' own in Python takes processor time
    that the bench would count as the collection's."""
    world.publisher.__exit__()
    place = world.place / "web"
    place.mkdir()
    (place / "nginx.conf").write_text(
        WEB_SERVER.format(place=place, root=world.published, address=CA_ADDRESS, port=CA_PORT)
    )
    server = subprocess.Popen(["nginx", "-p", str(place), "-c", str(place / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        wait_for(CA_ADDRESS, CA_PORT)
        yield
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str, port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--result", type=Path, required=True)
    return options


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


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def row(name: str, hosts: int, seconds: float, floor: float, goal: float) -> dict[str, Any]:
    return {
        "name": name, "hosts": hosts, "seconds": round(seconds, 3), "floor": "ansible all -m ping",
        "floor_seconds": round(floor, 3), "ratio": round(seconds / floor, 3), "goal": goal,
        "ok": seconds / floor <= goal,
    }  # fmt: skip


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
