# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handshakes with real servers on loopback."""

from __future__ import annotations

import time

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._fetch import tls, tls_alert
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshake, handshakes
from ansible_collections.certops.rotation.tests.support import tls_server
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued, make_key
from ansible_collections.certops.rotation.tests.support.tls_server import TlsServer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.root().intermediate()


@pytest.fixture(scope="module")
def leaf(authority: Authority) -> Issued:
    return authority.issue(["shop.example.org"])


def shake(port: int, timeout: float = 5, **wanted: str) -> tls.Handshake:
    return handshake(Endpoint("127.0.0.1", port, **wanted), timeout=timeout)


def test_chain_is_read_in_the_order_sent(leaf: Issued) -> None:
    with TlsServer(leaf) as server:
        seen = shake(server.port, server_name="shop.example.org")
    assert seen.error is None
    assert seen.chain == tuple(certificate.public_bytes(Encoding.DER) for certificate in leaf.chain)
    assert (seen.staple, seen.tls_version) == (None, "TLSv1.3")


@pytest.mark.parametrize("tls12", [False, True])
def test_staple_is_read_as_it_was_sent(authority: Authority, leaf: Issued, tls12: bool) -> None:
    staple = authority.ocsp(leaf.certificate, "revoked")
    with TlsServer(leaf, staple=staple, tls12=tls12) as server:
        assert shake(server.port).staple == staple


def test_server_name_selects_the_certificate(authority: Authority, leaf: Issued) -> None:
    other = authority.issue(["other.example.org"])
    with TlsServer(leaf, by_name={"other.example.org": other}) as server:
        serials = [_serial(shake(server.port, server_name=name)) for name in ("shop.example.org", "other.example.org")]
    assert serials == [leaf.serial, other.serial]


def test_ip_address_is_not_sent_as_server_name(authority: Authority, leaf: Issued) -> None:
    other = authority.issue(["127.0.0.1"])
    with TlsServer(leaf, by_name={"127.0.0.1": other}) as server:
        assert _serial(shake(server.port, server_name="127.0.0.1")) == leaf.serial


@pytest.mark.parametrize("tls12", [False, True])
@pytest.mark.parametrize("key_type", ["rsa", "ec"])
def test_key_type_selects_one_of_two_certificates(
    authority: Authority, leaf: Issued, key_type: str, tls12: bool
) -> None:
    rsa = authority.issue(["shop.example.org"], key=make_key("rsa"))
    with TlsServer(rsa, leaf, tls12=tls12) as server:
        assert _serial(shake(server.port, key_type=key_type)) == {"rsa": rsa, "ec": leaf}[key_type].serial


def test_missing_key_type_is_an_alert(leaf: Issued) -> None:
    with TlsServer(leaf) as server:
        seen = shake(server.port, key_type="rsa")
    assert seen.error is not None and seen.error.code == "alert_40" and seen.chain == ()


def test_ipv6_listener(leaf: Issued) -> None:
    with TlsServer(leaf, address="::1") as server:
        assert handshake(Endpoint("::1", server.port), timeout=5).error is None


def test_host_name_is_resolved(leaf: Issued) -> None:
    with TlsServer(leaf) as server:
        assert handshake(Endpoint("localhost", server.port), timeout=5).error is None


def test_chain_is_kept_when_the_server_wants_a_client_certificate(leaf: Issued) -> None:
    with TlsServer(leaf, tls12=True, require_client_certificate=True) as server:
        seen = shake(server.port)
    assert seen.error is not None and seen.error.code == "alert_40"
    assert _serial(seen) == leaf.serial


@pytest.mark.parametrize("alert", sorted(set(tls_alert.ALERTS) - {0, 21, 41, 60, 90, 100}))
def test_alerts_are_told_by_number(alert: int) -> None:
    with tls_server.alerting_server(alert) as server:
        seen = shake(server.port)
    assert seen.error is not None and seen.error.code == f"alert_{alert}"


def test_closed_port_is_connection_refused() -> None:
    seen = shake(tls_server.closed_port())
    assert seen.error is not None and seen.error.code == "connection_refused"


def test_plain_text_peer_is_not_tls() -> None:
    with tls_server.plain_text_server() as server:
        seen = shake(server.port)
    assert seen.error is not None and seen.error.code == "not_tls"


def test_http_peer_is_not_tls() -> None:
    with tls_server.plain_text_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        seen = shake(server.port)
    assert seen.error is not None and seen.error.code == "not_tls"


def test_peer_that_closes_is_closed() -> None:
    with tls_server.closing_server() as server:
        seen = shake(server.port)
    assert seen.error is not None and seen.error.code == "closed"


def test_peer_that_resets_is_reset() -> None:
    with tls_server.resetting_server() as server:
        seen = shake(server.port)
    assert seen.error is not None and seen.error.code == "reset"


@pytest.mark.parametrize("peer", [tls_server.silent_server, tls_server.dripping_server])
def test_timeout_covers_the_whole_handshake(peer: object) -> None:
    started = time.monotonic()
    with peer(2.0) as server:  # type: ignore[operator]
        seen = shake(server.port, timeout=0.4)
    assert seen.error is not None and seen.error.code == "timeout"
    assert time.monotonic() - started < 1.5


def test_unknown_name_is_name_not_resolved() -> None:
    seen = handshake(Endpoint("no-such-host.invalid", 443), timeout=5)
    assert seen.error is not None and seen.error.code in ("name_not_resolved", "timeout")


@pytest.mark.parametrize("endpoint", [Endpoint("127.0.0.1", 0), Endpoint("127.0.0.1", 70000)])
def test_impossible_port_is_an_invalid_endpoint(endpoint: Endpoint) -> None:
    seen = handshake(endpoint, timeout=1)
    assert seen.error is not None and seen.error.code == "invalid_endpoint"


def test_many_handshakes_keep_their_order_and_their_own_staples(authority: Authority, leaf: Issued) -> None:
    staple = authority.ocsp(leaf.certificate)
    with TlsServer(leaf, staple=staple) as stapling, TlsServer(leaf) as plain:
        ports = [stapling.port, plain.port, tls_server.closed_port()] * 20
        seen = handshakes([Endpoint("127.0.0.1", port) for port in ports], timeout=10, concurrency=8)
    assert [one.endpoint.port for one in seen] == ports
    assert [one.staple for one in seen] == [staple, None, None] * 20
    assert [one.error.code if one.error else None for one in seen] == [None, None, "connection_refused"] * 20


def _serial(seen: tls.Handshake) -> int:
    return x509.load_der_x509_certificate(seen.chain[0]).serial_number
