# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA that returns something else than was ordered: each fault has its own code, and nothing is touched by it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.host_world import everything
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served

pytestmark = pytest.mark.each_core

HERE = Path(__file__).resolve().parent
CODES = {
    "other-name": "names_differ",
    "other-key": "key_mismatch",
    "expired": "chain_expired",
    "incomplete": "chain_incomplete",
    "untrusted": "chain_untrusted",
    "revoked": "issued_revoked",
    "predecessor": "key_mismatch",
}


class Host(LocalWorld):
    before: dict[str, Served]
    paths: dict[str, tuple[int, bytes | str]]
    run: playbook.Run

    def open(self) -> None:
        vhosts = {
            name: self.first_certificate(name, [f"{name}.example.org"], extra=self.snippet(name))
            for name in (*CODES, "right")
        }
        for name, vhost in vhosts.items():
            self.declare(name, vhost)
        self.start_nginx(list(vhosts.values()))
        self.before = {name: self.served(f"{name}.example.org") for name in vhosts}
        self.variables.update(
            rotate_force=True, doctor=[sys.executable, str(HERE / "doctor.py"), str(self.place / "ca")]
        )
        self.paths = everything(self.pairs)
        self.inventory()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("wrong") / "world") as world:
        world.make_ca()
        world.open()
        path = f"{playbook.COLLECTIONS}:{playbook.REPOSITORY}"
        world.run = world.play(HERE / "doctored.yml", PYTHONPATH=path)
        yield world


@pytest.mark.parametrize("name", CODES)
def test_refused_with_its_code_and_the_old_release_is_served(host: Host, name: str) -> None:
    assert host.run.returncode == 2
    error = host.rotation(name)["error"]
    assert (error["step"], error["code"]) == ("validate", CODES[name])
    assert host.served(f"{name}.example.org").serial == host.before[name].serial
    for path in (host.pairs / f"{name}.crt", host.pairs / f"{name}.key"):
        assert everything(host.pairs)[str(path)] == host.paths[str(path)]
    assert not (host.root / name / "live").exists()


def test_the_right_one_beside_them_is_rotated(host: Host) -> None:
    assert host.rotation("right")["outcome"] == "rotated"
    assert host.served("right.example.org").serial != host.before["right"].serial


def test_no_predecessor_of_a_refused_one_is_revoked(host: Host) -> None:
    reasons = {serial: reason for _name, serial, reason in host.ca_certificates()}
    assert {reasons[host.before[name].serial] for name in CODES} == {None}
