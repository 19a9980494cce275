# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One certificate on three hosts: one order, one new key, which travels sealed from the first to the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.farm_world import FarmWorld
from ansible_collections.certops.rotation.tests.support.host_world import spki_of_key
from ansible_collections.certops.rotation.tests.support.local_world import must


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[FarmWorld]:
    with FarmWorld(tmp_path / "farm", 3) as made:
        made.make_ca()
        made.start()
        yield made


@pytest.mark.each_core
def test_revoked_is_replaced_on_all_by_one_order_under_one_key(farm: FarmWorld) -> None:
    old_serials, [old_key, *_] = farm.serials(), farm.keys()
    farm.revoke("shop")
    ended = must(farm.rotate())
    [new, *others] = farm.serials()
    assert others == [new, new] and new not in old_serials
    assert farm.orders() == 2
    assert set(farm.keys()) == {farm.hosts[0].key} != {old_key}
    lead, *receivers = farm.hosts
    assert [fate for key, fate in lead.fates if key == lead.key] == ["created", "live"]
    for host in receivers:
        assert [fate for key, fate in host.fates if key == lead.key] == ["received", "live"]
        assert host.files().count("receiver.key") == host.files().count("receiver.crt") == 0
        assert (host.live / "privkey.pem").stat().st_mode & 0o777 == 0o600
    for host in farm.hosts:
        assert (old_key, "revoked:keyCompromise") in host.fates, ended.output
    assert set(must(farm.rotate()).changed.values()) == {0}
