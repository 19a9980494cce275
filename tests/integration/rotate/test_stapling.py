# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stapling is decided by the certificate: Must-Staple from the first handshake on, nothing at all without OCSP."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.certops.rotation.tests.support.client import Hammer
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must


def test_must_staple_is_stapled_from_the_first_handshake(shop: LocalWorld) -> None:
    old = shop.served("shop.example.org").serial
    shop.variables["rotate_must_staple"] = True
    with Hammer(shop, "shop.example.org", staples=True) as client:
        must(shop.rotate())
    new = [one for one in client.seen if one.serial != old]
    assert len(new) > 20
    assert {one.staple for one in new} == {(shop.served("shop.example.org").serial, "GOOD")}
    assert not client.failures
    assert [one["code"] for one in shop.rotation("shop")["decision"]["reasons"]] == ["must_staple_differs"]
    assert shop.rotation("shop")["installation"]["stapling"] == "file"
    assert "ssl_stapling_file" in (shop.live("shop") / "nginx.conf").read_text()


def test_without_ocsp_no_directive_and_no_warning(shop: LocalWorld) -> None:
    shop.make_ca(ocsp=False)
    shop.revoke("shop")
    must(shop.rotate())
    snippet = (shop.live("shop") / "nginx.conf").read_text()
    assert not [line for line in snippet.splitlines() if line and not line.startswith("#")]
    assert not (shop.live("shop") / "staple.der").exists()
    assert shop.nginx is not None
    tested = subprocess.run([*shop.nginx.command, "-t"], capture_output=True, text=True, check=True)
    assert "[warn]" not in tested.stderr
    assert shop.rotation("shop")["warnings"] == []
    assert shop.status((shop.live("shop") / "fullchain.pem").read_text()) == "good"


def test_responder_that_only_the_control_node_reaches_gives_a_staple_file(
    world: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control node has a proxy, and the responder is behind it. The host has none, and nginx can't fetch."""
    monkeypatch.setenv("http_proxy", world.publisher.url)
    world.make_ca(base_url="http://ca.invalid")
    world.start_nginx([world.first_certificate("shop", ["shop.example.org"], extra=world.snippet("shop"))])
    old = world.served("shop.example.org").serial
    world.revoke("shop")
    with Hammer(world, "shop.example.org", staples=True) as client:
        must(world.rotate())
    installation = world.rotation("shop")["installation"]
    assert installation["stapling"] == "file"
    assert "does not reach the responder ca.invalid:80" in installation["why"]
    assert {one.staple for one in client.seen if one.serial != old} == {
        (world.served("shop.example.org").serial, "GOOD")
    }
