# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's daily check and a rotation of all of it, beside a ping and the same job done with community.crypto.

Runs in the lab. Each round is a ping, a check with nothing wrong, a rotation of what has just been revoked, and the
peer's rotation (tests/bench/peer); the medians count. Revoking before is not counted. What the peer doesn't do: a look
at every place, a proof, revocation, a report.
"""

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
from tests.bench.peer import community_crypto  # noqa: E402
from tests.support.lab_world import LabWorld  # noqa: E402

PEER = Path(__file__).resolve().parent / "peer"
CHECK_GOAL = 0.3
ROTATION_GOAL = 3.5
PEER_GOAL = 0.333
# Stands in for ssh while the check runs: whoever starts it is found out, and gets nowhere.
NO_SSH = '#!/bin/sh\necho "$@" >> {calls}\nexit 255\n'


def main() -> int:
    options = in_lab.parser(__doc__).parse_args()
    with in_lab.usual_hosts() as world:
        fleet = Fleet(world)
        fleet.prepare_peer()
        rounds = [measured_round(fleet, number + 1) for number in range(options.rounds)]
    in_lab.write(options.result, rows(len(world.hosts), rounds))
    return 0


class Fleet:
    """What is done to all hosts of the lab, one thing after the other."""

    def __init__(self, world: LabWorld) -> None:
        self.world = world
        self.ping = world.ping
        self.ssh_calls = world.place / "ssh-calls"
        self.no_ssh = world.place / "no-ssh"
        self.no_ssh.write_text(NO_SSH.format(calls=self.ssh_calls))
        self.no_ssh.chmod(0o755)
        self.peer_variables = json.dumps(
            {
                "peer_hosts": "lab",
                "peer_ca": str(world.place / "peer-ca"),
                "peer_folder": "/etc/nginx/peer",
                "peer_port": 9443,
                "peer_address": "{{ lab_ipv4 }}",
                "peer_server_names": ["{{ lab_fqdn }}", "shop.{{ lab_fqdn }}"],
            }
        )

    def check(self) -> float:
        """A check that finds nothing wrong, without any ssh to start."""
        check = ("certops.rotation.check", "-e", f"ansible_ssh_executable={self.no_ssh}")
        seconds = timed(lambda: self.world.must(self.world.play(*check)))
        if self.ssh_calls.exists():
            raise SystemExit(f"the check connected to a host: {self.ssh_calls.read_text()}")
        found = [each["before"]["verdict"]["status"] for each in self.world.report()["rotations"]]
        if found != ["good"] * len(self.world.hosts):
            raise SystemExit(f"hosts that should be well are not: {found}")
        return seconds

    def rotate(self) -> float:
        self.world.revoke_all()
        return timed(lambda: self.world.rotate(expect_changed=True))

    def prepare_peer(self) -> None:
        if not community_crypto.is_there():
            raise SystemExit(f"first, outside the lab: python {community_crypto.__file__}")
        community_crypto.give_library(self.world.roots().values())
        self._peer("prepare.yml")
        self.rotate_as_peer()

    def rotate_as_peer(self) -> float:
        before = self.peer_certificates()
        seconds = timed(lambda: self._peer("rotate.yml"))
        if before & self.peer_certificates():
            raise SystemExit("the peer left a certificate as it was")
        return seconds

    def peer_certificates(self) -> set[bytes]:
        """Those that lie on the hosts; that they are served is for the playbook's own last task to say."""
        files = (root / "etc/nginx/peer/shop.crt" for root in self.world.roots().values())
        return {file.read_bytes() for file in files if file.exists()}

    def _peer(self, name: str) -> None:
        environment = {"ANSIBLE_COLLECTIONS_PATH": str(community_crypto.COLLECTIONS)}
        self.world.must(self.world.play(PEER / name, "-e", self.peer_variables, **environment))


def measured_round(fleet: Fleet, number: int) -> dict[str, float]:
    if number == 1:  # fill caches, open connections
        fleet.ping()
        fleet.check()
    seconds = {
        "ping": timed(fleet.ping),
        "check": fleet.check(),
        "rotation": fleet.rotate(),
        "peer": fleet.rotate_as_peer(),
    }
    took = ", ".join(f"{what} {each:.2f} s" for what, each in seconds.items())
    print(f"round {number}: {took} (load {in_lab.load():.1f})", flush=True)
    return seconds


def rows(hosts: int, rounds: list[dict[str, float]]) -> list[dict[str, Any]]:
    ping, check, rotation, peer = (
        statistics.median(each[what] for each in rounds) for what in ("ping", "check", "rotation", "peer")
    )
    return [
        row("check.yml, all well, no ssh started", hosts, check, ping, CHECK_GOAL),
        row("rotate.yml, every certificate revoked", hosts, rotation, ping, ROTATION_GOAL),
        row("rotate.yml, beside community.crypto", hosts, rotation, peer, PEER_GOAL, "community.crypto playbook"),
        row("community.crypto playbook", hosts, peer, ping, None),
    ]


if __name__ == "__main__":
    sys.exit(main())
