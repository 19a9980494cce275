# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as text and back."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import pack, unpack
from ansible_collections.certops.rotation.tests.support.pki import Authority

ROTATIONS: list[dict[str, Any]] = [
    {"name": "shop", "note": "{{ not a template }} ü \u2028 \"quoted\"", "nothing": None, "n": 1.5, "yes": True}
]  # fmt: skip


@pytest.mark.parametrize("rotations", [ROTATIONS, [], [{"chain_pem": "-----BEGIN\n" * 1000}]])
def test_text_holds_all_of_it(rotations: list[dict[str, Any]]) -> None:
    packed = pack(rotations)
    assert isinstance(packed, str)
    assert unpack(packed) == rotations


def test_text_is_no_literal_that_ansible_would_read() -> None:
    with pytest.raises((SyntaxError, ValueError)):
        ast.literal_eval(pack(ROTATIONS))


def test_list_stays_as_it_is_but_is_a_copy() -> None:
    found = unpack(ROTATIONS)
    assert found == ROTATIONS
    found[0]["name"] = "other"
    assert ROTATIONS[0]["name"] == "shop"


def test_text_subclasses_of_ansible_are_read() -> None:
    class Marked(str):
        def __str__(self) -> str:
            raise AssertionError("templated")

    assert unpack(Marked(pack(ROTATIONS))) == ROTATIONS


BROKEN = ["", "[]", "W10=", "eJyLjgUAARUAuQ=", "eJyL§", "eJwrSS0uAQAEXQHB"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", '[{"name": "shop"}]', *(f"rotations/2 {rest}" for rest in BROKEN), "rotations/1 eJyLjgUAARUAuQ=="],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(RotationError) as caught:
        unpack(text)
    assert caught.value.code == "arguments_invalid"


def test_chain_that_is_there_several_times_takes_little() -> None:
    chain = Authority.root().pem + Authority.root().pem
    once, often = pack([{"chain_pem": chain}]), pack([{"chain_pem": chain, "served": [{"chain_pem": chain}] * 9}])
    assert len(often) < 1.5 * len(once)
    assert len(once) < 1.1 * len(chain)
