# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of the guides and the README runs, and does what the guide says: story.py tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from ansible_collections.certops.rotation.tests.integration.docs.story import ELSEWHERE, STORY, Step
from ansible_collections.certops.rotation.tests.integration.docs.world import GuideWorld
from ansible_collections.certops.rotation.tests.support.guide_text import commands


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuideWorld]:
    with GuideWorld(tmp_path_factory.mktemp("guides") / "fleet") as made:
        yield made


def test_every_command_is_in_the_story_or_has_a_reason_not_to_be() -> None:
    run = {step.command for step in STORY}
    assert run & ELSEWHERE.keys() == set()
    told = run | ELSEWHERE.keys()
    shown = {command.text: command.where for command in commands()}
    assert {where: text for text, where in shown.items() if text not in told} == {}
    assert told - shown.keys() == set()


def name(step: Step) -> str:
    return re.sub(r"[^\w.=]+", "-", step.command.replace("ansible-playbook", "").replace("-i inventory.yml", ""))[
        :60
    ].strip("-")


@pytest.mark.parametrize("step", STORY, ids=name)
def test_command_does_what_its_guide_says(world: GuideWorld, step: Step) -> None:
    step.before(world)
    run = world.run(step.command, step.answer, step.until)
    assert "Traceback" not in run.output
    assert run.returncode == step.status, run.output
    step.then(world, run)


@pytest.mark.parametrize("command", ELSEWHERE)
def test_command_that_cannot_run_here_names_what_exists(command: str) -> None:
    assert ELSEWHERE[command].why
    assert ELSEWHERE[command].is_right()
