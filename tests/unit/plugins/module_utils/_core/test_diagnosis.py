# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was seen to causes: order, certainty, and what follows from what."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis import diagnose, lines
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_changes import changes, snapshot
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_clock import client_error, wrong_clock

AT = "2026-11-21T12:00:00Z"
SHA = "ab" * 32


def certificate(**more: Any) -> dict[str, Any]:
    verdict = {"status": "good", "reasons": [], "evidence": [], "is_soft": False, "detail": "", "revoked_at": None}
    return {
        "serial": "1001",
        "names": ["shop.example.org"],
        "names_missing": [],
        "not_before": "2026-11-01T00:00:00Z",
        "not_after": "2026-12-01T00:00:00Z",
        "ocsp_urls": ["http://ocsp.example.org"],
        "must_staple": False,
        "chain_error": None,
        "chain_length": 2,
        "verdict": {**verdict, **more.pop("verdict", {})},
        **more,
    }


def entry(**more: Any) -> dict[str, Any]:
    staples = [{"status": "good", "reasons": [], "detail": ""}] * 2
    place = {"address": "192.0.2.7", "port": 443, "server_name": "shop.example.org"}
    return {**place, "sha256": SHA, "error": None, "staples": staples, **more}


def rotation(*, entries: list[dict[str, Any]] | None = None, host: dict[str, Any] | None = None, **view: Any) -> Any:
    seen = {"judged_at": AT, "entries": [entry()] if entries is None else entries, "certificates": {SHA: certificate()}}
    return {"host": "web1", "name": "shop", "client_view": {**seen, **view}, "host_view": host}


def codes(seen: dict[str, Any]) -> list[str]:
    return [cause.code for cause in diagnose(seen)]


def block(**more: Any) -> dict[str, Any]:
    known = {"source": "/etc/nginx/nginx.conf:9", "stapling": True, "verify": True, "staple_file": None, "trust": None}
    return {**known, "certificates": [], "warnings": [], "has_issuer": True, "has_root": True, **more}


def source(code: str, kind: str = "ocsp") -> dict[str, Any]:
    return {"url": "http://ocsp.example.org", "kind": kind, "code": code, "msg": code}


def test_nothing_seen_is_nothing_wrong_and_says_what_was_seen() -> None:
    assert diagnose(rotation()) == []
    assert lines(rotation(), []) == ["web1/shop: nothing wrong was found. certificate 1001 is good"]


def test_missing_staple_is_no_cause_where_the_host_cannot_ask() -> None:
    host = {"sources": [source("blocked")], "nginx": {"servers": [block()]}}
    seen = rotation(entries=[entry(staples=[None, None])], host=host)
    [cause] = diagnose(seen)
    assert (cause.code, cause.certainty, cause.where) == ("responder_blocked", "certain", ("host web1",))


def test_cause_seen_from_two_places_is_one_with_both_and_the_better_certainty() -> None:
    host = {"sources": [source("refused")], "nginx": {"servers": [block()]}}
    [cause] = diagnose(rotation(sources=[source("refused")], host=host))
    assert (cause.certainty, cause.where) == ("certain", ("control node", "host web1"))


@pytest.mark.parametrize("server", [block(stapling=False), block(staple_file="/etc/nginx/staple.der")])
def test_what_the_host_reaches_matters_only_where_its_server_asks(server: dict[str, Any]) -> None:
    assert codes(rotation(host={"sources": [source("blocked")], "nginx": {"servers": [server]}})) == []


def test_certain_causes_come_before_likely_ones_whatever_their_gravity() -> None:
    seen = rotation(sources=[source("slow")], reported_alerts=[44])
    assert codes(seen) == ["responder_slow", "peer_sees_revoked"]


def test_two_independent_causes_are_both_named() -> None:
    missing = certificate(names_missing=["www.example.org"])
    assert codes(rotation(certificates={SHA: missing}, sources=[source("refused")])) == [
        "name_not_in_certificate",
        "responder_refused",
    ]


