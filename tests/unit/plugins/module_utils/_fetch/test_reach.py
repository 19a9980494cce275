# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a request comes, told the same way by the control node and by the host; each has its own code for that."""

from __future__ import annotations

import base64
import email.utils
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._fetch.reach import reach
from ansible_collections.certops.rotation.plugins.module_utils._host.reach import reached
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer, Reply
from ansible_collections.certops.rotation.tests.support.tls_server import closed_port, resetting_server

Ask = Callable[[str, float], dict[str, Any]]


def from_control_node(url: str, slow_after: float = 5.0) -> dict[str, Any]:
    found = reach(url, timeout=1.5, slow_after=slow_after)
    return {"code": found.code, "msg": found.msg, "clock_ahead": found.clock_ahead, "status": found.status}


def from_host(url: str, slow_after: float = 5.0) -> dict[str, Any]:
    return reached({"url": url, "kind": "crl"}, 1.5, slow_after)


@pytest.fixture(params=[from_control_node, from_host])
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ask:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    made: Ask = request.param
    return made


@pytest.fixture
def web() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


def test_answer_in_time_is_ok(ask: Ask, web: HttpServer) -> None:
    found = ask(web.put("/a.crl", b"crl"), 5.0)
    assert (found["code"], found["status"]) == ("ok", 200)
    assert abs(found["clock_ahead"]) < 3


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"status": 503}, "http_error"),
        ({"status": 407}, "proxied"),
        ({"status": 511, "headers": {"Content-Type": "text/html"}}, "proxied"),
        ({"headers": {"Content-Type": "text/html"}}, "proxied"),
        ({"status": 403, "headers": {"Content-Type": "text/html", "Via": "1.1 wall"}}, "proxied"),
        ({"status": 403, "headers": {"Content-Type": "text/html"}}, "http_error"),
        ({"delay": 3}, "slow"),
        ({"drip": 1, "body": b"xxxxxx"}, "slow"),
        ({"reset": True}, "broken"),
    ],
)
def test_what_is_wrong_with_an_answer_has_its_code(ask: Ask, web: HttpServer, reply: dict[str, Any], code: str) -> None:
    found = ask(web.put("/a.crl", **{"body": b"x", **reply}), 5.0)
    assert found["code"] == code, found


def test_late_answer_is_slow(ask: Ask, web: HttpServer) -> None:
    assert ask(web.put("/a.crl", b"x", delay=0.3), 0.1)["code"] == "slow"


def test_answer_that_was_late_once_is_not_slow_for_the_host(web: HttpServer) -> None:
    url = web.put("/a.crl", b"x")
    web.put_first("/a.crl", Reply(b"x", delay=0.4))
    assert from_host(url, 0.3)["code"] == "ok"


def test_way_that_ends_early_has_its_code(ask: Ask) -> None:
    assert ask(f"http://127.0.0.1:{closed_port()}/", 5.0)["code"] == "refused"
    assert ask("http://ocsp.certops.invalid/", 5.0)["code"] == "name_not_resolved"
    with resetting_server() as peer:
        assert ask(f"http://127.0.0.1:{peer.port}/", 5.0)["code"] == "broken"


def test_syn_that_nobody_answers_is_blocked(ask: Ask) -> None:
    with socket.socket() as listener, socket.socket() as one, socket.socket() as two:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (one, two):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.05)
        started = time.monotonic()
        assert ask(f"http://127.0.0.1:{listener.getsockname()[1]}/", 5.0)["code"] == "blocked"
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "http://0.0.0.0/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
    ],
)
def test_address_where_no_ca_can_be_is_not_asked(ask: Ask, url: str) -> None:
    assert ask(url, 5.0)["code"] in ("not_asked", "blocked", "name_not_resolved")
    assert ask(url, 5.0)["code"] != "ok"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://ca.example.org/", "http://user:pw@127.0.0.1/", "http://"])
def test_host_asks_nothing_but_plain_urls(url: str) -> None:
    found = from_host(url)
    assert found["code"] in ("not_asked", "name_not_resolved"), found


def test_clock_of_the_server_is_measured_with_the_age_in_caches_taken_off(ask: Ask, web: HttpServer) -> None:
    date = email.utils.formatdate(time.time() + 3600 - 100, usegmt=True)
    url = web.put("/a.crl", b"x", headers={"Age": "100"})
    # The server writes a Date of its own first, which is right; the age makes it look ahead.
    assert 95 < ask(url, 5.0)["clock_ahead"] < 105, date


def test_host_brings_the_answer_of_a_responder(web: HttpServer) -> None:
    asked: list[bytes] = []
    from ansible_collections.certops.rotation.tests.support.pki import Authority
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509 import ocsp

    root = Authority.root()
    leaf = root.issue()
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf.certificate, root.certificate, hashes.SHA1()).build()
    body = request.public_bytes(serialization.Encoding.DER)

    def answer(parsed: ocsp.OCSPRequest) -> bytes:
        asked.append(parsed.public_bytes(serialization.Encoding.DER))
        return b"answer"

    url = web.put_ocsp("/ocsp", answer)
    target = {"url": url, "kind": "ocsp", "request_b64": base64.b64encode(body).decode(), "about": "it"}
    found = reached(target, 2.0, 2.0)
    assert (base64.b64decode(found["answer_b64"]), found["about"], asked) == (b"answer", "it", [body])


def test_host_tells_that_only_a_proxy_leads_there(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is asked with the whole URL, and its password is in nothing that is told."""
    monkeypatch.setenv("http_proxy", f"http://user:hidden@127.0.0.1:{web.url('/').split(':')[2].strip('/')}")
    monkeypatch.delenv("no_proxy", raising=False)
    url = f"http://127.0.0.2:{closed_port()}/a.crl"
    web.put(url, b"crl")
    found = reached({"url": url, "kind": "crl"}, 2.0, 2.0)
    assert found["code"] == "proxied" and "directly: the connection is refused" in found["msg"]
    assert "hidden" not in str(found)
