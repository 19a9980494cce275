# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""50 certificates from Pebble by one playbook run, beside the same 50 orders by one process with the bare acme library.

The playbook has the one task that issues, certificate_issue; measured is ansible-playbook from start to end. The floor
is a Python process with 16 threads and nothing but the library: account, order, challenge, finalize, download.
Keys and requests are made before. Both use the same server, which validates without pauses, and answer http-01 from
the same folder. Each round is one of each, with requests of its own; the medians count.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

from tests.support import playbook
from tests.support.challenge_folder import ChallengeFolder
from tests.support.pebble import Pebble
from tests.support.pki import make_csr, make_key

Orders = list[tuple[str, str]]
Run = Callable[[Path, Pebble, ChallengeFolder, Orders], None]

CERTIFICATES = 50
THREADS = 16
GOAL = 1.5

PLAYBOOK = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Issue",
                "certops.rotation.certificate_issue": {"rotations": "{{ rotations }}", "issuers": "{{ issuers }}"},
            }
        ],
    }
]


def main() -> int:
    options = parser().parse_args()
    if options.floor:
        with_bare_library(json.loads(options.floor.read_text()))
        return 0
    with tempfile.TemporaryDirectory() as place:
        rows = measured(Path(place), options.rounds)
    options.result.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--floor", type=Path, help="order what this file says with the bare library, in this process")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--result", type=Path, default=ROOT / "build" / "bench" / "acme_orders.json")
    return options


def measured(place: Path, rounds: int) -> list[dict[str, Any]]:
    own, floors = [], []
    with Pebble(place / "pebble") as pebble, ChallengeFolder(place / "web", pebble.http_port) as folder:
        for number in range(rounds + 1):
            orders = [(name, make_csr([name], make_key())) for name in names(number)]
            floor, mine = (timed(run, place, pebble, folder, orders) for run in (floor_run, playbook_run))
            if number:  # the first of each only fills caches
                floors.append(floor)
                own.append(mine)
                print(f"round {number}: bare library {floor:.2f} s, playbook {mine:.2f} s", flush=True)
    seconds, floor = statistics.median(own), statistics.median(floors)
    return [
        {
            "name": f"{CERTIFICATES} certificates by ACME, one playbook run",
            "hosts": CERTIFICATES,
            "seconds": round(seconds, 3),
            "floor": f"bare acme library, {THREADS} threads",
            "floor_seconds": round(floor, 3),
            "ratio": round(seconds / floor, 3),
            "goal": GOAL,
            "ok": seconds / floor <= GOAL,
        }
    ]


def names(number: int) -> list[str]:
    return [f"shop{index}.round{number}.example.org" for index in range(CERTIFICATES)]


def timed(run: Run, place: Path, pebble: Pebble, folder: ChallengeFolder, orders: Orders) -> float:
    started = time.monotonic()
    run(place, pebble, folder, orders)
    return time.monotonic() - started


def playbook_run(place: Path, pebble: Pebble, folder: ChallengeFolder, orders: Orders) -> None:
    rotations = [
        {"name": name, "server_names": [name], "issuer": "pebble", "prepared": {"csr_pem": csr}} for name, csr in orders
    ]
    variables = {
        "rotations": {"localhost": rotations},
        "issuers": {"pebble": pebble.issuer(challenge=folder.challenge, concurrency=THREADS)},
    }
    (place / "issue.yml").write_text(json.dumps(PLAYBOOK))
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = playbook.write_inventory(place / "inventory.yml", {"localhost": host}, variables)
    run = playbook.run(place / "issue.yml", inventory, cwd=place, timeout=300)
    if run.returncode or run.changed != {"localhost": 1}:
        raise SystemExit(run.output)


def floor_run(place: Path, pebble: Pebble, folder: ChallengeFolder, orders: Orders) -> None:
    given = {
        "directory": pebble.directory_url,
        "trust": str(pebble.ca_bundle),
        "folder": str(folder.folder),
        "orders": orders,
    }
    (place / "orders.json").write_text(json.dumps(given))
    subprocess.run([sys.executable, __file__, "--floor", str(place / "orders.json")], check=True, timeout=300)


def with_bare_library(given: dict[str, Any]) -> None:
    """As the library's own documentation has it."""
    import josepy
    from acme import challenges, client, messages
    from cryptography.hazmat.primitives.asymmetric import ec

    key = josepy.JWKEC(key=josepy.ComparableECKey(ec.generate_private_key(ec.SECP256R1())))

    def network() -> Any:
        return client.ClientNetwork(key, alg=josepy.ES256, verify_ssl=given["trust"])

    first = client.ClientV2(client.ClientV2.get_directory(given["directory"], network()), network())
    account = first.new_account(messages.NewRegistration(terms_of_service_agreed=True))

    def issue(order: tuple[str, str]) -> str:
        # A network each: the library's pool of nonces is not made for threads.
        acme = client.ClientV2(first.directory, network())
        acme.net.account = account
        made = acme.new_order(order[1].encode())
        [authorization] = made.authorizations
        [challenge] = [one for one in authorization.body.challenges if isinstance(one.chall, challenges.HTTP01)]
        response, content = challenge.response_and_validation(key)
        token = Path(given["folder"]) / challenge.chall.encode("token")
        token.write_text(content)
        acme.answer_challenge(challenge, response)
        done = acme.poll_and_finalize(made)
        token.unlink()
        return str(done.fullchain_pem)

    with ThreadPoolExecutor(THREADS) as pool:
        chains = list(pool.map(issue, given["orders"]))
    if not all("BEGIN CERTIFICATE" in chain for chain in chains):
        raise SystemExit("a certificate is missing")


if __name__ == "__main__":
    sys.exit(main())