def test_unknown_is_never_nothing_wrong() -> None:
    unknown = certificate(verdict={"status": "unknown", "reasons": ["partial_reasons"]})
    assert codes(rotation(certificates={SHA: unknown})) == ["revocation_status_unknown"]
    soft = certificate(verdict={"status": "unknown", "reasons": ["short_lived"], "is_soft": True})
    assert codes(rotation(certificates={SHA: soft})) == []


@pytest.mark.parametrize(
    ("offsets", "code"),
    [
        ([("responder", 2), ("peer", -3)], ""),
        ([("responder", 9000), ("peer", 9001)], "clock_skew_client"),
        ([("crl", -9000), ("host", -9001), ("peer", 0)], "clock_skew_client"),
        ([("responder", 1), ("host", 9000)], "clock_skew_host"),
        ([("responder", 9000), ("peer", 0)], "clock_skew_responder"),
        ([("responder", 9000), ("peer", 5000)], "clock_skew_unclear"),
        ([("host", 9000), ("peer", 9000)], "clock_skew_unclear"),
        ([("peer", 299)], ""),
        ([], ""),
    ],
)
def test_third_clock_tells_which_is_wrong(offsets: list[tuple[str, float]], code: str) -> None:
    seen = [{"who": f"{kind} {number}", "kind": kind, "seconds": ahead} for number, (kind, ahead) in enumerate(offsets)]
    assert wrong_clock(seen)[0] == code


def test_only_a_wrong_clock_of_this_machine_is_corrected_for() -> None:
    wrong = [{"who": "a", "kind": "responder", "seconds": 9000}, {"who": "b", "kind": "peer", "seconds": 9010}]
    assert client_error(wrong) == 9005
    assert (
        client_error([{"who": "a", "kind": "responder", "seconds": 0}, {"who": "b", "kind": "peer", "seconds": 9}]) == 0
    )


def test_host_that_cannot_be_looked_at_is_told_and_what_clients_see_is_judged() -> None:
    error = {"code": "host_unreachable", "msg": "no route", "remedy": "bring it back"}
    revoked = certificate(verdict={"status": "revoked", "reasons": ["revoked"], "revocation_reason": "keyCompromise"})
    seen = rotation(certificates={SHA: revoked}, host={"error": error})
    assert codes(seen) == ["certificate_revoked", "host_not_reachable_by_ssh"]


def test_prose_has_number_certainty_evidence_and_what_to_do() -> None:
    seen = rotation(sources=[source("refused")])
    said = lines(seen, diagnose(seen))
    assert said[0].startswith("web1/shop: 1. certain: the OCSP responder refuses connections")
    assert said[1].strip() == "because http://ocsp.example.org: refused" and said[2].strip().startswith(
        "do: ask the CA"
    )


def test_error_of_a_declaration_is_its_prose() -> None:
    broken = {"host": "web1", "name": "x", "error": {"msg": "server_names is empty"}}
    assert lines(broken, []) == ["web1/x: server_names is empty"]


def test_only_what_was_seen_both_times_and_differs_is_a_change() -> None:
    place = {"asked": "shop.example.org"}
    before = snapshot(rotation(entries=[entry(**place)], sources=[source("ok")]))
    assert changes(before, before) == [] and changes({}, before) == []
    other = entry(**place, staples=[None])
    now = snapshot(rotation(entries=[other], sources=[source("blocked"), source("ok", "crl") | {"url": "http://new"}]))
    assert changes(before, now) == [
        "reachability of http://ocsp.example.org from control node: was ok, is blocked",
        "staple of 192.0.2.7:443 (shop.example.org): was good, is absent",
    ]


def test_other_address_of_the_name_and_other_chain_are_changes() -> None:
    before = snapshot(rotation(entries=[entry(asked="shop.example.org")]))
    broken = certificate(chain_error={"code": "chain_incomplete", "msg": ""}, chain_length=1)
    moved = entry(asked="shop.example.org", address="192.0.2.8")
    now = snapshot(rotation(entries=[moved, entry(asked="shop.example.org")], certificates={SHA: broken}))
    assert changes(before, now) == [
        "resolution of shop.example.org: was 192.0.2.7, is 192.0.2.7 192.0.2.8",
        "chain of 192.0.2.7:443 (shop.example.org): was 2 certificate(s) from 1001, is 1 certificate(s) from 1001, "
        "chain_incomplete",
    ]
