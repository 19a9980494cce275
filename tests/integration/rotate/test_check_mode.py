# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``--check --diff`` tells the whole plan and changes nothing, neither on the host nor at the CA."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import everything
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.witness import Leak

pytestmark = pytest.mark.each_core


def test_plan_is_told_and_nothing_changes(shop: LocalWorld) -> None:
    old = shop.served("shop.example.org")
    shop.revoke("shop")
    leak = Leak()
    leak.learn(shop.pairs / "shop.key")
    shop.inventory()
    before = everything(shop.place)
    run = must(shop.rotate("--check", "--diff"))
    assert everything(shop.place) == before
    assert shop.served("shop.example.org").serial == old.serial
    assert f"the certificate {old.serial} is revoked since" in run.output
    assert run.changed["web1"] > 0
    assert not leak.found_in([run.output.encode()])
    must(shop.rotate())
    assert shop.served("shop.example.org").serial != old.serial


def test_nothing_due_is_nothing_changed(shop: LocalWorld) -> None:
    shop.inventory()
    before = everything(shop.place)
    run = must(shop.rotate("--check", "--diff"))
    assert everything(shop.place) == before
    assert run.changed == {"web1": 0}
