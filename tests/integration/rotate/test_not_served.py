# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listener that goes on serving the old certificate: another server behind a balancer that nobody reloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served, must
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost
from ansible_collections.certops.rotation.tests.support.outcome import assert_finished, assert_untouched


@pytest.fixture
def old(shop: LocalWorld) -> Served:
    return shop.served("shop.example.org")


@pytest.fixture
def forgotten(shop: LocalWorld) -> Iterator[Nginx]:
    """A second nginx with copies of the pair; both are declared as listeners of the one certificate."""
    certificate, key = shop.place / "copy.crt", shop.place / "copy.key"
    assert shop.nginx is not None
    vhost = shop.nginx.vhosts[0]
    shutil.copy(vhost.certificate, certificate)
    shutil.copy(vhost.key, key)
    with Nginx(shop.place / "forgotten", [Vhost(["shop.example.org"], certificate, key)]) as second:
        listeners = [{"address": "127.0.0.1", "port": one.port} for one in (vhost, second.vhosts[0])]
        shop.declare("shop", vhost, listeners=listeners)
        shop.variables["rotate_served_deadline"] = 1
        yield second


def test_rolled_back_while_the_old_pair_is_still_fine(shop: LocalWorld, old: Served, forgotten: Nginx) -> None:
    shop.variables["rotate_force"] = ["shop"]
    run = shop.rotate()
    assert run.returncode == 2
    entry = shop.rotation("shop")
    assert (entry["error"]["step"], entry["error"]["code"]) == ("verify", "not_served")
    assert str(forgotten.vhosts[0].port) in entry["error"]["msg"]
    assert entry["rolled_back"]
    assert_untouched(shop, "shop", old)
    assert {reason for _name, _serial, reason in shop.ca_certificates()} == {None}
    shop.variables["rotate_certificates"][0]["listeners"].pop()
    must(shop.rotate())
    assert_finished(shop, "shop", old, orders=2)


def test_new_one_stays_if_the_old_one_is_revoked(shop: LocalWorld, old: Served, forgotten: Nginx) -> None:
    shop.revoke("shop")
    run = shop.rotate()
    assert run.returncode == 2
    entry = shop.rotation("shop")
    assert entry["error"]["code"] == "not_served"
    assert "must never be served again" in entry["error"]["remedy"]
    assert "rolled_back" not in entry
    assert shop.served("shop.example.org").serial != old.serial
    assert shop.served("shop.example.org", forgotten.vhosts[0].port).serial == old.serial
    shop.variables["rotate_certificates"][0]["listeners"].pop()
    must(shop.rotate())
    assert_finished(shop, "shop", old)
