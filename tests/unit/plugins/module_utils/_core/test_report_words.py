# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that formats share."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.report_words import (
    grouped,
    span,
    subject_text,
    visible,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (7500, "2 h 5 min"),
        (100_000, "1 d 3 h"),
    ],
)
def test_span_is_for_people(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


def test_visible_writes_out_what_cannot_be_seen() -> None:
    assert visible("a\u202eb\n\x1b[0m") == "a\\u202eb\\u000a\\u001b[0m"
    assert visible("Zoë 🔒 日本") == "Zoë 🔒 日本"
    assert (visible(None), visible(7)) == ("", "7")


def test_subject_names_a_few_and_counts_the_rest() -> None:
    text = subject_text({"kind": "serial", "serials": [f"{n:02}" for n in range(12)], "reason": "superseded"})
    assert text.startswith("serial, serial 00, ")
    assert text.endswith("serial 09, and 2 more, reason superseded")
    assert subject_text({}) == "not said"


def test_same_failures_are_one_group_the_largest_first() -> None:
    found = [
        {"host": "a", "name": "x", "step": "issue", "code": "one", "msg": "first"},
        {"host": "b", "name": "x", "step": "issue", "code": "two", "msg": "second"},
        {"host": "c", "name": "x", "step": "issue", "code": "two", "msg": "third"},
    ]
    groups = grouped(found)
    assert [(group["code"], group["msg"], group["places"]) for group in groups] == [
        ("two", "second", ["b/x", "c/x"]),
        ("one", "first", ["a/x"]),
    ]
