# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a revocation to a run: how long after the CA has published it does ansible-rulebook start to rotate?

Real parts on loopback: an internal CA, an nginx for each host, ansible-rulebook with the rulebook of this collection.
Each revocation is published right after a poll, the worst moment: nearly a whole interval passes before the next.
The clock starts with the CRL in the published folder (its mtime) and stops with the play's first line. The slowest
counts. What it is compared with is the goal itself: one interval and three seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

INTERVAL = 5.0
BESIDES = 3.0
PLAY = "PLAY [Rotate what is due]"


def main() -> int:
    options = parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-events-") as folder:
        seconds = measured(Path(folder), options.rounds)
    print("seconds from published to started: " + ", ".join(f"{one:.2f}" for one in seconds))
    options.result.write_text(json.dumps([row(max(seconds), len(seconds))]))
    return 0


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--result", type=Path, default=ROOT / "build" / "events.json")
    return options


def row(seconds: float, hosts: int) -> dict[str, Any]:
    limit = INTERVAL + BESIDES
    return {
        "name": f"revocation published to play started (polled every {INTERVAL:g} s)",
        "hosts": hosts,
        "seconds": seconds,
        "floor": f"one interval + {BESIDES:g} s",
        "floor_seconds": limit,
        "ratio": seconds / limit,
        "goal": 1.0,
        "ok": seconds <= limit,
    }


def measured(folder: Path, rounds: int) -> list[float]:
    from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
    from ansible_collections.certops.rotation.tests.support.rulebook import Rulebook

    with LocalFleet(folder / "fleet") as fleet:
        fleet.make_ca()
        fleet.start([f"web{number}" for number in range(1, rounds + 1)])
        given = {
            "certops_endpoints": [endpoint(host, nginx) for host, nginx in fleet.fleet.items()],
            "certops_interval": INTERVAL,
            "certops_state_path": str(fleet.place / "state" / "events.json"),
            "rotate_issuers": fleet.issuers,
        }
        with Rulebook(fleet.place, fleet.inventory(), given) as rulebook:
            return [latency(fleet, rulebook, host) for host in fleet.fleet]


def endpoint(host: str, nginx: Any) -> dict[str, Any]:
    [vhost] = nginx.vhosts
    place = {"address": "127.0.0.1", "port": vhost.port, "server_name": vhost.names[0]}
    return {"host": host, "name": "shop", "issuer": "internal", **place}


def latency(fleet: Any, rulebook: Any, host: str) -> float:
    """Seconds from the published CRL to the play; it is over when this returns."""
    rulebook.polled()
    before = rulebook.output.count(PLAY)
    fleet.revoke(host)
    published = (fleet.published / "intermediate.crl").stat().st_mtime
    while rulebook.output.count(PLAY) == before:
        if time.time() - published > 60:
            raise SystemExit(f"no play was started: {rulebook.output[-5000:]}")
        time.sleep(0.02)
    seconds = time.time() - published
    plays = before + 1
    rulebook.wait(lambda: rulebook.output.count("PLAY RECAP") >= plays, "end of the play")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
