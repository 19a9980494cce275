# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rotate.yml with a real ACME server that validates by files in the host's web root, there only while it looks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble
from ansible_collections.certops.rotation.tests.support.plain_servers import ConfD

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")
NAMES = ["shop.example.org", "www.example.org"]


class WebrootWorld(LocalWorld):
    """A vhost for the certificate, and a block on the port that Pebble validates at, with a folder for challenges."""

    def open(self, pebble: Pebble, *, shown: bool = True, declared: bool = True, revoked: bool = True) -> None:
        self.webroot = self.place / "www" / "challenges"
        challenge = {"type": "http-01", "method": "webroot", "directory": str(self.webroot)}
        self.issuers["pebble"] = pebble.issuer(challenge=challenge)
        self.variables.update(rotate_visible_deadline=0, rotate_issuer="pebble")
        conf_d = ConfD(self.place / "nginx")
        location = f"location /.well-known/acme-challenge/ {{ alias {self.webroot}/; }}" if shown else "return 404;"
        names = " ".join(NAMES)
        conf_d.write(
            "http.conf", f"server {{ listen 127.0.0.1:{pebble.http_port}; server_name {names}; {location} }}\n"
        )
        vhost = self.first_certificate("shop", NAMES, extra=self.snippet("shop"))
        self.start_nginx([vhost, conf_d])
        if declared:
            self.declare("shop", vhost)
        if revoked:
            self.revoke("shop")

    def files(self) -> list[Path]:
        return list(self.webroot.iterdir()) if self.webroot.exists() else []

    def is_from_pebble(self) -> bool:
        return "Pebble" in self.served(NAMES[0]).chain[0].issuer.rfc4514_string()


@pytest.fixture
def pebble(tmp_path: Path) -> Iterator[Pebble]:
    with Pebble(tmp_path / "pebble") as started:
        yield started


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WebrootWorld]:
    with WebrootWorld(tmp_path / "world") as made:
        made.make_ca()
        yield made


@pytest.mark.parametrize("declared", [True, False])
def test_a_revoked_certificate_is_replaced_and_no_file_stays(
    world: WebrootWorld, pebble: Pebble, declared: bool
) -> None:
    world.open(pebble, declared=declared)
    must(world.rotate())
    assert world.is_from_pebble()
    assert world.webroot.is_dir()
    assert world.files() == []
    serial = world.served(NAMES[0]).serial
    assert must(world.rotate()).changed == {"web1": 0}
    assert world.served(NAMES[0]).serial == serial


def test_what_the_ca_does_not_find_is_its_error_and_no_file_stays(world: WebrootWorld, pebble: Pebble) -> None:
    world.open(pebble, shown=False)
    before = world.served(NAMES[0]).serial
    assert world.rotate().returncode
    error = next(one["error"] for one in world.report()["rotations"])
    assert (error["step"], error["code"].partition("_")[0]) == ("issue", "acme")
    assert world.served(NAMES[0]).serial == before
    assert world.files() == []


def test_a_killed_run_is_taken_up_with_the_same_order(world: WebrootWorld, pebble: Pebble) -> None:
    world.open(pebble)
    with world.start_rotate() as run:
        deadline = time.monotonic() + 60
        while not world.files() and time.monotonic() < deadline and run.poll() is None:
            time.sleep(0.01)
        run.kill()
    must(world.rotate())
    assert world.is_from_pebble()
    assert world.files() == []


def test_check_mode_writes_nothing(world: WebrootWorld, pebble: Pebble) -> None:
    world.open(pebble)
    assert must(world.rotate("--check")).changed["web1"]
    assert not world.webroot.exists()
    assert not world.is_from_pebble()


@pytest.mark.parametrize("declared", [True, False])
def test_a_key_under_abuse_is_revoked_before_its_successor_is_ordered(
    world: WebrootWorld, pebble: Pebble, declared: bool
) -> None:
    """What discovery found is only known to be due after the look at the host: the other way through the role."""
    world.open(pebble, declared=declared, revoked=False)
    before = world.served(NAMES[0])
    world.variables.update(rotate_deny_list=[before.spki_sha256], rotate_revoke_first=True)
    must(world.rotate())
    assert world.is_from_pebble()
    assert world.files() == []
    [(_name, serial, reason)] = world.ca_certificates()
    assert (serial, reason) == (before.serial, "keyCompromise")
    times = next(one["times"] for one in world.report()["rotations"])
    assert times["revoked"] <= times["issued"]
    # The next run has nothing to do, and nothing to revoke first.
    assert must(world.rotate()).changed == {"web1": 0}
