# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CAA records before an order: asked where the host asks, judged for this account and this way of validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dns.nameserver
import dns.resolver
import pytest
from ansible_collections.certops.rotation.plugins.action import certificate_issue
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import AcmeIssuer, open_acme
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issued, Order
from ansible_collections.certops.rotation.tests.support.acme_proxy import AcmeProxy
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.challenge_folder import ChallengeFolder
from ansible_collections.certops.rotation.tests.support.dns_server import DnsServer
from ansible_collections.certops.rotation.tests.support.internal_ca import order
from ansible_collections.certops.rotation.tests.support.nginx import free_port
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")


@pytest.fixture
def entry(pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy) -> dict[str, Any]:
    proxy.meta["caaIdentities"] = ["pebble.example"]
    return pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url, check_caa=True)


def granted(issuer: AcmeIssuer, *orders: Order) -> list[Issued]:
    outcomes = issuer.issue(orders)
    for one in outcomes:
        if isinstance(one, RotationError):
            raise AssertionError(one.as_result())
    return [one for one in outcomes if isinstance(one, Issued)]


def test_caa_that_forbids_is_a_warning(entry: dict[str, Any]) -> None:
    with DnsServer(["example.org"]) as server:
        server.set("example.org", "CAA", '0 issue "other.example"')
        entry["resolvers"] = [server.address]
        [issued] = granted(open_acme("pebble", entry), order("shop"))
        assert issued.warnings == (
            f"shop.example.org: CAA allows only other.example, and this CA is pebble.example (asked {server.address})",
        )
        server.set("example.org", "CAA", '0 issue "pebble.example"')
        assert granted(open_acme("pebble", entry), order("blog"))[0].warnings == ()


def test_caa_is_what_the_name_servers_of_the_host_say(entry: dict[str, Any]) -> None:
    """Inside and outside, a zone may look different; each host's own view counts, unless another is named."""
    issuer = open_acme("pebble", entry)
    with DnsServer(["example.org"]) as inside, DnsServer(["example.org"]) as outside:
        inside.set("example.org", "CAA", '0 issue "other.example"')
        outside.set("example.org", "CAA", '0 issue "pebble.example"')
        first, second = granted(
            issuer, order("shop", resolvers=(inside.address,)), order("blog", resolvers=(outside.address,))
        )
        [said] = first.warnings
        assert "CAA allows only other.example" in said and f"(asked {inside.address}, as web1 does)" in said
        assert second.warnings == ()
        assert {kind for _name, kind in inside.questions} == {"CAA"} == {kind for _name, kind in outside.questions}
        named = open_acme("pebble", {**entry, "resolvers": [outside.address]})
        assert granted(named, order("wiki", resolvers=(inside.address,)))[0].warnings == ()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[DnsServer]:
    """What this machine's /etc/resolv.conf names, for the time of a test."""
    with DnsServer(["example.org"]) as server:
        host, port = server.address.split(":")

        def read_resolv_conf(self: dns.resolver.Resolver, path: Any) -> None:
            self.nameservers = [dns.nameserver.Do53Nameserver(host, int(port))]

        monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", read_resolv_conf)
        server.set("example.org", "CAA", '0 issue "other.example"')
        yield server


def test_caa_is_asked_here_where_the_hosts_name_servers_do_not_answer(entry: dict[str, Any], here: DnsServer) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    issuer = open_acme("pebble", entry)
    unknown, silent = granted(issuer, order("shop"), order("blog", resolvers=(nobody,)))
    assert unknown.warnings[0].endswith("(asked this machine's name servers)")
    assert silent.warnings[0].endswith(
        f"(asked this machine's name servers: {nobody}, which web1 asks, give no answer here)"
    )


def test_a_name_server_on_the_host_itself_is_not_asked_on_this_machine(entry: dict[str, Any], here: DnsServer) -> None:
    rotation = {
        "name": "shop",
        "server_names": ["shop.example.org"],
        "issuer": "public",
        "decision": {"action": "rotate"},
        "prepared": {"csr_pem": order("shop").csr_pem, "version": "v1"},
        "resolvers": ["127.0.0.53", "[::1]"],
    }
    result = run_action(
        certificate_issue.ActionModule, {"rotations": {"web1": [rotation]}, "issuers": {"public": entry}}
    )
    [warning] = result["rotations"]["web1"][0]["warnings"]
    assert warning.endswith("(asked this machine's name servers)")


def test_caa_for_one_account_and_one_way_of_validation(entry: dict[str, Any]) -> None:
    account = open_acme("pebble", entry).client.account_uri
    cases = {
        "one": (f"accounturi={account}; validationmethods=http-01", None),
        "two": (f"accounturi={account}0", f"only for the account {account}0, and this is {account}"),
        "three": ("validationmethods=dns-01,dns-persist-01", "only by dns-01, dns-persist-01, and http-01 is tried"),
    }
    with DnsServer(["example.org"]) as server:
        for name, (parameters, _said) in cases.items():
            server.set(f"{name}.example.org", "CAA", f'0 issue "pebble.example; {parameters}"')
        orders = [order(name, resolvers=(server.address,)) for name in cases]
        outcomes = granted(open_acme("pebble", entry), *orders)
    for issued, (_parameters, said) in zip(outcomes, cases.values(), strict=True):
        assert len(issued.warnings) == (0 if said is None else 1)
        assert all(str(said) in one for one in issued.warnings)
