# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``endpoint_info`` as a playbook calls it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import serial_hex
from ansible_collections.certops.rotation.plugins.modules import endpoint_info
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued, make_key
from ansible_collections.certops.rotation.tests.support.run_main import run_main
from ansible_collections.certops.rotation.tests.support.starttls_servers import StarttlsServer
from ansible_collections.certops.rotation.tests.support.tls_server import TlsServer, alerting_server, closed_port


@pytest.fixture(scope="module")
def ca() -> Authority:
    return Authority.root().intermediate()


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Issued:
    return ca.issue()


def look(*endpoints: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    result = run_main(endpoint_info, endpoints=list(endpoints), timeout=5, **options)
    assert result["changed"] is False
    seen: list[dict[str, Any]] = result["endpoints"]
    return seen


def test_what_a_server_sends(ca: Authority, leaf: Issued) -> None:
    staple = ca.ocsp(leaf.certificate)
    with TlsServer(leaf, staple=staple) as server:
        (seen,) = look({"host": "127.0.0.1", "port": server.port, "server_name": "shop.example.org"})
    assert [one["serial"] for one in seen["chain"]] == [serial_hex(one.serial_number) for one in leaf.chain]
    assert seen["chain_pem"] == leaf.chain_pem
    assert base64.b64decode(seen["staple"]) == staple
    assert (seen["tls_version"], seen["error"], seen["alert"]) == ("TLSv1.3", None, None)
    assert seen["chain"][0]["names"] == ["shop.example.org"] and seen["chain"][0]["not_after"].endswith("Z")


def test_expired_certificate_is_seen_like_any_other(ca: Authority) -> None:
    old = ca.issue(not_before=ca.at - 9 * DAY, not_after=ca.at - DAY)
    with TlsServer(old) as server:
        (seen,) = look({"host": "127.0.0.1", "port": server.port})
    assert seen["error"] is None and seen["chain"][0]["serial"] == serial_hex(old.serial)


@pytest.mark.parametrize("protocol", ["smtp", "ldap", "mysql"])
def test_server_that_is_asked_for_tls_first(leaf: Issued, protocol: str) -> None:
    with StarttlsServer(protocol, leaf) as server:
        (seen,) = look({"host": "127.0.0.1", "port": server.port, "starttls": protocol})
    assert seen["error"] is None and seen["chain"][0]["serial"] == serial_hex(leaf.serial)


def test_port_that_is_not_given_is_the_usual_one_of_the_protocol() -> None:
    # On an address of loopback where nobody listens.
    seen = look({"host": "127.213.7.9", "starttls": "xmpp"}, {"host": "127.213.7.9"})
    assert [one["port"] for one in seen] == [5222, 443]


def test_both_certificates_of_a_server(ca: Authority, leaf: Issued) -> None:
    rsa = ca.issue(key=make_key("rsa"))
    with TlsServer(rsa, leaf) as server:
        seen = look(*({"host": "127.0.0.1", "port": server.port, "key_type": kind} for kind in ("rsa", "ec")))
    assert [one["chain"][0]["key_type"] for one in seen] == ["rsa-2048", "ec-secp256r1"]


def test_alerts_and_faults_are_results() -> None:
    with alerting_server(44) as server:
        seen = look({"host": "127.0.0.1", "port": server.port}, {"host": "127.0.0.1", "port": closed_port()})
    assert [(one["alert"], one["error"]["code"]) for one in seen] == [(44, "alert_44"), (None, "connection_refused")]
    assert seen[0]["error"]["msg"] == "the peer ended the handshake with alert 44 (certificate_revoked)"
    assert [one["chain"] for one in seen] == [[], []]
