# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers asked and updated, with a real one on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.name_servers import (
    NameServers,
    TransactionKey,
    ZoneUpdater,
    server_address,
)
from ansible_collections.certops.rotation.tests.support.dns_server import DnsServer

NAME = "_acme-challenge.shop.example.org"


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer(["example.org"]) as made:
        yield made


@pytest.fixture
def updater(server: DnsServer) -> ZoneUpdater:
    return ZoneUpdater(server.address, key=TransactionKey(**server.tsig), timeout=3)


def test_records_are_added_beside_others_and_removed_alone(server: DnsServer, updater: ZoneUpdater) -> None:
    updater.change("example.org", add=[(NAME, "one"), (NAME, "two")])
    updater.change("example.org", add=[(NAME, "three")])
    updater.change("example.org", remove=[(NAME, "two")])
    assert sorted(NameServers([server.address]).texts(NAME)) == ["one", "three"]


def test_a_long_text_with_quotes_comes_through(server: DnsServer, updater: ZoneUpdater) -> None:
    text = 'say "yes" \\ ' + "x" * 400
    updater.change("example.org", add=[(NAME, text)])
    assert NameServers([server.address]).texts(NAME) == [text]


def test_the_zone_of_a_name_is_found(server: DnsServer) -> None:
    assert NameServers([server.address]).zone_of(NAME) == "example.org."


def test_caa_is_that_of_the_nearest_name_above(server: DnsServer) -> None:
    server.set("example.org", "CAA", '0 issue "ca.example"', '128 tbs "x"')
    found = NameServers([server.address]).caa("a.b.shop.example.org")
    assert sorted((one.flags, one.tag, one.value) for one in found) == [(0, "issue", "ca.example"), (128, "tbs", "x")]
    assert NameServers([server.address]).caa("elsewhere.example.net") == []


@pytest.mark.parametrize("secret", ["d3Jvbmctc2VjcmV0LXdyb25nLXNlY3JldA==", None])
def test_an_update_with_the_wrong_key_or_none_is_refused(server: DnsServer, secret: str | None) -> None:
    key = TransactionKey("updater.", secret) if secret else None
    with pytest.raises(RotationError) as raised:
        ZoneUpdater(server.address, key=key, timeout=3).change("example.org", add=[(NAME, "x")])
    assert raised.value.code == "dns_update_refused"
    assert server.updates == []


def test_an_update_of_a_zone_that_is_not_there_is_refused(updater: ZoneUpdater) -> None:
    with pytest.raises(RotationError) as raised:
        updater.change("example.net", add=[("a.example.net", "x")])
    assert (raised.value.code, raised.value.facts["zone"]) == ("dns_update_refused", "example.net")


def test_a_key_that_is_none_is_said_without_quoting_it() -> None:
    with pytest.raises(RotationError) as raised:
        ZoneUpdater("127.0.0.1:1", key=TransactionKey("updater", "?not base64?"))
    assert raised.value.code == "tsig_key_invalid"
    assert "not base64" not in str(raised.value.as_result())


def test_a_server_that_is_silent_is_an_error_in_its_time() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(RotationError) as raised:
            NameServers([f"127.0.0.1:{silent.getsockname()[1]}"], timeout=0.3).texts("a.example.org")
    assert (raised.value.code, raised.value.facts["answered"]) == ("name_servers_failed", False)


def test_a_server_that_fails_has_answered(server: DnsServer) -> None:
    server.failing.add("broken.example.org")
    with pytest.raises(RotationError) as raised:
        NameServers([server.address], timeout=3).caa("broken.example.org")
    assert (raised.value.code, raised.value.facts["answered"]) == ("name_servers_failed", True)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:5", ("::1", 5)),
    ],
)
def test_how_servers_are_written(text: str, address: tuple[str, int]) -> None:
    assert server_address(text) == address


@pytest.mark.parametrize("text", ["ns.example.org", "192.0.2.1:x", ""])
def test_a_server_is_named_by_its_address(text: str) -> None:
    with pytest.raises(RotationError) as raised:
        server_address(text)
    assert raised.value.code == "name_server_invalid"
