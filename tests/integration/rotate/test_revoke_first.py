# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that is being abused: its certificate is revoked before anything else, and replaced in the same run."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must


@pytest.mark.parametrize("is_declared", [True, False])
def test_compromised_key_is_revoked_before_it_is_replaced(shop: LocalWorld, is_declared: bool) -> None:
    if is_declared and shop.nginx is not None:
        shop.declare("shop", shop.nginx.vhosts[0])
    before = shop.served("shop.example.org")
    shop.variables.update(rotate_deny_list=[before.spki_sha256], rotate_revoke_first=True)
    must(shop.rotate())
    after, rotation = shop.served("shop.example.org"), shop.rotation("shop")
    assert after.serial != before.serial and after.spki_sha256 != before.spki_sha256
    assert rotation["revocation"]["state"] == "visible"
    assert (rotation["revocation"]["reason"], rotation["revocation"]["by"]) == ("keyCompromise", "ca")
    assert rotation["times"]["revoked"] <= rotation["times"]["issued"] <= rotation["times"]["served"]
    assert rotation["retirement"]["destroyed"] == [before.spki_sha256]
    assert must(shop.rotate()).changed == {"web1": 0}


def test_nothing_is_revoked_first_where_no_key_is_compromised(shop: LocalWorld) -> None:
    shop.variables.update(rotate_force=True, rotate_revoke_first=True)
    must(shop.rotate())
    rotation = shop.rotation("shop")
    assert rotation["times"]["served"] <= rotation["times"]["revoked"]
