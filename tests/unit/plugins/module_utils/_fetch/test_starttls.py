# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for TLS in plain text: real connections on loopback, to servers that upgrade and to those that do not."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.starttls import STARTTLS_PORTS
from ansible_collections.certops.rotation.plugins.module_utils._fetch import starttls
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, Handshake, handshakes
from ansible_collections.certops.rotation.tests.support import tls_server
from ansible_collections.certops.rotation.tests.support.nginx import free_port
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued
from ansible_collections.certops.rotation.tests.support.starttls_servers import (
    FEATURES,
    STREAM,
    XMPP_TLS,
    StarttlsServer,
    ldap_answer,
    mysql_greeting,
    saying,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PROTOCOLS = sorted(starttls.PROTOCOLS)
HELLO = b"220 mx.example.org\r\n"
OFFER = b"250-mx\r\n250 STARTTLS\r\n"


@pytest.fixture(scope="module")
def ca() -> Authority:
    return Authority.root()


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Issued:
    return ca.issue(["mx.example.org"])


def ask(port: int, protocol: str, *, name: str | None = "mx.example.org", timeout: float = 3) -> Handshake:
    return handshakes([Endpoint("127.0.0.1", port, name, starttls=protocol)], timeout=timeout)[0]


def test_every_protocol_has_a_usual_port() -> None:
    assert sorted(STARTTLS_PORTS) == PROTOCOLS


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_certificate_for_the_name_is_seen(protocol: str, ca: Authority, leaf: Issued) -> None:
    other = ca.issue(["other.example.org"])
    with StarttlsServer(protocol, leaf, by_name={"other.example.org": other}) as server:
        seen = [ask(server.port, protocol, name=name) for name in ("mx.example.org", "other.example.org", None)]
    assert [one.error for one in seen] == [None] * 3
    serials = [x509.load_der_x509_certificate(one.chain[0]).serial_number for one in seen]
    assert serials == [leaf.serial, other.serial, leaf.serial]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_servers_of_these_tests_are_right_in_the_eyes_of_openssl(protocol: str, leaf: Issued) -> None:
    with StarttlsServer(protocol, leaf) as server:
        place = f"127.0.0.1:{server.port}"
        done = subprocess.run(
            ["openssl", "s_client", "-starttls", protocol, "-connect", place],
            input=b"", capture_output=True, timeout=10, check=False,
        )  # fmt: skip
    assert b"BEGIN CERTIFICATE" in done.stdout


@pytest.mark.parametrize("injected", [b"a2 OK welcome\r\n", b" ", b"\x16\x03\x03\x00\x7a"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_bytes_between_go_ahead_and_tls_are_refused(protocol: str, injected: bytes, leaf: Issued) -> None:
    with StarttlsServer(protocol, leaf, injected=injected) as server:
        seen = ask(server.port, protocol)
    assert (_code(seen), seen.chain) == ("starttls_protocol_error", ())


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("smtp", [b"554 5.7.1 go away\r\n"]),
        ("smtp", [HELLO, b"250 mx.example.org\r\n"]),
        ("smtp", [HELLO, b"250-STARTTLS\r\n250 SIZE\r\n"]),
        ("smtp", [HELLO, OFFER, b"454 4.7.0 TLS not available\r\n"]),
        ("ftp", [b"120 soon\r\n421 not now\r\n"]),
        ("ftp", [HELLO, b"502 not implemented\r\n"]),
        ("imap", [b"* BYE too many connections\r\n"]),
        ("imap", [b"* PREAUTH you are in\r\n"]),
        ("imap", [b"* OK hello\r\n", b"a1 BAD what\r\n"]),
        ("imap", [b"* OK hello\r\n", b"* BYE shutting down\r\n"]),
        ("pop3", [b"-ERR locked\r\n"]),
        ("pop3", [b"+OK hello\r\n", b"-ERR no\r\n"]),
        ("ldap", [b"", ldap_answer(52, b"no certificate")]),
        ("ldap", [b"", ldap_answer(2)]),
        ("ldap", [b"", ldap_answer(52, number=0)]),
        ("xmpp", [b"", (STREAM + "<stream:features/>").encode()]),
        ("xmpp", [b"", (STREAM + FEATURES).encode(), f"<failure xmlns='{XMPP_TLS}'/></stream:stream>".encode()]),
        ("xmpp", [b"", (STREAM + "<stream:error><host-unknown/></stream:error></stream:stream>").encode()]),
        ("postgres", [b"", b"N"]),
        ("postgres", [b"", b"ESFATAL\0"]),
        ("mysql", [mysql_greeting(0xF7FF)]),
        ("mysql", [b"\x17\0\0\0\xff\x69\x04Host is blocked now.."]),
    ],
)
def test_no_is_starttls_refused(protocol: str, said: list[bytes]) -> None:
    with saying(*said) as server:
        assert _code(ask(server.port, protocol)) == "starttls_refused"


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("smtp", [b"HTTP/1.1 400 Bad Request\r\n"]),
        ("smtp", [b"22\r\n"]),
        ("smtp", [b"x" * 40000]),
        ("smtp", [b"220-again\r\n" * 4000]),
        ("ftp", ["²²⁰ hello\r\n".encode()]),
        ("imap", [HELLO]),
        ("imap", [b"* OK hello\r\n", b"a2 OK begin\r\n"]),
        ("pop3", [HELLO]),
        ("pop3", [b"+OK hello\r\n", b"OK\r\n"]),
        ("ldap", [b"", b"HTTP/1.1 400 Bad Request\r\n"]),
        ("ldap", [b"", b"\x30\x84\xff\xff\xff\xff"]),
        ("ldap", [b"", b"\x30\x80"]),
        ("ldap", [b"", b"\x30\x05\x02\x01\x01\x78\x7f"]),
        ("ldap", [b"", b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"]),
        ("xmpp", [b"", b"<html></html>"]),
        ("xmpp", [b"", b"not even </xml>"]),
        ("xmpp", [b"", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]),
        ("xmpp", [b"", STREAM.encode() + b"<a>" * 20000]),
        ("postgres", [b"", b"X"]),
        ("mysql", [HELLO]),
        ("mysql", [b"\x01\0\0\0\x0a"]),
        ("mysql", [b"\x05\0\0\0\x0a8.0\0"]),
    ],
)
def test_what_is_not_the_protocol_is_an_error(protocol: str, said: list[bytes]) -> None:
    with saying(*said) as server:
        assert _code(ask(server.port, protocol)) == "starttls_protocol_error"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_peer_that_closes_in_between(protocol: str) -> None:
    with tls_server.LoopbackServer(lambda sock: None) as server:
        assert _code(ask(server.port, protocol)) in ("closed", "reset")


@pytest.mark.parametrize("peer", [tls_server.silent_server, tls_server.dripping_server])
@pytest.mark.parametrize("protocol", ["smtp", "postgres"])
def test_timeout_covers_the_conversation(protocol: str, peer: object) -> None:
    started = time.monotonic()
    with peer(1.0) as server:  # type: ignore[operator]
        seen = ask(server.port, protocol, timeout=0.3)
    assert _code(seen) in ("timeout", "starttls_protocol_error")
    assert time.monotonic() - started < 1.5


def test_go_ahead_and_then_no_tls() -> None:
    with saying(HELLO, OFFER, HELLO, b"220 still here\r\n") as server:
        assert _code(ask(server.port, "smtp")) == "not_tls"


def test_what_a_peer_says_is_shown_short_and_harmless() -> None:
    with saying(b"554 \x1b[2J" + b"n" * 900 + b"\r\n") as server:
        error = ask(server.port, "smtp").error
    assert error is not None and "\x1b" not in error.msg and len(error.msg) < 250


def test_client_without_a_name_says_its_address() -> None:
    dialogue = starttls.ask_for_tls("smtp", starttls.Asking("mx.example.org", "2001:db8::7"))
    assert next(dialogue) == starttls.Turn(until=b"\n")
    assert dialogue.send(b"220 hello\n") == starttls.Turn(b"EHLO [IPv6:2001:db8::7]\r\n", until=b"\n")


def test_many_protocols_beside_each_other(leaf: Issued) -> None:
    servers = [StarttlsServer(protocol, leaf) for protocol in PROTOCOLS]
    for server in servers:
        server.__enter__()
    try:
        wanted = [
            Endpoint("127.0.0.1", server.port, "mx.example.org", starttls=protocol)
            for server, protocol in zip(servers, PROTOCOLS, strict=True)
        ] * 3
        seen = handshakes(wanted, timeout=5, concurrency=6)
    finally:
        for server in servers:
            server.__exit__()
    assert [one.endpoint for one in seen] == wanted
    assert {one.error for one in seen} == {None}


@pytest.mark.skipif(not shutil.which("initdb") or not shutil.which("runuser"), reason="needs PostgreSQL and runuser")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_real_postgresql(leaf: Issued) -> None:
    folder = Path(subprocess.check_output(["runuser", "-u", "nobody", "--", "mktemp", "-d"], text=True).strip())
    port = free_port()
    (folder / "server.crt").write_text(leaf.chain_pem)
    key = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").touch(mode=0o600)
    (folder / "server.key").write_bytes(key)
    for name in ("server.crt", "server.key"):
        shutil.chown(folder / name, "nobody")
    as_nobody = ["runuser", "-u", "nobody", "--"]
    server = None
    try:
        quick = ["--no-sync", "--auth=trust", "-D", str(folder / "data")]
        subprocess.run([*as_nobody, "initdb", *quick], check=True, capture_output=True, cwd="/")
        options = {
            "ssl": "on", "ssl_cert_file": folder / "server.crt", "ssl_key_file": folder / "server.key",
            "unix_socket_directories": "", "listen_addresses": "127.0.0.1", "port": port,
        }  # fmt: skip
        set_to = [f"-c{name}={value}" for name, value in options.items()]
        server = subprocess.Popen(
            [*as_nobody, "postgres", "-D", str(folder / "data"), *set_to], stderr=subprocess.DEVNULL, cwd="/"
        )
        deadline = time.monotonic() + 20
        while (seen := ask(port, "postgres")).error is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert seen.error is None
        assert x509.load_der_x509_certificate(seen.chain[0]).serial_number == leaf.serial
    finally:
        if server is not None:
            server.terminate()
            server.wait(10)
        shutil.rmtree(folder)


def _code(seen: Handshake) -> str | None:
    return seen.error.code if seen.error else None
