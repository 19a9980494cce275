# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bounds of fetching, on a real server."""

from __future__ import annotations

import base64
import contextlib
import gzip
import socket
import ssl
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.address import check
from ansible_collections.certops.rotation.plugins.module_utils._fetch.connection import tls_context
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import VERSION, HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._fetch.retry import retry_after, retrying
from ansible_collections.certops.rotation.tests.support.connect_proxy import ConnectProxy
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer, Reply
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued
from ansible_collections.certops.rotation.tests.support.tls_server import (
    TlsServer,
    closed_port,
    plain_text_server,
)
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture
def web() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issued]:
    """A server's certificate that the system trusts for as long as the test runs."""
    root = Authority.root()
    (tmp_path / "roots.pem").write_text(root.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    tls_context.cache_clear()
    yield root.issue(["127.0.0.1", "ca.example.org"])
    tls_context.cache_clear()


def server_context(issued: Issued) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(issued.key_pem + issued.chain_pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


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


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0x7f.0.0.1",
        "0177.1",
        "2130706433",
        "127.1",
        "\uff11\uff12\uff17.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:102:304::80ff:fffe]",
        "[fd00::1]",
        "[fec0::1]",
        "10.0.0.1",
        "100.64.0.1",
        "192.168.1.1",
        "198.18.0.1",
    ],
)
def test_private_addresses_are_refused_in_every_notation(host: str) -> None:
    assert code_of(f"http://{host}/", allow_private=False) == "address_refused"


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "0",
        "0.1.2.3",
        "[::]",
        "[::ffff:0.0.0.0]",
        "169.254.169.254",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "168.63.129.16",
        "100.100.100.200",
        "224.0.0.1",
        "[ff02::1]",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_where_no_ca_can_be_is_refused_although_private_addresses_are_allowed(host: str) -> None:
    assert code_of(f"http://{host}/") == "address_refused"


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_not_refused(address: str) -> None:
    check("http://x/", address, allow_private=False)


def test_redirect_to_metadata_is_refused(web: HttpServer) -> None:
    assert code_of(web.put("/away", redirect="http://169.254.169.254/latest/")) == "address_refused"


def test_name_is_resolved_once_and_the_checked_address_connected_to(
    web: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers otherwise the second time finds that there is no second time."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_how: Any) -> list[Any]:
        asked.append(host)
        if len(asked) > 1:
            raise AssertionError("resolved again")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    web.put("/ca.crl", b"bytes")
    assert HttpClient().get(f"http://ca.example.org:{web.port}/ca.crl").body == b"bytes"
    assert asked == ["ca.example.org"] and web.headers[0]["host"] == f"ca.example.org:{web.port}"


def test_name_with_one_private_address_is_refused(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where, web.port)) for where in ("8.8.8.8", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked, **_how: both)
    assert code_of("http://ca.example.org/ca.crl", allow_private=False) == "address_refused"


