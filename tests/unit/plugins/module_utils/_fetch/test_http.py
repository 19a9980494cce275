# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bounds of fetching, on a real server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import VERSION, HttpClient
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.pki import Authority
from ansible_collections.certops.rotation.tests.support.tls_server import (
    TlsServer,
    closed_port,
    plain_text_server,
)


@pytest.fixture
def web() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


def code_of(url: str, **limits: Any) -> str:
    with pytest.raises(RotationError) as caught:
        HttpClient(**{"timeout": 5.0, **limits}).get(url)
    return caught.value.code


def test_answer_with_what_is_known_of_it(web: HttpServer) -> None:
    fetched = HttpClient().get(web.put("/ca.crl", b"bytes"))
    assert (fetched.body, fetched.status, fetched.method) == (b"bytes", 200, "GET")
    assert fetched.url == web.url("/ca.crl") and fetched.headers["content-length"] == "5"
    assert web.headers[0]["user-agent"] == f"certops.rotation/{VERSION}"


def test_version_is_the_collections() -> None:
    galaxy = Path(__file__).parents[5] / "galaxy.yml"
    assert yaml.safe_load(galaxy.read_text())["version"] == VERSION


def test_post(web: HttpServer) -> None:
    fetched = HttpClient().post(web.put("/ocsp", b"answer"), b"question", headers={"Content-Type": "application/x"})
    assert (fetched.body, web.requests, web.headers[0]["content-type"]) == (
        b"answer",
        [("POST", "/ocsp")],
        "application/x",
    )


@pytest.mark.parametrize("status", [404, 403, 500, 503])
def test_http_errors_carry_their_status(web: HttpServer, status: int) -> None:
    with pytest.raises(RotationError) as caught:
        HttpClient().get(web.put("/gone", b"no", status=status))
    assert (caught.value.code, caught.value.facts["status"]) == ("http_error", status)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "ldap://127.0.0.1/x",
        "/etc/passwd",
        "http://",
        "http://a b/",
        "http://[::1",
    ],
)
def test_other_schemes_are_refused(url: str) -> None:
    assert code_of(url) == "scheme_refused"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/"])
def test_redirect_to_another_scheme_is_refused(web: HttpServer, target: str) -> None:
    assert code_of(web.put("/away", redirect=target)) == "redirect_refused"


def test_redirects_are_followed_and_counted(web: HttpServer) -> None:
    web.put("/end", b"there")
    web.put("/two", redirect="/end")
    assert HttpClient(max_redirects=2).get(web.put("/one", redirect="two")).body == b"there"
    assert code_of(web.url("/one"), max_redirects=1) == "redirect_refused"


def test_redirect_loop_ends(web: HttpServer) -> None:
    assert code_of(web.put("/loop", redirect="/loop")) == "redirect_refused"
    assert web.count("/loop") == 4


@pytest.mark.parametrize("how", [{}, {"endless": True}])
def test_too_large_is_not_read_to_its_end(web: HttpServer, how: dict[str, Any]) -> None:
    assert code_of(web.put("/big.crl", b"x" * 100_001, **how), max_bytes=100_000) == "too_large"


def test_exactly_the_limit_is_read(web: HttpServer) -> None:
    assert len(HttpClient(max_bytes=100_000).get(web.put("/big.crl", b"x" * 100_000)).body) == 100_000


@pytest.mark.parametrize("how", [{"delay": 2.0}, {"drip": 0.1}])
def test_slow_answers_end_in_time(web: HttpServer, how: dict[str, Any]) -> None:
    started = time.monotonic()
    assert code_of(web.put("/slow.crl", b"x" * 100, **how), timeout=0.4) == "timeout"
    assert time.monotonic() - started < 1.5


def test_answer_that_breaks_off_is_no_answer(web: HttpServer) -> None:
    assert code_of(web.put("/half.crl", b"half", announce=8)) == "unreachable"


def test_nothing_listens() -> None:
    assert code_of(f"http://127.0.0.1:{closed_port()}/") == "unreachable"


def test_peer_that_is_no_http_server() -> None:
    with plain_text_server() as peer:
        assert code_of(f"http://127.0.0.1:{peer.port}/") == "unreachable"


def test_https_server_that_is_not_trusted() -> None:
    with TlsServer(Authority.root().issue(["127.0.0.1"])) as peer:
        assert code_of(f"https://127.0.0.1:{peer.port}/") == "unreachable"


def test_unknown_host() -> None:
    assert code_of("http://no-such-host.invalid/") in ("name_not_resolved", "timeout")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1"])
def test_private_addresses_can_be_refused(web: HttpServer, host: str) -> None:
    assert code_of(f"http://{host}:{web.port}/", allow_private=False) == "address_refused"
    assert web.requests == []


def test_proxy_of_the_environment_is_used(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    web.put("http://ca.invalid/ca.crl", b"by proxy")
    monkeypatch.setenv("http_proxy", web.url(""))
    monkeypatch.delenv("no_proxy", raising=False)
    assert HttpClient().get("http://ca.invalid/ca.crl").body == b"by proxy"
