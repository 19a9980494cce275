# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public databases asked over real HTTP: what they say, what they do not, and what is made of nonsense."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts, spki_sha256
from ansible_collections.certops.rotation.plugins.module_utils._core.transparency import domains_to_ask, elsewhere
from ansible_collections.certops.rotation.plugins.module_utils._fetch.answer_cache import AnswerCache
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._fetch.key_databases import KeyDatabases
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.key_database_server import (
    KeyDatabaseServer,
    attestation,
    crt_sh_row,
    issuance,
)
from ansible_collections.certops.rotation.tests.support.pki import Authority, make_key
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Authority.root()
KEY = make_key()
SHOP = ROOT.issue(["shop.example.org"], key=KEY).certificate
OTHER = ROOT.issue(["other.example.org"], key=KEY).certificate
FOREIGN = ROOT.issue(["foreign.example.org"]).certificate
PRECERTIFICATE = ROOT.issue(["pre.example.org"], key=KEY, extra=[(x509.PrecertPoison(), True)]).certificate
SPKI = spki_sha256(KEY.public_key())


@pytest.fixture
def there() -> Iterator[KeyDatabaseServer]:
    with HttpServer() as web:
        yield KeyDatabaseServer(web)


def databases(directory: Path | None = None, hours: float = 1, timeout: float = 5) -> KeyDatabases:
    http = HttpClient(timeout=timeout, max_redirects=0)
    return KeyDatabases(http, AnswerCache(str(directory) if directory else None, timedelta(hours=hours)))


def serials(answer: Any) -> list[str]:
    return [one.serial for one in answer.certificates]


def serial(certificate: x509.Certificate) -> str:
    return certificate_facts(certificate).serial


# --- crt.sh ---


def test_crt_sh_names_every_certificate_once(there: KeyDatabaseServer) -> None:
    there.crt_sh(SPKI, [crt_sh_row(SHOP, 1), crt_sh_row(SHOP, 2), crt_sh_row(OTHER, 3)])
    answer = databases().crt_sh(there.url, SPKI)
    assert (answer.state, answer.error) == ("answered", None)
    assert serials(answer) == [serial(SHOP), serial(OTHER)]
    first = answer.certificates[0].as_dict()
    assert first["names"] == ["shop.example.org"]  # the fingerprint that was searched for is no name
    assert first["url"] == f"{there.url}/?id=1"
    assert first["not_after"] == certificate_facts(SHOP).not_after.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_nothing_in_the_logs_is_an_answer(there: KeyDatabaseServer) -> None:
    there.crt_sh(SPKI, [])
    answer = databases().crt_sh(there.url, SPKI)
    assert (answer.state, answer.certificates) == ("answered", [])


@pytest.mark.parametrize(
    ("body", "how", "code"),
    [
        (b"<html>502 Bad Gateway</html>", {"status": 502}, "http_error"),
        (b"slow down", {"status": 429}, "http_error"),
        (b"<!DOCTYPE html><title>crt.sh</title>", {}, "answer_unreadable"),
        (b"", {}, "answer_unreadable"),
        (b"\x00\xff\xfe garbage", {}, "answer_unreadable"),
        (b'{"error": "statement timeout"}', {}, "answer_unreadable"),
        (b"[1, 2]", {}, "answer_unreadable"),
        (b"[" * 100000, {}, "answer_unreadable"),
        (b"[]", {"delay": 3.0}, "timeout"),
        (b"[" + b" " * 200 + b"]", {"drip": 0.1}, "timeout"),
        (b"[]", {"announce": 500}, "unreachable"),
        (b"", {"redirect": "http://127.0.0.1:1/"}, "redirect_refused"),
    ],
)
def test_who_does_not_answer_is_said_not_to(
    there: KeyDatabaseServer, tmp_path: Path, body: bytes, how: dict[str, Any], code: str
) -> None:
    there.crt_sh(SPKI, body, **how)
    there.certspotter("example.org", body, **how)
    ask = databases(tmp_path / "cache", timeout=1)
    for answer in (ask.crt_sh(there.url, SPKI), ask.certspotter(there.url, SPKI, ["example.org"], None)):
        assert answer.state == "not_answered" and answer.certificates == []
        assert answer.error is not None and answer.error.code == code
    assert list(tmp_path.rglob("*.json")) == []  # nothing of it is kept


def test_nobody_there_is_not_answered() -> None:
    answer = databases().crt_sh("http://127.0.0.1:1", SPKI)
    assert answer.state == "not_answered" and answer.error and answer.error.code == "unreachable"


