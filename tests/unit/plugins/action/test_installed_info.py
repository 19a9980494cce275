# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step look; discovery is tested with that of key_csr."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.support.host_steps import HostSteps, rotation
from ansible_collections.certops.rotation.tests.support.host_world import everything


def test_what_is_installed_is_added_and_nothing_changed(host: HostSteps) -> None:
    installed = host.installed(rotation())
    before = everything(host.root)
    shop, blog = host.step("installed_info", rotation(), rotation("blog"))["rotations"]
    assert shop["installed"]["live"] == installed["prepared"]["version"]
    (version,) = shop["installed"]["versions"]
    assert version["chain_pem"] == installed["issued"]["chain_pem"]
    assert [fact["fate"] for fact in shop["installed"]["keys_log"]] == ["created", "live"]
    assert blog["installed"] == {"live": None, "versions": [], "keys_log": [], "paths": {}}
    assert isinstance(shop["resolvers"], list)
    assert everything(host.root) == before


def test_nothing_to_look_at_costs_no_execution(host: HostSteps) -> None:
    result = host.step("installed_info")
    assert (result["changed"], result["rotations"]) == (False, [])
    assert host.modules.outputs == []
