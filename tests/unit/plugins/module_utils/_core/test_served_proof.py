# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.served_proof import PlaceProof, Wanted

NEW: dict[str, Any] = {"serial": "02", "spki_sha256": "bb", "staple": {"status": "absent"}}
STAPLED = {**NEW, "staple": {"status": "good"}}
OLD = {"serial": "01", "spki_sha256": "aa"}
SILENT = {"error": {"code": "connection_refused", "msg": "nothing listens"}}


def proof(*entries: dict[str, Any], staples: int = 0, silent: bool = False) -> PlaceProof:
    found = PlaceProof(Wanted("02", "bb", in_a_row=3, staples_in_a_row=staples), was_silent_before=silent)
    for entry in entries:
        found.feed(entry)
    return found


@pytest.mark.parametrize(
    ("entries", "served", "missing"),
    [
        ([], False, 3),
        ([NEW, NEW], False, 1),
        ([NEW, NEW, NEW], True, 0),
        ([NEW, NEW, OLD], False, 3),
        ([OLD, NEW, NEW, NEW], True, 0),
        ([NEW, SILENT, NEW, NEW], False, 1),
        ([{**NEW, "spki_sha256": "aa"}] * 3, False, 3),
    ],
)
def test_three_in_a_row_are_the_proof(entries: list[dict[str, Any]], served: bool, missing: int) -> None:
    found = proof(*entries)
    assert (found.is_served, found.missing) == (served, missing)


@pytest.mark.parametrize(
    ("entries", "stapled", "missing"),
    [
        ([NEW, NEW, NEW], False, 4),
        ([NEW, STAPLED, STAPLED, STAPLED], False, 1),
        ([STAPLED, STAPLED, STAPLED, NEW, STAPLED], False, 3),
        ([STAPLED] * 4, True, 0),
    ],
)
def test_staples_count_in_a_row_of_their_own(entries: list[dict[str, Any]], stapled: bool, missing: int) -> None:
    found = proof(*entries, staples=4)
    assert (found.is_served or len(entries) < 3, found.is_stapled, found.missing) == (True, stapled, missing)


def test_silence_is_excused_only_where_it_was_silent_before() -> None:
    assert proof(SILENT, silent=True).is_still_silent
    assert not proof(SILENT).is_still_silent
    assert not proof(OLD, silent=True).is_still_silent
    assert not proof(silent=True).is_still_silent


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "nobody looked"),
        ([SILENT], "nothing listens"),
        ([OLD], "serves 01"),
        ([NEW], "serves 02, but not 3 times in a row"),
    ],
)
def test_what_was_seen_is_told_in_words(entries: list[dict[str, Any]], said: str) -> None:
    assert proof(*entries).what_was_seen() == said
