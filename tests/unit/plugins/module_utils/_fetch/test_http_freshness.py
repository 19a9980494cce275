# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long HTTP allows an answer to be used, by its headers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http_freshness import (
    HttpFreshness,
    freshness_of,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)
DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
HOUR_LATER = "Sat, 21 Nov 2026 13:00:00 GMT"
DAY_BEFORE = "Fri, 20 Nov 2026 12:00:00 GMT"
SECOND_BEFORE = "Sat, 21 Nov 2026 11:59:59 GMT"


def seconds_left(headers: dict[str, str], delay: float = 0.0) -> float:
    found = freshness_of({"date": DATE, **headers}, received_at=NOW, delay=delay)
    return max(0.0, found.lifetime - found.age)


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({}, 0),
        ({"last-modified": DAY_BEFORE}, 0),  # no guesses
        ({"cache-control": "max-age=60"}, 60),
        ({"cache-control": 'public, Max-Age="60" , must-revalidate'}, 60),
        ({"cache-control": "max-age=60", "age": "50"}, 10),
        ({"cache-control": "max-age=60", "age": "70"}, 0),
        ({"cache-control": "max-age=60", "date": "Sat, 21 Nov 2026 11:59:20 GMT"}, 20),
        ({"cache-control": "max-age=60", "expires": HOUR_LATER}, 60),
        ({"cache-control": "max-age=60, max-age=3600"}, 60),
        ({"cache-control": "max-age=soon"}, 0),
        ({"cache-control": "max-age=-1"}, 0),
        ({"cache-control": "no-cache, max-age=60"}, 0),
        ({"cache-control": "stale-if-error=100"}, 0),
        ({"expires": HOUR_LATER}, 3600),
        ({"expires": "0"}, 0),
        ({"expires": DAY_BEFORE}, 0),
        ({"expires": HOUR_LATER, "pragma": "no-cache"}, 0),
        ({"expires": HOUR_LATER, "vary": "*"}, 0),
        ({"cache-control": "max-age=" + "9" * 40}, 10 * 365 * 86400),
    ],
)
def test_seconds_left(headers: dict[str, str], left: float) -> None:
    assert seconds_left(headers) == left


def test_way_takes_time_off() -> None:
    assert seconds_left({"cache-control": "max-age=60"}, delay=5.0) == 55


def test_clock_of_the_server_that_is_ahead_gives_no_more() -> None:
    assert seconds_left({"cache-control": "max-age=60", "date": HOUR_LATER}) == 60


def test_it_ages_here_too_and_not_backwards() -> None:
    found = freshness_of({"cache-control": "max-age=60", "date": DATE}, received_at=NOW, delay=0)
    ages = {-1: False, 0: True, 59: True, 60: False}
    assert {age: found.is_fresh(NOW, NOW + timedelta(seconds=age)) for age in ages} == ages


def test_no_store_and_must_revalidate() -> None:
    found = freshness_of({"cache-control": "no-store"}, received_at=NOW, delay=0)
    assert not found.may_be_stored
    for directive in ("must-revalidate", "no-cache"):
        assert freshness_of({"cache-control": directive}, received_at=NOW, delay=0).must_revalidate


@pytest.mark.parametrize(
    ("headers", "conditions"),
    [
        ({"etag": '"a"'}, {"If-None-Match": '"a"'}),
        ({"etag": 'W/"a"', "last-modified": DAY_BEFORE}, {"If-None-Match": 'W/"a"'}),
        ({"last-modified": DAY_BEFORE}, {"If-Modified-Since": DAY_BEFORE}),
        # It may have changed again within the same second: a "not modified" would prove nothing.
        ({"last-modified": SECOND_BEFORE}, {}),
        ({"last-modified": SECOND_BEFORE, "etag": '"a"'}, {}),
        ({"last-modified": "yesterday"}, {}),
        ({}, {}),
    ],
)
def test_conditions(headers: dict[str, str], conditions: dict[str, str]) -> None:
    assert freshness_of({"date": DATE, **headers}, received_at=NOW, delay=0).conditions() == conditions


def test_not_modified_brings_new_times_and_keeps_the_validator() -> None:
    first = HttpFreshness(lifetime=60, etag='"a"', last_modified=DAY_BEFORE)
    assert first.continued(HttpFreshness(lifetime=30)) == HttpFreshness(
        lifetime=30, etag='"a"', last_modified=DAY_BEFORE
    )
    assert first.continued(HttpFreshness(etag='"b"')).etag == '"b"'


WORDS = ("max-age=10", "max-age", "no-cache", "no-store", '"', "=", ",", ";", " ", "private", "max-age=1e9", "\u0663")


@given(
    control=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS)).map("".join)),
    others=st.dictionaries(
        st.sampled_from(["date", "expires", "age", "last-modified", "etag", "vary", "pragma"]), st.text(max_size=40)
    ),
)
def test_no_headers_raise_anything(control: str, others: dict[str, str]) -> None:
    found = freshness_of({"cache-control": control, **others}, received_at=NOW, delay=0)
    assert 0 <= found.lifetime <= 10 * 365 * 86400 and found.age >= 0
