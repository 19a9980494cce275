# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook staple: a staple file that is fresh stays, one that is of no use is replaced and served."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.tests.support.local_world import HOST, LocalWorld, must


def test_a_fresh_staple_stays_and_a_useless_one_is_replaced(world: LocalWorld) -> None:
    world.make_ca()
    vhost = world.first_certificate("shop", ["shop.example.org"], extra=world.snippet("shop"))
    world.start_nginx([vhost])
    world.declare("shop", vhost, must_staple=True)
    must(world.rotate())
    staple = world.live("shop") / "staple.der"
    fresh = staple.read_bytes()
    assert must(world.play("certops.rotation.staple")).changed[HOST] == 0
    assert staple.read_bytes() == fresh

    staple.write_bytes(b"nothing that could be stapled")
    again = must(world.play("certops.rotation.staple"))
    assert again.changed[HOST] == 1
    chain = read_certificates((world.live("shop") / "fullchain.pem").read_bytes())
    found = world.judging().judge_staple(chain, staple.read_bytes(), at=datetime.now(timezone.utc))
    assert found.status == "good"
