# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Session ticket keys go with a compromised private key, and only with that."""

from __future__ import annotations

import os

from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must


def test_ticket_key_goes_with_a_compromised_key_and_stays_with_others(world: LocalWorld) -> None:
    file = world.place / "ticket.key"
    file.write_bytes(os.urandom(48))
    first, extra = file.read_bytes(), f"ssl_session_ticket_key {file};"
    vhost = world.first_certificate("shop", ["shop.example.org"], extra=f"{extra} {world.snippet('shop')}")
    world.start_nginx([vhost])
    world.declare("shop", vhost)
    world.variables.update(rotate_ticket_keys=[str(file)], rotate_force=True)
    must(world.rotate())
    assert file.read_bytes() == first
    world.variables.update(rotate_force=["shop"], rotate_force_reason="keyCompromise")
    must(world.rotate())
    renewed = file.read_bytes()
    assert renewed != first and len(renewed) == 48
    assert world.rotation("shop")["installation"]["ticket_keys"] == [str(file)]
    world.variables.update(rotate_force=False)
    assert must(world.rotate()).changed == {"web1": 0}
    assert file.read_bytes() == renewed


def test_file_that_is_not_there_fails_its_certificate_and_says_so(world: LocalWorld) -> None:
    vhost = world.first_certificate("shop", ["shop.example.org"], extra=world.snippet("shop"))
    world.start_nginx([vhost])
    world.declare("shop", vhost, ticket_keys=[str(world.place / "missing.key")])
    world.revoke("shop")
    before = world.served("shop.example.org").serial
    assert world.rotate().failed == {"web1": 1}
    assert world.rotation("shop")["error"]["code"] == "ticket_key_invalid"
    assert world.served("shop.example.org").serial == before
