# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a revocation at the CA to the new certificate that is served, by ansible-rulebook and nothing of a person's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Receipt, Revocation
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.rulebook import Rulebook, why_no_rulebook

pytestmark = pytest.mark.skipif(why_no_rulebook() is not None, reason=str(why_no_rulebook()))

HOSTS = ["web1", "web2", "web3"]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    with LocalFleet(tmp_path / "fleet") as made:
        made.make_ca()
        made.start([*HOSTS, "web4"])
        made.unreachable = {"web3"}
        yield made


def variables(fleet: LocalFleet) -> dict[str, object]:
    endpoints = [
        {"host": host, "name": "shop", "address": "127.0.0.1", "port": nginx.vhosts[0].port,
         "server_name": "shop.example.org", "issuer": "internal"}
        for host, nginx in fleet.fleet.items()
    ]  # fmt: skip
    return {
        "certops_endpoints": endpoints,
        "certops_interval": 1,
        "certops_state_path": str(fleet.place / "state" / "events.json"),
        "rotate_issuers": fleet.issuers,
    }


def revoke_together(fleet: LocalFleet, hosts: list[str]) -> None:
    """The CA publishes them in one CRL."""
    leaves = [fleet.chain_of(host).partition("-----END CERTIFICATE-----\n") for host in hosts]
    revocations = [Revocation(leaf + end, "keyCompromise") for leaf, end, _chain in leaves]
    receipts = open_issuer("internal", fleet.issuers).revoke(revocations)
    assert all(isinstance(one, Receipt) for one in receipts), receipts


def runs(fleet: LocalFleet) -> int:
    """How often rotate has run: each time, it leaves a report."""
    return sum(1 for one in (fleet.place / "reports").iterdir() if one.is_dir() and not one.is_symlink())


def recap(rulebook: Rulebook) -> set[str]:
    """The hosts in the last lines of a run."""
    return set(re.findall(r"^(web\d) +: ok=.* ignored=", rulebook.output.partition("PLAY RECAP")[2], re.MULTILINE))


def test_mass_revocation_is_one_run_told_once_even_if_it_failed_and_all_was_killed(fleet: LocalFleet) -> None:
    before = {host: fleet.served_by(host).serial for host in fleet.fleet}
    with Rulebook(fleet.place, fleet.inventory(), variables(fleet)) as rulebook:
        rulebook.polled()
        assert set(rulebook.polls) == {(0, 4)}
        revoke_together(fleet, HOSTS)
        rulebook.wait(lambda: len(recap(rulebook)) >= len(HOSTS), "run of rotate")
        # One run for all three; the one that could not be logged in to failed, the fourth was left alone.
        assert recap(rulebook) == set(HOSTS) and runs(fleet) == 1
        after = {host: fleet.served_by(host).serial for host in fleet.fleet}
        assert {host for host in before if after[host] != before[host]} == {"web1", "web2"}
        assert len(fleet.ordered()) == 2
        # The third is revoked and served still. It was told, and so it is not told again,
        rulebook.polled(2)
        assert runs(fleet) == 1 and rulebook.polls.count((3, 4)) == 1 and rulebook.polls[-1] == (0, 4)
        # not even by a rulebook that knows of it from disk alone.
        rulebook.kill()
        rulebook.start()
        rulebook.polled(2)
        assert set(rulebook.polls) == {(0, 4)} and runs(fleet) == 1
        state = fleet.place / "state" / "events.json"
        assert state.stat().st_mode & 0o777 == 0o600 and "PRIVATE" not in rulebook.output + state.read_text()
