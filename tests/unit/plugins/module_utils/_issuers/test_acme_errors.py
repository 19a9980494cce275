# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ACME server refuses, as errors of this collection."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_errors import (
    PREFIX,
    REMEDIES,
    code_of,
    refusal,
    retry_time,
)

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("problem_type", "code"),
    [
        (f"{PREFIX}badCSR", "acme_bad_csr"),
        (f"{PREFIX}caa", "acme_caa"),
        (f"{PREFIX}userActionRequired", "acme_user_action_required"),
        (f"{PREFIX}alreadyReplaced", "acme_already_replaced"),
        (f"{PREFIX}somethingNew", "acme_refused"),
        ("about:blank", "acme_refused"),
        ("badCSR", "acme_refused"),
        ("", "acme_refused"),
    ],
)
def test_codes(problem_type: str, code: str) -> None:
    assert code_of(problem_type) == code


def test_no_two_types_have_one_code() -> None:
    assert len({code_of(PREFIX + name) for name in REMEDIES}) == len(REMEDIES)


def test_the_page_that_the_user_has_to_open_is_a_fact() -> None:
    problem = {"type": f"{PREFIX}userActionRequired", "detail": "new terms", "instance": "https://ca.example/terms"}
    assert refusal(problem).facts["instance"] == "https://ca.example/terms"


def test_what_a_server_says_is_one_bounded_line() -> None:
    error = refusal({"type": PREFIX + "malformed", "detail": "a\nb\x1b[2J" + "x" * 10000})
    assert "a b [2J" in error.message
    assert len(error.message) < 700


@pytest.mark.parametrize("subproblems", [7, "text", [7, None], [{"identifier": 7}], {}])
def test_subproblems_that_are_none_do_no_harm(subproblems: object) -> None:
    assert refusal({"type": PREFIX + "compound", "subproblems": subproblems}).code == "acme_compound"


@pytest.mark.parametrize(
    ("header", "after"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sat, 21 Nov 2026 01:03:03 GMT", 60),
        ("-5", None),
        ("soon", None),
        (None, None),
        ("", None),
    ],
)
def test_when_to_try_again(header: str | None, after: int | None) -> None:
    assert retry_time(header, NOW) == (None if after is None else NOW + timedelta(seconds=after))
