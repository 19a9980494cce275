# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks inside a lab share: usual hosts, a CA whose publications come from a web server, and a clock."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.lab_world import CA_ADDRESS, CA_PORT, LabWorld

FLOOR = "ansible all -m ping"
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


@contextlib.contextmanager
def usual_hosts() -> Iterator[LabWorld]:
    """The hosts of the lab this process runs in, each with a certificate of an internal CA."""
    with LabWorld(DECLARED) as world, published_by_nginx(world):
        world.create_ca()
        world.first_certificates()
        yield world


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


def parser(description: str | None) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--result", type=Path, required=True)
    return options


def write(result: Path, rows: list[dict[str, Any]]) -> None:
    result.write_text(json.dumps(rows, indent=2) + "\n")


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def row(
    name: str, hosts: int, seconds: float, floor_seconds: float, goal: float | None, floor: str = FLOOR
) -> dict[str, Any]:
    """A line of the table. Without a goal it is there to be read beside the others."""
    ratio = seconds / floor_seconds
    return {
        "name": name, "hosts": hosts, "seconds": round(seconds, 3), "floor": floor,
        "floor_seconds": round(floor_seconds, 3), "ratio": round(ratio, 3), "goal": goal,
        "ok": goal is None or ratio <= goal,
    }  # fmt: skip


def load() -> float:
    """How busy this machine has been in the last minute, with whatever."""
    return os.getloadavg()[0]