def test_odd_values_in_rows_are_left_out(there: KeyDatabaseServer) -> None:
    row = {
        "serial_number": "zz",
        "issuer_name": 7,
        "common_name": None,
        "id": "x",
        "not_before": "never",
        "not_after": 3,
    }
    there.crt_sh(SPKI, [row, {}, {"issuer_name": "evil\x1b[2Jname" + "x" * 1000}])
    answer = databases().crt_sh(there.url, SPKI)
    assert answer.state == "answered" and len(answer.certificates) == 2
    assert "\x1b" not in str(answer.as_dict()) and all(len(one.issuer) <= 300 for one in answer.certificates)


# --- Cert Spotter ---


def test_certspotter_is_asked_page_by_page_and_filtered_by_key(there: KeyDatabaseServer) -> None:
    there.certspotter("example.org", [issuance(SHOP, 1), issuance(FOREIGN, 2)])
    there.certspotter("example.org", [issuance(PRECERTIFICATE, 3), issuance(OTHER, 4, with_der=False)], after="2")
    there.certspotter("example.org", [], after="4")
    answer = databases().certspotter(there.url, SPKI, ["example.org"], "a token")
    assert answer.state == "answered"
    assert serials(answer) == [serial(SHOP), serial(PRECERTIFICATE), None]
    assert answer.certificates[0].certificate_pem is not None
    assert answer.certificates[1].is_precertificate and answer.certificates[1].certificate_pem is None
    assert answer.certificates[2].names == ("other.example.org",)
    assert {headers.get("authorization") for headers in there.web.headers} == {"Bearer a token"}


def test_token_does_not_follow_a_redirect(there: KeyDatabaseServer) -> None:
    there.certspotter("example.org", b"", redirect=there.web.url("/elsewhere"))
    answer = databases().certspotter(there.url, SPKI, ["example.org"], "a token")
    assert answer.state == "not_answered" and there.web.count("/elsewhere") == 0


def test_what_was_found_before_it_fell_silent_stays_found(there: KeyDatabaseServer) -> None:
    there.certspotter("example.org", [issuance(SHOP, 1)])
    there.certspotter("example.org", b"", after="1", status=503)
    answer = databases().certspotter(there.url, SPKI, ["example.org"], None)
    assert (answer.state, serials(answer)) == ("partly", [serial(SHOP)])


def test_endless_pages_end(there: KeyDatabaseServer) -> None:
    there.certspotter("example.org", [issuance(SHOP, 1)])
    there.certspotter("example.org", [issuance(SHOP, 1)], after="1")
    answer = databases().certspotter(there.url, SPKI, ["example.org"], None)
    assert answer.state == "partly" and answer.error and answer.error.code == "too_many_answers"
    assert len(there.web.requests) == 50


def test_without_a_domain_certspotter_cannot_be_asked() -> None:
    answer = databases().certspotter("http://127.0.0.1:1", SPKI, [], None)
    assert answer.state == "not_answered" and answer.error and answer.error.code == "no_domain"


@pytest.mark.parametrize(
    ("names", "domains"),
    [
        (["shop.example.org", "*.example.org", "www.shop.example.org"], ["example.org"]),
        (["Shop.Example.ORG.", "b.test.net"], ["b.test.net", "shop.example.org"]),
        (["localhost", "192.0.2.7", "2001:db8::1", "", "a&b.example.org", "x" * 300 + ".org"], []),
    ],
)
def test_fewest_domains_are_asked_about(names: list[str], domains: list[str]) -> None:
    assert domains_to_ask(names) == domains


def test_elsewhere_is_what_nobody_knows_of_here(there: KeyDatabaseServer) -> None:
    there.crt_sh(SPKI, [crt_sh_row(SHOP, 1), crt_sh_row(OTHER, 2)])
    there.certspotter("example.org", [issuance(OTHER, 1)])
    there.certspotter("example.org", [], after="1")
    ask = databases()
    logged = [
        *ask.crt_sh(there.url, SPKI).certificates,
        *ask.certspotter(there.url, SPKI, ["example.org"], None).certificates,
    ]
    [found] = elsewhere(logged, [serial(SHOP)])
    assert found.serial == serial(OTHER) and found.certificate_pem is not None


# --- the cache ---


