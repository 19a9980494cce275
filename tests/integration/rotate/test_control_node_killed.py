# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node dies after each verb in turn: what is served is whole, and one more run finishes the job."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import spki_of_key
from ansible_collections.certops.rotation.tests.support.kill import kill_when
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.outcome import assert_finished, assert_whole

# The verb that has just come to its end, and the first words of the task after it.
NEXT = {
    "decide": "Look at the host and make fresh keys",
    "prepare": "Get new chains",
    "issue": "Validate the new chains",
    "validate": "Switch, test and reload",
    "install": "Prove from outside",
    "verify": "Revoke the predecessors]",
    "revoke": "Wait until the revocations",
    "confirm": "Destroy the old private keys",
    "retire": "Write the report",
}


@pytest.mark.parametrize("verb", NEXT)
def test_killed_after(shop: LocalWorld, verb: str) -> None:
    """The key is on the deny list: not revoked yet, so that all of the steps have something to do."""
    assert shop.nginx is not None
    old = shop.served("shop.example.org")
    shop.declare("shop", shop.nginx.vhosts[0])
    shop.variables["rotate_deny_list"] = [spki_of_key(shop.pairs / "shop.key")]
    with shop.start_rotate() as process:
        kill_when(process, f": {NEXT[verb]}")
    assert not (shop.place / "reports" / "latest").exists()
    assert_whole(shop, "shop", may_be=old)
    must(shop.rotate())
    assert_finished(shop, "shop", old)
    assert must(shop.rotate()).changed == {"web1": 0}
