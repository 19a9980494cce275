# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is news, of what was seen: told once, to as few runs as possible, and never to hosts that nobody named."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_look import Sighting, unknown
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_news import Item, Told, events, mark, news
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_targets import Target

AT = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
CERTIFICATE = {"sha256": "aa" * 32, "serial": "0a1b", "spki_sha256": "bb" * 32, "not_after": "2027-01-01T00:00:00Z"}


def seen(status: str, host: str | None = "web1", **more: Any) -> Sighting:
    reasons = ["revoked"] if status == "revoked" else []
    evidence = [
        {"status": "good", "source": {"kind": "ocsp", "url": "http://ca.example/ocsp"}},
        {"status": status, "source": {"kind": "crl", "url": "http://ca.example/crl"}},
    ]
    verdict = {"status": status, "reasons": reasons, "evidence": evidence, "revocation_reason": "superseded"}
    if status == "unknown":
        verdict = unknown("timeout", "took too long")
    given = {"certificate": CERTIFICATE, "verdict": verdict, **more}
    return Sighting(Target(host=host, address="192.0.2.7"), "192.0.2.7:443", {"address": "192.0.2.7"}, **given)


def poll(told: Told, *sightings: Sighting, hours: float = 0, **more: Any) -> list[Item]:
    at = AT + timedelta(hours=hours)
    items = news(sightings, told, at=at, **{"unknown_after": 3, "repeat_after": 86400.0, **more})
    mark(told, items, at)
    return items


def test_revocation_is_told_once_and_once_more_every_day_until_it_is_replaced() -> None:
    told = Told()
    assert not poll(told, seen("good"))
    [item] = poll(told, seen("revoked"), seen("revoked"))
    assert item.entry["reason"] == "superseded" and item.entry["source"]["url"] == "http://ca.example/crl"
    assert [one["kind"] for one in item.entry["evidence"]] == ["crl"]
    assert not poll(told, seen("revoked"), hours=1)
    assert not poll(told, seen("unknown"), hours=2)
    assert not poll(told, seen("revoked"), hours=3)
    assert poll(told, seen("revoked"), hours=24)
    assert not poll(told, seen("revoked"), hours=25)
    assert not poll(told, seen("revoked"), hours=1000, repeat_after=0)
    assert poll(told, seen("revoked", certificate={**CERTIFICATE, "sha256": "cc" * 32}), hours=1001)


def test_hold_that_was_lifted_and_comes_back_is_news() -> None:
    told = Told()
    assert poll(told, seen("revoked"))
    assert not poll(told, seen("good"), hours=1)
    assert poll(told, seen("revoked"), hours=2)


def test_unknown_is_told_after_so_many_polls_on_end_and_never_for_zero() -> None:
    told = Told()
    assert [len(poll(told, seen("unknown", certificate=None), hours=hour)) for hour in range(5)] == [0, 0, 1, 0, 0]
    assert not poll(told, seen("good"), hours=5)
    found = [poll(told, seen("unknown"), hours=hour) for hour in range(6, 9)]
    assert [len(one) for one in found] == [0, 0, 1]
    # From the first poll of the row; why, in the words of the verdict.
    assert (found[2][0].entry["since"], found[2][0].entry["reason"]) == ("2026-11-21T18:00:00Z", "timeout")
    assert not any(poll(Told(), seen("unknown"), unknown_after=0) for _poll in range(9))
    poll(told)
    assert told.unknown == {}


@pytest.mark.parametrize(
    ("start", "end", "renew_at", "reason"),
    [
        ("2026-11-21T11:00:00Z", "2026-11-21T15:00:00Z", "2026-11-21T11:30:00Z", "renewal_suggested"),
        ("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z", "2026-11-21T10:30:00Z", "renewal_overdue"),
        ("2026-11-21T11:00:00Z", "2026-11-21T15:00:00Z", "2026-11-21T12:00:01Z", None),
    ],
)
def test_window_is_told_when_rotate_would_act_on_it(start: str, end: str, renew_at: str, reason: str | None) -> None:
    told = Told()
    hint = {"window": {"start": start, "end": end}, "explanation_url": None, "renew_at": renew_at}
    items = poll(told, seen("good", hint=hint))
    assert [item.entry["reason"] for item in items] == ([reason] if reason else [])
    assert not poll(told, seen("good", hint=hint))
    # Another window is another piece of news; of what is revoked it is none.
    earlier = {**hint, "window": {"start": "2026-11-20T00:00:00Z", "end": end}, "renew_at": "2026-11-20T01:00:00Z"}
    assert [one.entry["kind"] for one in poll(told, seen("revoked", hint=earlier))] == ["revoked"]
    assert [one.entry["kind"] for one in poll(told, seen("good", hint=earlier))] == ["renewal_window"]


def test_mass_revocation_is_one_event_and_of_very_many_hosts_a_few() -> None:
    many = [seen("revoked", host=f"web{number}") for number in range(1000)]
    [(event, items)] = events(poll(Told(), *many), at=AT, hosts_per_event=1000)
    assert len(event["meta"]["hosts"]) == event["count"] == len(items) == 1000
    assert event["limit"].split(":") == event["hosts"] and event["serials"] == ["0a1b"]
    parts = list(events(poll(Told(), *many), at=AT, hosts_per_event=400))
    assert [one["count"] for one, _items in parts] == [400, 400, 200]
    assert len({one["id"] for one, _items in parts}) == 3
    assert sorted(host for one, _items in parts for host in one["hosts"]) == sorted(event["hosts"])


def test_what_has_no_host_has_no_limit_and_stands_apart() -> None:
    found = list(events(poll(Told(), seen("revoked"), seen("revoked", host=None)), at=AT, hosts_per_event=10))
    assert [one["hosts"] for one, _items in found] == [["web1"], []]
    assert [("limit" in one, "meta" in one) for one, _items in found] == [(True, True), (False, False)]


def test_event_is_plain_data_and_the_same_news_has_the_same_id() -> None:
    first, again = (
        next(events(poll(Told(), seen("revoked")), at=AT + timedelta(hours=hour), hosts_per_event=10))[0]
        for hour in (0, 5)
    )
    assert first["id"] == again["id"] and first["seen_at"] != again["seen_at"]
    assert json.loads(json.dumps(first)) == first and "pem" not in json.dumps(first).lower()


def test_what_strangers_write_into_certificates_is_no_template() -> None:
    hostile = "CN={{ lookup('pipe', 'id') }}{{{x}}}{% for %}{# \x1b[2J #}"
    told = seen("revoked", certificate={**CERTIFICATE, "issuer_name": hostile})
    told.verdict["evidence"][1]["source"]["url"] = "http://ca.example/{{7*7}}"
    [(event, _items)] = events(poll(Told(), told), at=AT, hosts_per_event=1)
    text = json.dumps(event["certificates"], ensure_ascii=False)
    assert not any(mark in text.replace('[{"kind"', "") for mark in ("{{", "{%", "{#", "\x1b", "\\u001b"))
    assert "lookup('pipe', 'id')" in text


def test_what_is_long_gone_is_forgotten_and_what_is_still_so_is_not() -> None:
    told = Told()
    poll(told, seen("revoked"), seen("revoked", host="web2"))
    for day in range(1, 45):
        assert not poll(told, seen("revoked"), hours=24 * day, repeat_after=0)
    assert ["web1" in subject for subject in told.told] == [True]
