# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cause is named first, and no other with it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.integration.diagnose.cases import CASES, HEALTHY, Case, code_of
from ansible_collections.certops.rotation.tests.integration.diagnose.world import World


@pytest.mark.parametrize("name", CASES)
def test_cause_is_named_first_and_alone(name: str, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(World(tmp_path))
        more = CASES[name](world, stack) or {}
        causes = world.diagnosed(**more)
    assert [cause["code"] for cause in causes] == [code_of(name)], "\n".join(world.lines)
    assert causes[0]["evidence"] and causes[0]["remedy"]


@pytest.mark.parametrize("made", HEALTHY, ids=[made.__name__ for made in HEALTHY])
def test_nothing_wrong_is_no_cause(made: Case, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(World(tmp_path))
        more = made(world, stack) or {}
        assert world.codes(**more) == [], "\n".join(world.lines)
        assert "nothing wrong was found" in world.lines[0]