def test_answer_is_kept_and_says_how_old_it_is(there: KeyDatabaseServer, tmp_path: Path) -> None:
    there.crt_sh(SPKI, [crt_sh_row(SHOP)])
    first = databases(tmp_path / "cache").crt_sh(there.url, SPKI)
    there.crt_sh(SPKI, b"", status=502)
    again = databases(tmp_path / "cache").crt_sh(there.url, SPKI)
    assert serials(again) == serials(first) and again.is_cached and not first.is_cached
    assert again.at is not None and first.at is not None and again.at <= first.at + timedelta(seconds=2)
    assert len(there.web.requests) == 1
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


def test_old_answer_is_not_used(there: KeyDatabaseServer, tmp_path: Path) -> None:
    there.crt_sh(SPKI, [crt_sh_row(SHOP)])
    databases(tmp_path, hours=1).crt_sh(there.url, SPKI)
    there.crt_sh(SPKI, b"", status=502)
    cache = AnswerCache(str(tmp_path), timedelta(hours=1))
    assert (
        cache.get(f"{there.url}/?spkisha256={SPKI}&output=json", now=datetime.now(timezone.utc) + timedelta(hours=2))
        is None
    )
    assert databases(tmp_path, hours=0).crt_sh(there.url, SPKI).state == "not_answered"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"url": "x"}', b"\xff"])
def test_damaged_cache_is_as_good_as_empty(there: KeyDatabaseServer, tmp_path: Path, damage: bytes) -> None:
    there.crt_sh(SPKI, [crt_sh_row(SHOP)])
    databases(tmp_path).crt_sh(there.url, SPKI)
    for file in tmp_path.glob("*.json"):
        file.write_bytes(damage)
    assert databases(tmp_path).crt_sh(there.url, SPKI).state == "answered"
    assert len(there.web.requests) == 2


def test_cache_that_cannot_be_written_is_no_error(there: KeyDatabaseServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    there.crt_sh(SPKI, [crt_sh_row(SHOP)])
    assert databases(tmp_path / "file" / "cache").crt_sh(there.url, SPKI).state == "answered"
    assert os.listdir(tmp_path) == ["file"]


# --- pwnedkeys ---


@pytest.mark.parametrize("kind", ["ec", "ec-secp384r1", "rsa", "ec-secp521r1"])
def test_key_that_is_known_to_others_is_proven(there: KeyDatabaseServer, kind: str) -> None:
    key = ec.generate_private_key(ec.SECP521R1()) if kind == "ec-secp521r1" else make_key(kind)
    spki = spki_sha256(key.public_key())
    there.pwnedkeys(spki, attestation(key))
    answer = databases().pwnedkeys(there.url, spki, key.public_key())
    assert (answer.state, answer.is_known) == ("answered", True)


def test_key_that_is_not_listed_is_not_known(there: KeyDatabaseServer) -> None:
    answer = databases().pwnedkeys(there.url, SPKI, KEY.public_key())
    assert (answer.state, answer.is_known) == ("answered", False)


@pytest.mark.parametrize(
    "body",
    [
        attestation(KEY, signer=make_key()),
        attestation(KEY, kid="0" * 64),
        attestation(KEY, alg="none"),
        attestation(KEY, alg="HS256"),
        attestation(KEY, payload=b"This key is fine"),
        {**attestation(KEY), "signature": ""},
        {"protected": "e30", "payload": "e30"},
        [],
        b"<html>",
        b"",
        {"protected": "W10", "payload": "x", "signature": "x"},
    ],
)
def test_proof_that_does_not_hold_is_no_answer(there: KeyDatabaseServer, body: Any) -> None:
    there.pwnedkeys(SPKI, body)
    answer = databases().pwnedkeys(there.url, SPKI, KEY.public_key())
    assert (answer.state, answer.is_known) == ("not_answered", None)
    assert answer.error is not None and answer.error.code == "attestation_invalid"


def test_without_the_public_key_a_listing_proves_nothing(there: KeyDatabaseServer) -> None:
    there.pwnedkeys(SPKI, attestation(KEY))
    answer = databases().pwnedkeys(there.url, SPKI, None)
    assert (answer.state, answer.is_known) == ("answered", None) and "listed" in answer.detail


def test_failing_database_is_not_read_as_unlisted(there: KeyDatabaseServer) -> None:
    there.pwnedkeys(SPKI, b"", status=500)
    answer = databases().pwnedkeys(there.url, SPKI, KEY.public_key())
    assert (answer.state, answer.is_known) == ("not_answered", None)
