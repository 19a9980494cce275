# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look adds to a rotation; looks at real folders are in the tests of the actions."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.plugin_utils.look import LookingAction, add_look


class Look(LookingAction):
    step = "look"

    def __init__(self) -> None:
        """Without a task: only what is done with an answer is wanted."""


def looked(rotation: dict[str, Any] | None = None, **answer: Any) -> dict[str, Any]:
    rotation = {"host": "web1", "name": "shop"} if rotation is None else rotation
    answer = {"certificates": {}, "clock": as_text(datetime.now(timezone.utc)), **answer}
    add_look(Look(), rotation, answer)
    return rotation


def test_only_the_rotations_own_certificate_is_added() -> None:
    installed: dict[str, Any] = {"live": None, "versions": [], "keys_log": [], "paths": {}}
    assert looked(certificates={"shop": installed, "blog": {}})["installed"] == installed
    assert "installed" not in looked(certificates={"blog": installed})


def test_name_servers_of_the_host_are_kept() -> None:
    assert looked(resolvers=["192.0.2.53"])["resolvers"] == ["192.0.2.53"]
    assert looked(resolvers=None)["resolvers"] == []


def test_folder_at_fault_is_the_rotations_error() -> None:
    error = {"code": "record_damaged", "msg": "no JSON", "remedy": "Restore it."}
    found = looked(certificates={"shop": {"error": error}})
    assert found["error"] == {"step": "look", **error, "facts": {}}


@pytest.mark.parametrize(("minutes", "warnings"), [(0, 0), (4, 0), (-6, 1), (60, 1)])
def test_clocks_that_differ_are_told(minutes: int, warnings: int) -> None:
    clock = as_text(datetime.now(timezone.utc) + timedelta(minutes=minutes))
    found = looked(clock=clock).get("warnings", [])
    assert len(found) == warnings
    assert all("the clocks of the host and of this machine differ" in text for text in found)