def test_next_address_of_a_name_is_tried(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = closed_port()
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (closed, web.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked, **_how: both)
    web.put("/ca.crl", b"bytes")
    assert HttpClient().get("http://ca.example.org/ca.crl").body == b"bytes"


@pytest.mark.parametrize("url", ["http://user:secret@127.0.0.1/", "http://user@127.0.0.1/"])
def test_urls_with_a_user_are_refused(url: str) -> None:
    assert code_of(url) == "url_refused"


def test_refused_user_is_not_told(web: HttpServer) -> None:
    with pytest.raises(RotationError) as caught:
        HttpClient().get("http://user:hunter2@127.0.0.1/")
    assert "hunter2" not in f"{caught.value.message} {caught.value.facts}"


def test_path_beyond_ascii_and_fragment(web: HttpServer) -> None:
    web.put("/%C3%BC.crl?a=b%20c", b"bytes")
    assert HttpClient().get(web.url("/\u00fc.crl?a=b%20c#part")).body == b"bytes"


def test_redirect_away_from_https_is_refused(web: HttpServer, trusted: Issued) -> None:
    with HttpServer(server_context(trusted)) as safe:
        url = safe.put("/ca.crl", redirect=web.put("/ca.crl", b"bytes"))
        assert code_of(url) == "redirect_refused"
        url = web.put("/up", redirect=safe.put("/safe.crl", b"safe"))
        assert HttpClient().get(url).body == b"safe"
    assert web.count("/ca.crl") == 0


def test_post_is_not_turned_into_get(web: HttpServer) -> None:
    web.put("/end", b"answer")
    assert HttpClient().post(web.put("/away", status=307, redirect="/end"), b"question").body == b"answer"
    assert web.requests == [("POST", "/away"), ("POST", "/end")]
    with pytest.raises(RotationError) as caught:
        HttpClient().post(web.put("/see", status=303, redirect="/end"), b"question")
    assert caught.value.code == "redirect_refused"


# --- proxies ---


def test_no_proxy_is_honoured(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    assert HttpClient().get(web.put("/ca.crl", b"bytes")).body == b"bytes"
    monkeypatch.setenv("no_proxy", "example.org")
    assert code_of(web.url("/ca.crl")) == "unreachable"


def test_proxy_gets_the_whole_url_and_its_password(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    web.put("http://ca.invalid:8080/ca.crl?a=b", b"by proxy")
    monkeypatch.setenv("http_proxy", f"http://user:p%40ss@127.0.0.1:{web.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert HttpClient(allow_private=False).get("http://ca.invalid:8080/ca.crl?a=b").body == b"by proxy"
    assert web.headers[0]["host"] == "ca.invalid:8080"
    assert base64.b64decode(web.headers[0]["proxy-authorization"].removeprefix("Basic ")) == b"user:p@ss"


def test_https_goes_through_a_tunnel(trusted: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    with HttpServer(server_context(trusted)) as safe, ConnectProxy(safe.port) as proxy:
        safe.put("/ca.crl", b"safe")
        monkeypatch.setenv("https_proxy", proxy.url)
        assert HttpClient().get("https://ca.example.org/ca.crl").body == b"safe"
        assert proxy.heads[0].startswith("CONNECT ca.example.org:443 ")
        assert base64.b64encode(b"user:pa:ss").decode() in proxy.heads[0]
        assert "proxy-authorization" not in safe.headers[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "[::1]"])
def test_private_literal_is_refused_before_a_proxy_is_asked(
    web: HttpServer, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", web.url(""))
    monkeypatch.delenv("no_proxy", raising=False)
    assert code_of(f"http://{host}/", allow_private=False) == "address_refused"
    assert web.requests == []


def test_socks_proxy_is_said_to_be_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")
    monkeypatch.delenv("no_proxy", raising=False)
    assert code_of("http://ca.invalid/") == "proxy_unsupported"


# --- encodings ---


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_file_that_is_stored_packed_is_unpacked(web: HttpServer, coding: str, pack: Any) -> None:
    url = web.put("/ca.crl", pack(b"bytes" * 100), headers={"Content-Encoding": coding})
    assert HttpClient().get(url).body == b"bytes" * 100
    assert web.headers[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("body", "coding", "code"),
    [
        (gzip.compress(bytes(10_000_000)), "gzip", "too_large"),
        (gzip.compress(b"bytes")[:-6], "gzip", "encoding_unsupported"),
        (b"bytes", "gzip", "encoding_unsupported"),
        (b"bytes", "br", "encoding_unsupported"),
        (b"bytes", "gzip, gzip", "encoding_unsupported"),
    ],
    ids=["bomb", "cut-off", "not-packed", "brotli", "packed-twice"],  # a packed body has the time in it
)
def test_what_cannot_be_unpacked_is_refused(web: HttpServer, body: bytes, coding: str, code: str) -> None:
    url = web.put("/ca.crl", body, headers={"Content-Encoding": coding})
    assert code_of(url, max_bytes=1_000_000) == code


# --- retries ---


@pytest.mark.parametrize(
    "first",
    [
        Reply(status=503),
        Reply(status=500),
        Reply(status=429),
        Reply(reset=True),
        Reply(b"half", announce=9),
        Reply(b"x", cut=True),
    ],
)
def test_what_may_pass_is_asked_again(web: HttpServer, first: Reply) -> None:
    url = web.put("/ca.crl", b"bytes")
    web.put_first("/ca.crl", first, first)
    assert HttpClient(retries=2).get(url).body == b"bytes"
    assert web.count("/ca.crl") == 3


def test_silence_is_cut_short_for_another_try(web: HttpServer) -> None:
    url = web.put("/ca.crl", b"bytes")
    web.put_first("/ca.crl", Reply(delay=3.0))
    fetched = HttpClient(retries=1, timeout=2.0).get(url)
    assert fetched.body == b"bytes" and 1.0 <= fetched.seconds < 2.0


def test_slow_bytes_that_flow_are_not_cut_short(web: HttpServer) -> None:
    url = web.put("/ca.crl", b"x" * 12, drip=0.1)
    assert HttpClient(retries=2, timeout=4.0).get(url).body == b"x" * 12
    assert web.count("/ca.crl") == 1


@pytest.mark.parametrize("reply", [Reply(status=404), Reply(status=501), Reply(redirect="file:///")])
def test_what_stays_is_not_asked_again(web: HttpServer, reply: Reply) -> None:
    web.replies["/ca.crl"] = reply
    code_of(web.url("/ca.crl"), retries=5)
    assert web.count("/ca.crl") == 1


def test_refused_connection_and_wrong_certificate_are_not_tried_again() -> None:
    started = time.monotonic()
    assert code_of(f"http://127.0.0.1:{closed_port()}/", retries=5) == "unreachable"
    with TlsServer(Authority.root().issue(["127.0.0.1"])) as peer:
        assert code_of(f"https://127.0.0.1:{peer.port}/", retries=5) == "unreachable"
        assert peer.connections == 1
    assert time.monotonic() - started < 1.0


def test_retries_end(web: HttpServer) -> None:
    assert code_of(web.put("/ca.crl", b"", status=503), retries=2) == "http_error"
    assert web.count("/ca.crl") == 3


def test_retry_after_is_respected(web: HttpServer) -> None:
    url = web.put("/ca.crl", b"bytes")
    web.put_first("/ca.crl", Reply(status=503, headers={"Retry-After": "1"}))
    fetched = HttpClient(retries=1).get(url)
    assert fetched.body == b"bytes" and fetched.seconds >= 1.0


@pytest.mark.parametrize("when", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_retry_after_beyond_the_time_limit_ends_it_at_once(web: HttpServer, when: str) -> None:
    started = time.monotonic()
    url = web.put("/ca.crl", b"", status=503, headers={"Retry-After": when})
    assert code_of(url, retries=2) == "http_error"
    assert time.monotonic() - started < 1.0 and web.count("/ca.crl") == 1


@pytest.mark.parametrize("when", ["soon", "-5", "", "Fri, 01 Jan 2100 00:00:00", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_odd_retry_after_is_no_harm(when: str) -> None:
    pause = retry_after({"retry-after": when})
    assert pause is None or pause >= 0


def test_whole_time_limit_holds_with_retries(web: HttpServer) -> None:
    started = time.monotonic()
    assert code_of(web.put("/ca.crl", b"x", delay=5.0), retries=5, timeout=1.0) == "timeout"
    assert time.monotonic() - started < 1.5


@settings(max_examples=200, deadline=None)
@given(
    script=st.lists(st.sampled_from(["timeout", "http_error", "scheme_refused", "ok"]), min_size=1, max_size=12),
    retries=st.integers(0, 6),
    limit=st.floats(0.0, 5.0),
)
def test_properties_of_retrying(script: list[str], retries: int, limit: float) -> None:
    """Never more attempts than allowed, never a pause beyond the deadline, pauses that grow, the last error told."""
    calls: list[str] = []
    pauses: list[float] = []
    deadline = time.monotonic() + limit

    def attempt(answer_by: float) -> str:
        word = script[min(len(calls), len(script) - 1)]
        calls.append(word)
        if word == "ok":
            return word
        raise RotationError(word, "no", status=503)

    with contextlib.suppress(RotationError):
        assert retrying(attempt, retries=retries, deadline=deadline, rest=pauses.append) == "ok"
    assert 1 <= len(calls) <= retries + 1 and len(pauses) == len(calls) - 1
    assert all(word in ("timeout", "http_error") for word in calls[:-1])
    assert all(0.25 * 2**number * 0.5 <= pause <= 0.25 * 2**number for number, pause in enumerate(pauses))
    assert all(pause <= limit for pause in pauses)
