# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core import remembered as module
from ansible_collections.certops.rotation.plugins.module_utils._core.remembered import Kept, remembered


class Thing:
    """Equal to all others of its kind."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)

    def __hash__(self) -> int:
        return 0


def test_each_object_is_asked_about_once_whatever_it_equals() -> None:
    numbers = itertools.count(1)
    number_of = remembered(lambda _thing: next(numbers))
    one, other = Thing(), Thing()
    assert [number_of(thing) for thing in (one, one, other, one, other)] == [1, 1, 2, 1, 2]


def test_an_object_in_the_place_of_one_that_is_gone_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are used again as soon as an object is gone; nothing that is remembered may go."""
    monkeypatch.setattr(module, "_MOST", 4)
    itself = remembered(lambda thing: thing)
    for _time in range(100):
        thing = Thing()
        assert itself(thing) is thing
        del thing


def test_what_failed_is_tried_again() -> None:
    answers = iter([ValueError("not yet"), 1])

    def make(_thing: object) -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    recall, thing = remembered(make), Thing()
    with pytest.raises(ValueError, match="not yet"):
        recall(thing)
    assert recall(thing) == 1


def test_no_more_is_kept_than_was_said() -> None:
    made: list[int] = []
    kept: Kept[int, None] = Kept(most=2)
    for key in (1, 2, 2, 1, 3, 3, 1):
        kept.get(key, lambda key=key: made.append(key))  # type: ignore[misc]
    assert made == [1, 2, 3, 1]
