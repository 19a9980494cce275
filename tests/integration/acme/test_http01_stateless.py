# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rotate.yml with a real ACME server that validates by http-01 what a real nginx answers, and no file for any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.nginx import Vhost
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble
from ansible_collections.certops.rotation.tests.support.plain_servers import ConfD, challenge_answer

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")
NAMES = ["shop.example.org", "www.example.org"]


class AcmeWorld(LocalWorld):
    """Port 80 is a high port here, the one that Pebble validates at; its block redirects everything, as most do."""

    pebble: Pebble
    conf_d: ConfD
    block: Path

    def open(self, pebble: Pebble, *, inside: str = "return 301 https://$host$request_uri;") -> Vhost:
        self.pebble = pebble
        self.issuers["pebble"] = pebble.issuer()
        self.conf_d = ConfD(self.place / "nginx")
        self.block = self.conf_d.write("http.conf", "")
        if inside:
            listen = f"listen 127.0.0.1:{pebble.http_port}; server_name {' '.join(NAMES)};"
            self.block.write_text(f"server {{\n    {listen}\n    {inside}\n}}\n")
        self.variables.update(
            rotate_http01_port=pebble.http_port,
            rotate_http01_server_path=str(self.conf_d.folder / "certops-http-01.conf"),
            rotate_http01_adopt=True,
            # Pebble 2.4 publishes neither CRL nor OCSP.
            rotate_visible_deadline=0,
        )
        vhost = self.first_certificate("shop", NAMES, extra=self.snippet("shop"))
        self.start_nginx([vhost, self.conf_d])
        return vhost

    def is_from_pebble(self) -> bool:
        return "Pebble" in self.served(NAMES[0]).chain[0].issuer.rfc4514_string()

    def answer(self, name: str = NAMES[0]) -> tuple[int, str]:
        return challenge_answer(self.pebble.http_port, name)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AcmeWorld]:
    with Pebble(tmp_path / "pebble") as pebble, AcmeWorld(tmp_path / "world") as made:
        made.make_ca()
        made.pebble = pebble
        yield made


def declared(world: AcmeWorld, vhost: Vhost) -> None:
    world.declare("shop", vhost, issuer="pebble")


def test_a_revoked_certificate_is_replaced_by_one_from_the_public_ca(world: AcmeWorld) -> None:
    declared(world, world.open(world.pebble))
    world.revoke("shop")
    before = world.served(NAMES[0])
    assert world.answer()[0] == 301
    run = must(world.rotate())
    after = world.served(NAMES[0])
    assert after.serial != before.serial
    assert world.is_from_pebble()
    assert world.answer()[0] == 200
    assert f"include {world.root}/http-01.pebble.conf;" in world.block.read_text().splitlines()[1]
    assert run.changed["web1"]
    assert must(world.rotate()).changed == {"web1": 0}
    assert world.served(NAMES[0]).serial == after.serial


def test_the_next_rotation_needs_nothing_on_port_80(world: AcmeWorld) -> None:
    declared(world, world.open(world.pebble))
    world.revoke("shop")
    must(world.rotate())
    first, block = world.served(NAMES[0]), world.block.stat()
    must(world.rotate("-e", '{"rotate_force": true}'))
    assert world.served(NAMES[0]).serial != first.serial
    assert world.pebble.revocation(first.serial)["Status"] == "Revoked"
    assert world.block.stat().st_mtime_ns == block.st_mtime_ns


def test_certificates_that_are_found_in_nginx_are_set_up_too(world: AcmeWorld) -> None:
    world.open(world.pebble)
    world.variables["rotate_issuer"] = "pebble"
    world.revoke("shop")
    must(world.rotate())
    assert world.is_from_pebble()
    assert must(world.rotate()).changed == {"web1": 0}


def test_port_80_is_served_where_nothing_did(world: AcmeWorld) -> None:
    declared(world, world.open(world.pebble, inside=""))
    world.revoke("shop")
    must(world.rotate())
    assert world.is_from_pebble()
    assert [world.answer(name)[0] for name in NAMES] == [200, 200]


def test_without_adopt_nothing_is_ordered_and_the_report_names_the_line(world: AcmeWorld) -> None:
    declared(world, world.open(world.pebble))
    world.variables["rotate_http01_adopt"] = False
    world.revoke("shop")
    before, text = world.served(NAMES[0]), world.block.read_text()
    run = world.rotate()
    assert run.returncode
    assert world.served(NAMES[0]).serial == before.serial
    assert world.block.read_text() == text
    error = world.rotation("shop")["error"]
    assert (error["step"], error["code"]) == ("prepare", "challenge_not_answered")
    line = f"include {world.root}/http-01.pebble.conf;"
    assert f"{world.block}:1: {line}" in error["remedy"]
    world.block.write_text(text.replace("server {", f"server {{ {line}"))
    must(world.rotate())
    assert world.is_from_pebble()


def test_check_mode_tells_and_changes_nothing(world: AcmeWorld) -> None:
    declared(world, world.open(world.pebble))
    world.revoke("shop")
    text = world.block.read_text()
    must(world.rotate())  # makes the account's key
    world.block.write_text(text)
    assert world.nginx is not None
    world.nginx.stop()
    world.nginx.start()
    run = must(world.rotate("--check", "--diff", "-e", '{"rotate_force": true}'))
    assert "http-01.pebble.conf;" in run.output
    assert world.block.read_text() == text
    assert world.answer()[0] == 301
