# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that are none: pages, silence, garbage, TLS that cannot be trusted. Real servers on loopback."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem

DIRECTORY = {name: f"https://ca.example/{name}" for name in ("newNonce", "newAccount", "newOrder")}


@pytest.fixture
def web() -> Iterator[HttpServer]:
    with HttpServer() as made:
        yield made


def fault(url: str, tmp_path: Path, **more: Any) -> RotationError:
    options = {"timeout": 1, "request_timeout": 1, **more}
    with pytest.raises(RotationError) as raised:
        open_acme_client({"directory_url": url, "state_dir": str(tmp_path), **options}).reach(None)
    return raised.value


@pytest.mark.parametrize(
    "body",
    [
        b"<html><title>Log in</title></html>", b"", b"\xff\xfe\x00", b"[]", b"7", b"null", b"{}", b'{"newNonce": 7}',
        json.dumps({**DIRECTORY, "newOrder": "file:///etc/passwd"}).encode(), b"[" * 100000, b"x" * (2 << 20),
    ],
    ids=["html", "nothing", "bytes", "list", "number", "null", "empty", "types", "file-url", "nested", "huge"],
)  # fmt: skip
def test_what_is_no_directory_is_said(web: HttpServer, tmp_path: Path, body: bytes) -> None:
    error = fault(web.put("/dir", body), tmp_path)
    assert error.code == "acme_directory_invalid"
    assert error.facts["url"] == web.url("/dir")
    assert len(error.message) < 500


def test_the_page_of_a_proxy_is_quoted(web: HttpServer, tmp_path: Path) -> None:
    page = b"<html><h1>Blocked</h1>\n by policy</html>"
    error = fault(web.put("/dir", page, headers={"Content-Type": "text/html"}), tmp_path)
    assert "text/html ('<html><h1>Blocked</h1> by policy</html>')" in error.message


@pytest.mark.parametrize(
    ("status", "code"), [(404, "acme_directory_invalid"), (500, "acme_unavailable"), (503, "acme_unavailable")]
)
def test_errors_of_a_web_server(web: HttpServer, tmp_path: Path, status: int, code: str) -> None:
    assert fault(web.put("/dir", b"oops", status=status), tmp_path).code == code


@pytest.mark.parametrize("how", [{"delay": 5.0}, {"drip": 0.3}, {"endless": True}])
def test_silence_chatter_and_endlessness_end(web: HttpServer, tmp_path: Path, how: dict[str, Any]) -> None:
    body = json.dumps(DIRECTORY).encode() * (1 if "drip" in how else 1000)
    error = fault(web.put("/dir", body, **how), tmp_path)
    assert error.code in ("acme_timeout", "acme_directory_invalid")


def test_a_reset_connection_is_tried_again(web: HttpServer, tmp_path: Path) -> None:
    from ansible_collections.certops.rotation.tests.support.http_server import Reply

    url = web.put("/dir", json.dumps(DIRECTORY).encode())
    web.put_first("/dir", Reply(reset=True))
    client = open_acme_client({"directory_url": url, "state_dir": str(tmp_path), "timeout": 10})
    assert client.directory["newNonce"] == DIRECTORY["newNonce"]


def test_nobody_listens_and_no_such_name(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        error = fault(f"https://127.0.0.1:{sock.getsockname()[1]}/dir", tmp_path)
    assert (error.code, "Connection refused" in error.message) == ("acme_unreachable", True)
    assert fault("https://nowhere.invalid/dir", tmp_path).code == "acme_unreachable"


def test_a_failure_is_remembered_for_a_while(web: HttpServer, tmp_path: Path) -> None:
    client = open_acme_client({"directory_url": web.put("/dir", b"{}"), "state_dir": str(tmp_path)})
    for _twice in range(2):
        with pytest.raises(RotationError):
            client.reach(None)
    assert web.count("/dir") == 1


def test_no_redirect_leads_to_a_file(web: HttpServer, tmp_path: Path) -> None:
    assert fault(web.put("/dir", redirect="file:///etc/passwd"), tmp_path).code == "acme_directory_invalid"
    web.put("/round", redirect=web.url("/round"))
    assert fault(web.url("/round"), tmp_path).code == "acme_directory_invalid"


def tls(tmp_path: Path, authority: Authority, **how: Any) -> ssl.SSLContext:
    issued = authority.issue(how.pop("names", ["127.0.0.1"]), **how)
    (tmp_path / "tls.pem").write_text(issued.chain_pem + key_pem(issued.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem")
    return context


@pytest.mark.parametrize(
    ("how", "is_known", "why"),
    [
        ({}, False, "unable to get local issuer certificate"),
        ({"not_after": datetime.now(timezone.utc) - timedelta(hours=1)}, True, "certificate has expired"),
        ({"names": ["ca.example"]}, True, "IP address mismatch"),
    ],
    ids=["untrusted", "expired", "another name"],
)
def test_tls_that_cannot_be_trusted(tmp_path: Path, how: dict[str, Any], is_known: bool, why: str) -> None:
    now = datetime.now(timezone.utc)
    authority = Authority.root(at=now - timedelta(days=2))
    (tmp_path / "root.pem").write_text(authority.pem)
    context = tls(
        tmp_path, authority, **{"not_before": now - timedelta(days=1), "not_after": now + timedelta(days=1), **how}
    )
    with HttpServer(context) as web:
        url = web.put("/dir", json.dumps(DIRECTORY).encode())
        error = fault(url, tmp_path, **({"ca_bundle": str(tmp_path / "root.pem")} if is_known else {}))
    assert (error.code, why in error.message) == ("acme_tls_failed", True), error.message


def test_the_root_of_a_private_server_goes_into_ca_bundle(tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    authority = Authority.root(at=now - timedelta(days=2))
    (tmp_path / "root.pem").write_text(authority.pem)
    context = tls(tmp_path, authority, not_before=now - timedelta(days=1), not_after=now + timedelta(days=1))
    with HttpServer(context) as web:
        url = web.put("/dir", json.dumps(DIRECTORY).encode())
        entry = {"directory_url": url, "state_dir": str(tmp_path), "ca_bundle": str(tmp_path / "root.pem")}
        assert open_acme_client(entry).directory["newOrder"] == DIRECTORY["newOrder"]
        missing = fault(url, tmp_path, ca_bundle=str(tmp_path / "nowhere.pem"))
        assert missing.code == "acme_ca_bundle_unreadable"
