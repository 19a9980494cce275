# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide about diagnoses has every cause with its remedy, and every cause is made for real in a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_table import BY_CODE, KINDS
from ansible_collections.certops.rotation.plugins.plugin_utils.diagnosis_repair import repairs_of

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "docsite" / "rst" / "guide_diagnose.rst"
TESTS = ROOT / "tests" / "integration" / "diagnose"
ROW = re.compile(r"^   \* - ``(\w+)``\n     - (\S.*\n(?:       .*\n)*)     - (\S.*\n(?:       .*\n)*)", re.MULTILINE)


def test_each_cause_stands_in_the_guide_in_its_order_with_its_words() -> None:
    text = GUIDE.read_text("utf-8").partition("The causes\n")[2]
    rows = [(code, _plain(what), _plain(remedy)) for code, what, remedy in ROW.findall(text)]
    assert rows == [(kind.code, kind.sentence, kind.remedy) for kind in KINDS]


def test_symptoms_in_the_guide_name_causes_that_exist() -> None:
    text = GUIDE.read_text("utf-8").partition("What symptoms mean\n")[2].partition("The causes\n")[0]
    words = set(re.findall(r"``([a-z]+(?:_[a-z]+)+)(?:_…)?``", text))
    codes = {
        word
        for word in words
        if not word.startswith(("ssl_", "diagnose_", "bad_", "unknown_ca", "certificate_unknown"))
    }
    others = {"certificate_required"}
    assert all(any(code.startswith(word) for code in BY_CODE) for word in codes - others), sorted(codes)


def test_each_cause_is_made_for_real_in_a_test() -> None:
    made = "".join(path.read_text("utf-8") for path in TESTS.glob("*.py"))
    by_clock_and_network = re.findall(r'"([a-z_]+)"', made)
    cases = re.findall(r"^def ([a-z_0-9]+?)(?:__\w+)?\(world: World, stack", made, re.MULTILINE)
    prose = {"host_not_reachable_by_ssh": "Ansible does not reach the host", "clock_skew_client": "the clock of this"}
    named = {*cases, *by_clock_and_network, *(code for code, text in prose.items() if text in made)}
    missing = [kind.code for kind in KINDS if kind.code not in named]
    assert missing == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_cause_explains_causes_that_exist_and_none_that_explains_it(kind: object) -> None:
    explains = BY_CODE[kind.code].explains  # type: ignore[attr-defined]
    assert explains <= set(BY_CODE)
    assert not [code for code in explains if kind.code in _all_explained(code)]  # type: ignore[attr-defined]


def test_each_cause_that_can_be_repaired_has_an_operation() -> None:
    for kind in KINDS:
        assert bool(repairs_of([{"code": kind.code, "fixable": True}])) == kind.fixable, kind.code


def _all_explained(code: str) -> set[str]:
    found: set[str] = set()
    waiting = [code]
    while waiting:
        for each in BY_CODE[waiting.pop()].explains - found:
            found.add(each)
            waiting.append(each)
    return found


def _plain(cell: str) -> str:
    return " ".join(cell.split())
