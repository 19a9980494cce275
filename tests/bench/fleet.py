# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`fleet_status` of 1,000 and of 10,000 endpoints on a local nginx: time and memory.

Every endpoint has a server name and a certificate of its own, issued by an intermediate CA; one in a hundred is
revoked. The floor is the same handshakes by the same code, as many at a time, with nothing read of what they show. Each
measurement is a process of its own; the fastest and the largest count. Starting Python and Ansible is not in it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

FEW, MANY = 1_000, 10_000
FEW_TIMES = 4
"""a round; half a second is easily disturbed"""
ONE_REVOKED_IN = 100
NAMES_OF_A_HOST = 10
CONCURRENCY = 32
TIME_GOAL = 1.3
LINEAR_GOAL = 1.2
MEMORY_GOAL_MB = 300


def main() -> int:
    options = parser().parse_args()
    if options.measure:
        world = json.loads(options.world.read_text())
        print(json.dumps(MEASUREMENTS[options.measure](world, options.endpoints)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-fleet-") as folder:
        rows = in_world(Path(folder), options.rounds)
    options.result.write_text(json.dumps(rows))
    return 0


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--measure", choices=["floor", "status"], help="one measurement, in this process")
    options.add_argument("--world", type=Path)
    options.add_argument("--endpoints", type=int, default=FEW)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--result", type=Path, default=ROOT / "build" / "fleet.json")
    return options


def in_world(folder: Path, rounds: int) -> list[dict[str, Any]]:
    from ansible_collections.certops.rotation.tests.support.http_server import HttpServer

    with HttpServer() as web:
        world = make_world(folder, web)
        with many_names(folder, world["port"]):
            return measured_rows(folder / "world.json", rounds)


def measured_rows(world: Path, rounds: int) -> list[dict[str, Any]]:
    measured: dict[tuple[str, int], list[dict[str, float]]] = {}
    for number in range(rounds):
        for endpoints, times in ((FEW, FEW_TIMES), (MANY, 1)):
            for what in times * list(MEASUREMENTS):
                measured.setdefault((what, endpoints), []).append(measure(what, world, endpoints))
        took = ", ".join(f"{what} {count:,}: {found[-1]['seconds']:.2f} s" for (what, count), found in measured.items())
        print(f"round {number + 1}: {took}", flush=True)
    seconds = {which: min(each["seconds"] for each in found) for which, found in measured.items()}
    megabytes = max(each["megabytes"] for each in measured["status", MANY])
    bare, each = "the same handshakes alone", "1,000 endpoints"
    return [
        row(f"fleet_status of {FEW:,} endpoints", seconds["status", FEW], bare, seconds["floor", FEW], TIME_GOAL),
        row(f"fleet_status of {MANY:,} endpoints", seconds["status", MANY], bare, seconds["floor", MANY], TIME_GOAL),
        row(
            f"fleet_status of {MANY:,} endpoints, for each 1,000",
            seconds["status", MANY] * FEW / MANY, each, seconds["status", FEW], LINEAR_GOAL,
        ),
        row(f"memory: fleet_status of {MANY:,} endpoints", megabytes, "300 MB", MEMORY_GOAL_MB, 1, unit="MB"),
    ]  # fmt: skip


def row(name: str, value: float, floor: str, floor_value: float, goal: float, unit: str = "s") -> dict[str, Any]:
    ratio = value / floor_value
    return {
        "name": name, "hosts": 1, "seconds": round(value, 3), "floor": floor, "floor_seconds": round(floor_value, 3),
        "ratio": round(ratio, 3), "goal": goal, "ok": ratio <= goal, "unit": unit,
    }  # fmt: skip


def measure(what: str, world: Path, endpoints: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", what, "--world", str(world), "--endpoints", str(endpoints)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])  # progress lines may come before
    return found


def measure_floor(world: dict[str, Any], endpoints: int) -> dict[str, float]:
    from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshakes

    wanted = [Endpoint("127.0.0.1", world["port"], name) for name in world["names"][:endpoints]]
    started = time.perf_counter()
    shaken = handshakes(wanted, timeout=10, concurrency=CONCURRENCY)
    seconds = time.perf_counter() - started
    if any(one.error or len(one.chain) != 2 for one in shaken):
        raise SystemExit("some handshakes failed")
    return {"seconds": seconds, "megabytes": peak_memory()}


def measure_status(world: dict[str, Any], endpoints: int) -> dict[str, float]:
    """The action as the role calls it, from its options to its result."""
    from ansible_collections.certops.rotation.plugins.action.fleet_status import ActionModule
    from ansible_collections.certops.rotation.tests.support.action import made_action

    names = world["names"][:endpoints]
    rotations = {
        f"web{number}": [declared(name, world["port"]) for name in names[number : number + NAMES_OF_A_HOST]]
        for number in range(0, endpoints, NAMES_OF_A_HOST)
    }
    arguments = {
        "rotations": rotations, "trust_anchors": [world["root"]], "cache_dir": "", "concurrency": CONCURRENCY,
        "packed": True,
    }  # fmt: skip
    action = made_action(ActionModule, arguments)
    started = time.perf_counter()
    result = action.run(task_vars={})
    seconds = time.perf_counter() - started
    summary, revoked = result["summary"], endpoints // ONE_REVOKED_IN
    if (summary["endpoints"], summary["revoked"], summary["good"]) != (endpoints, revoked, endpoints - revoked):
        raise SystemExit(f"wrong verdicts: {summary}")
    return {"seconds": seconds, "megabytes": peak_memory()}


MEASUREMENTS = {"floor": measure_floor, "status": measure_status}


def declared(name: str, port: int) -> dict[str, Any]:
    listeners = [{"address": "127.0.0.1", "port": port}]
    return {"name": name, "server_names": [name], "listeners": listeners, "key": {"type": "ecdsa"}}


def peak_memory() -> float:
    """Of this program and of the process it started, in MB: pages that both of them use count twice.

    What ``getrusage`` says of the program itself includes the process that started it.
    """
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return (int(line.split()[1]) + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / 1e6


def make_world(folder: Path, web: Any) -> dict[str, Any]:
    """Certificates with their chains as files, CRLs on the web, and a description for the other processes."""
    from ansible_collections.certops.rotation.tests.support.nginx import free_port
    from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem, make_key

    root = Authority.root()
    issuing = root.intermediate(crl_urls=[web.url("/root.crl")])
    key, names = make_key(), [f"name{number}.bench.example" for number in range(MANY)]
    revoked: dict[int, Any] = {}
    for number, name in enumerate(names):
        issued = issuing.issue([name], key=key, crl_urls=[web.url("/issuing.crl")])
        (folder / f"{name}.crt").write_text(issued.chain_pem)
        if number % ONE_REVOKED_IN == 0:
            revoked[issued.serial] = None
    web.put("/root.crl", root.crl())
    web.put("/issuing.crl", issuing.crl(revoked))
    (folder / "key.pem").write_text(key_pem(key))
    (folder / "root.pem").write_text(root.pem)
    world = {"port": free_port(), "names": names, "root": str(folder / "root.pem")}
    (folder / "world.json").write_text(json.dumps(world))
    return world


def many_names(folder: Path, port: int) -> Any:
    """An nginx with a server block for each certificate."""
    from ansible_collections.certops.rotation.tests.support.nginx import Nginx

    nginx = Nginx(folder / "nginx", [])
    nginx.start_timeout = 120
    listen, names = f"listen 127.0.0.1:{port} ssl", (f"name{number}.bench.example" for number in range(MANY))
    blocks = "".join(
        f"    server {{ {listen}; server_name {name}; ssl_certificate {folder}/{name}.crt; }}\n" for name in names
    )
    # One secret key for all: what is measured is the client.
    settings = f"server_names_hash_max_size 65536;\n    ssl_certificate_key {folder}/key.pem;\n"
    before, http, after = nginx.configuration.read_text().partition("http {\n")
    nginx.configuration.write_text(f"{before}{http}    {settings}{blocks}{after}")
    return nginx


if __name__ == "__main__":
    sys.exit(main())
