# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detection of real TLS servers, with real CRLs fetched over HTTP."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.certops.rotation.plugins.action import fleet_status
from ansible_collections.certops.rotation.plugins.action.fleet_status import ActionModule
from ansible_collections.certops.rotation.plugins.plugin_utils import beside
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued, der, make_key
from ansible_collections.certops.rotation.tests.support.starttls_servers import StarttlsServer
from ansible_collections.certops.rotation.tests.support.tls_server import TlsServer, closed_port, plain_text_server
from cryptography import x509
from OpenSSL import SSL, crypto


class World:
    """A CA whose CRL is on the web."""

    def __init__(self, web: HttpServer, folder: Path) -> None:
        self.web = web
        self.root = Authority.root()
        self.url = web.url("/ca.crl")
        self.anchor = folder / "root.pem"
        self.anchor.write_text(self.root.pem)
        self.publish({})

    def publish(self, revoked: dict[int, x509.ReasonFlags | None]) -> None:
        self.web.put("/ca.crl", self.root.crl(revoked))

    def issue(self, *names: str, **more: Any) -> Issued:
        return self.root.issue(names or ("shop.example.org",), crl_urls=[self.url], **more)

    def look(self, rotations: dict[str, Any], **options: Any) -> dict[str, Any]:
        arguments = {"rotations": rotations, "trust_anchors": [str(self.anchor)], "timeout": 2, **options}
        return run_action(ActionModule, arguments)


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with HttpServer() as web:
        yield World(web, tmp_path)


def rotation(*ports: int, **more: Any) -> dict[str, Any]:
    listeners = [{"address": "127.0.0.1", "port": port} for port in ports]
    return {"name": "shop", "server_names": ["shop.example.org"], "listeners": listeners, **more}


def test_good_certificate_is_seen_with_all_its_facts(world: World) -> None:
    issued = world.issue()
    with TlsServer(issued) as server:
        result = world.look({"web1": [rotation(server.port)]})
    (found,) = result["rotations"]["web1"]
    assert found["host"] == "web1"
    assert found["verdict"]["status"] == "good"
    assert found["times"]["detected"].endswith("Z")
    (entry,) = found["served"]
    assert entry["server_name"] == "shop.example.org"
    assert entry["names"] == ["shop.example.org"]
    assert (entry["status"], entry["error"], entry["staple"]["status"]) == ("good", None, "absent")
    assert int(entry["serial"], 16) == issued.serial
    assert entry["chain_pem"] == issued.chain_pem
    assert result["summary"] == {
        "rotations": 1, "endpoints": 1, "good": 1, "revoked": 0, "unknown": 0, "unreachable": 0, "failed": 0,
    }  # fmt: skip


def test_revoked_on_one_of_two_listeners_is_the_verdict(world: World) -> None:
    old, new = world.issue(), world.issue()
    world.publish({old.serial: x509.ReasonFlags.key_compromise})
    with TlsServer(new) as first, TlsServer(old) as second:
        result = world.look({"web1": [rotation(first.port, second.port)]})
    (found,) = result["rotations"]["web1"]
    assert [entry["status"] for entry in found["served"]] == ["good", "revoked"]
    assert found["verdict"]["status"] == "revoked"
    assert found["verdict"]["revocation_reason"] == "keyCompromise"
    assert int(found["verdict"]["serial"], 16) == old.serial


def test_one_certificate_and_one_crl_are_fetched_and_judged_once_for_all_hosts(world: World) -> None:
    issued = world.issue()
    with TlsServer(issued) as server:
        result = world.look({f"web{number}": [rotation(server.port)] for number in range(20)})
        assert server.handshakes == 1
    assert result["summary"]["good"] == 20
    assert world.web.count("/ca.crl") == 1


def test_kept_crl_is_used_as_long_as_http_allows_and_not_where_it_must_be_confirmed(
    world: World, tmp_path: Path
) -> None:
    issued = world.issue()
    fresh = {"Cache-Control": "max-age=600"}
    kept = {"cache_dir": str(tmp_path / "cache")}
    with TlsServer(issued) as server:
        given = {"web1": [rotation(server.port)]}
        world.web.put("/ca.crl", world.root.crl(), headers=fresh)
        verdict = world.look(given, **kept)["rotations"]["web1"][0]["verdict"]
        assert verdict["evidence"][0]["source"]["cache_hit"] is False
        world.web.put("/ca.crl", world.root.crl({issued.serial: None}, number=2), headers=fresh)
        verdict = world.look(given, **kept)["rotations"]["web1"][0]["verdict"]
        assert (verdict["status"], verdict["evidence"][0]["source"]["cache_state"]) == ("good", "fresh")
        assert world.look(given, **kept, revalidate=True)["summary"]["revoked"] == 1
        assert world.look(given, cache_dir="")["summary"]["revoked"] == 1


def test_listeners_with_starttls_are_asked_in_their_protocols(world: World) -> None:
    issued = world.issue()
    with StarttlsServer("smtp", issued) as smtp, StarttlsServer("postgres", issued) as postgres:
        listeners = [
            {"address": "127.0.0.1", "port": smtp.port, "starttls": "smtp"},
            {"address": "127.0.0.1", "port": postgres.port, "starttls": "postgres"},
            {"address": "127.0.0.1", "port": smtp.port, "starttls": "imap"},
        ]
        result = world.look({"web1": [rotation(listeners=listeners)]})
    (found,) = result["rotations"]["web1"]
    assert [(one["starttls"], (one["error"] or {}).get("code")) for one in found["served"]] == [
        ("smtp", None), ("postgres", None), ("imap", "starttls_protocol_error"),
    ]  # fmt: skip
    assert [one.get("status") for one in found["served"]] == ["good", "good", None]


def test_rate_limit_spreads_handshakes_and_lines_tell_how_far_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(fleet_status, "_SECONDS_BETWEEN_LINES", 0.2)
    monkeypatch.setattr(fleet_status.display, "display", lines.append)
    names = [f"name{number}.example.org" for number in range(13)]
    started = time.monotonic()
    with TlsServer(world.issue(*names)) as server:
        result = world.look({"web1": [rotation(server.port, server_names=names)]}, rate_limit=20)
    assert result["summary"]["endpoints"] == 13
    assert time.monotonic() - started >= 0.6
    assert 1 <= len(lines) <= 6
    assert lines[0].endswith(" of 13 places asked")


def test_silent_and_plain_listeners_are_results_not_failures(world: World) -> None:
    with plain_text_server() as plain:
        result = world.look({"web1": [rotation(closed_port(), plain.port)]})
    (found,) = result["rotations"]["web1"]
    assert [entry["error"]["code"] for entry in found["served"]] == ["connection_refused", "not_tls"]
    assert found["verdict"] == {"status": "unknown", "reasons": ["unreachable"], "evidence": []}
    assert "error" not in found


@pytest.fixture(name="two_addresses")
def _two_addresses(monkeypatch: pytest.MonkeyPatch) -> str:
    """A host name with two addresses of this machine."""
    really = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, **more: Any) -> Any:
        if host != "two.example.org":
            return really(host, port, **more)
        return [found for address in ("127.0.0.1", "127.0.0.2") for found in really(address, port, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return "two.example.org"


def test_each_address_of_a_host_name_is_asked(world: World, two_addresses: str) -> None:
    with TlsServer(world.issue()) as server:
        listeners = [{"address": two_addresses, "port": server.port}]
        result = world.look({"web1": [rotation(listeners=listeners)]})
    (found,) = result["rotations"]["web1"]
    assert [(one["address"], one["ip"]) for one in found["served"]] == [
        (two_addresses, "127.0.0.1"), (two_addresses, "127.0.0.2"),
    ]  # fmt: skip
    assert [one.get("status") for one in found["served"]] == ["good", None]
    assert found["served"][1]["error"]["code"] == "connection_refused"
    assert "two.example.org (127.0.0.2) port" in found["served"][1]["error"]["msg"]
    assert (result["summary"]["endpoints"], result["summary"]["unreachable"]) == (2, 1)


def test_keys_that_several_hosts_use_are_told(world: World) -> None:
    key = make_key()
    one, again, other = world.issue(key=key), world.issue(key=key), world.issue()
    with TlsServer(one) as first, TlsServer(again) as second, TlsServer(other) as third:
        fleet = {"web1": [rotation(first.port)], "web2": [rotation(second.port)], "web3": [rotation(third.port)]}
        result = world.look({**fleet, "web4": [rotation(first.port)], "web5": [rotation(third.port, third.port)]})
    (spki,) = {found["served"][0]["spki_sha256"] for found in result["rotations"]["web1"]}
    serial = {host: found[0]["served"][0]["serial"] for host, found in result["rotations"].items()}
    assert result["shared_keys"] == [
        {"spki_sha256": spki, "hosts": ["web1", "web2", "web4"], "serials": [serial["web1"], serial["web2"]]},
        {
            "spki_sha256": result["rotations"]["web3"][0]["served"][0]["spki_sha256"],
            "hosts": ["web3", "web5"],
            "serials": [serial["web3"]],
        },
    ]


class ServerOfAnUnknownVersion(TlsServer):
    """Its certificate claims a version of X.509 that does not exist; OpenSSL serves it all the same."""

    def _context(self, issued: Sequence[Issued], *more: Any) -> SSL.Context:
        context = super()._context(issued, *more)
        data = der(issued[0].certificate).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
        context.use_certificate(crypto.load_certificate(crypto.FILETYPE_ASN1, data))
        return context


def test_certificate_that_cannot_be_read_is_an_error_of_its_place_only(world: World) -> None:
    with ServerOfAnUnknownVersion(world.issue()) as broken, TlsServer(world.issue()) as whole:
        result = world.look({"web1": [rotation(broken.port)], "web2": [rotation(whole.port)]})
    (found,) = result["rotations"]["web1"]
    assert found["served"][0]["error"]["code"] == "certificate_unreadable"
    assert found["verdict"]["status"] == "unknown"
    assert result["rotations"]["web2"][0]["verdict"]["status"] == "good"


def test_host_name_without_an_address_is_unknown_with_a_reason(world: World) -> None:
    result = world.look({"web1": [rotation(listeners=[{"address": "nowhere.invalid", "port": 443}])]})
    (found,) = result["rotations"]["web1"]
    assert [one["error"]["code"] for one in found["served"]] == ["name_not_resolved"]
    assert found["verdict"] == {"status": "unknown", "reasons": ["unreachable"], "evidence": []}


def test_many_certificates_are_judged_in_another_process_with_the_same_verdicts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"name{number}.example.org" for number in range(40)]
    issued = {name: world.issue(name) for name in names}
    world.publish({issued["name7.example.org"].serial: x509.ReasonFlags.key_compromise})
    at = datetime.now(timezone.utc).isoformat()
    with TlsServer(world.issue(), by_name=issued) as server:
        given = {"web1": [rotation(server.port, name=f"n{name}", server_names=[name]) for name in names]}
        here = world.look(given, at=at)
        monkeypatch.setattr(beside, "_WORTH_A_PROCESS", 1)
        monkeypatch.setattr(beside, "_processors", lambda: 2)
        monkeypatch.setattr(fleet_status, "shown_facts", in_no_process_but_another(fleet_status.shown_facts))
        there = world.look(given, at=at)
    assert without_seconds(there) == without_seconds(here)
    assert (there["summary"]["good"], there["summary"]["revoked"]) == (39, 1)


def in_no_process_but_another(function: Any) -> Any:
    here = os.getpid()

    def elsewhere(*given: Any) -> Any:
        if os.getpid() == here:
            raise AssertionError("not done in another process")
        return function(*given)

    return elsewhere


def without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_seconds(each) for key, each in value.items() if key != "seconds"}
    return [without_seconds(each) for each in value] if isinstance(value, list) else value


def test_each_name_is_asked_for_and_a_wildcard_by_a_name_it_covers(world: World) -> None:
    default, a, wild = world.issue("default.example.org"), world.issue("a.example.org"), world.issue("*.example.org")
    with TlsServer(default, by_name={"a.example.org": a, "certops-check.example.org": wild}) as server:
        given = rotation(server.port, server_names=["a.example.org", "*.example.org", "127.0.0.1"])
        result = world.look({"web1": [given]})
    served = result["rotations"]["web1"][0]["served"]
    assert [int(entry["serial"], 16) for entry in served] == [a.serial, wild.serial, default.serial]
    assert [entry["server_name"] for entry in served] == ["a.example.org", "*.example.org", "127.0.0.1"]


def test_companions_are_asked_for_by_their_key_type(world: World) -> None:
    ec, rsa = world.issue(), world.issue(key=make_key("rsa"))
    with TlsServer(ec, rsa) as server:
        first = rotation(server.port, key={"type": "ecdsa"})
        second = rotation(server.port, name="shop-rsa", key={"type": "rsa"}, companion_of="shop")
        result = world.look({"web1": [first, second]})
    types = [one["served"][0]["key_type"] for one in result["rotations"]["web1"]]
    assert types == ["ec-secp256r1", "rsa-2048"]


def test_staple_is_judged(world: World) -> None:
    issued = world.issue()
    forged = Authority.root("Somebody").ocsp(issued.certificate, issuer=world.root.certificate)
    with TlsServer(issued, staple=world.root.ocsp(issued.certificate)) as good, TlsServer(issued, staple=forged) as bad:
        result = world.look({"web1": [rotation(good.port, bad.port)]})
    served = result["rotations"]["web1"][0]["served"]
    assert [entry["staple"]["status"] for entry in served] == ["good", "invalid"]
    assert served[0]["staple"]["next_update"].endswith("Z")


def test_only_what_nobody_looked_at_is_looked_at(world: World) -> None:
    issued = world.issue()
    with TlsServer(issued) as server:
        seen = rotation(server.port, served=[])
        result = world.look({"web1": [seen, rotation(server.port, name="new")]}, only_new=True)
        assert server.handshakes == 1
    old, new = result["rotations"]["web1"]
    assert old["served"] == []
    assert "times" not in old
    assert new["verdict"]["status"] == "good"


def test_installed_certificate_is_judged_where_another_is_served(world: World) -> None:
    served, installed = world.issue(), world.issue()
    world.publish({installed.serial: x509.ReasonFlags.superseded})
    with TlsServer(served) as server:
        first = world.look({"web1": [rotation(server.port)]})["rotations"]
    version = {"version": "v1", "chain_pem": installed.chain_pem, "spki_sha256": "ab", "record": {}}
    first["web1"][0]["installed"] = {"live": "v1", "versions": [version]}
    second = world.look(first, only_new=True)["rotations"]["web1"][0]
    assert second["installed"]["verdict"]["status"] == "revoked"


def test_rotation_with_an_error_is_passed_by(world: World) -> None:
    given = {
        "host": "web1",
        "name": "a/b",
        "error": {"step": "detect", "code": "name_invalid", "msg": "x", "remedy": ""},
    }
    result = world.look({"web1": [given]}, keep_going=True)
    assert result["rotations"]["web1"] == [given]
    assert result["summary"]["failed"] == 1


def test_host_that_could_not_be_looked_at_is_asked_for_the_names_that_others_have(world: World, tmp_path: Path) -> None:
    """Only where nothing is declared; the error stays, and so does whatever else an error kept from being looked at."""
    shared = world.issue("shop.example.org")
    with TlsServer(shared) as server:
        variables = {"asked": {"address": "127.0.0.1", "port": server.port}}
        error = {"step": "look", "code": "configuration_unreadable", "msg": "x", "remedy": "y", "facts": {}}
        blind = {"name": "nginx", "server_names": [], "listeners": [], "error": error}
        rotations = {"web1": [rotation(server.port)], "web2": [blind], "web3": [rotation(server.port, error=error)]}
        hostvars = inventory(tmp_path, dict.fromkeys(rotations, variables))
        found = run_action(
            ActionModule,
            {
                "rotations": rotations,
                "request": "asked",
                "also_ask": ["shop.example.org"],
                "trust_anchors": [str(world.anchor)],
                "keep_going": True,
            },
            task_vars={"inventory_hostname": "web1", "hostvars": hostvars},
        )["rotations"]
    [seen] = found["web2"][0]["served"]
    assert (seen["serial"], seen["server_name"]) == (found["web1"][0]["served"][0]["serial"], "shop.example.org")
    assert found["web2"][0]["error"] == error
    assert "served" not in found["web3"][0]


def inventory(folder: Path, hosts: dict[str, Any]) -> HostVars:
    """`hostvars` as Ansible has them."""
    file, loader = folder / "inventory.yml", DataLoader()
    file.write_text(json.dumps({"all": {"hosts": hosts}}))
    manager = InventoryManager(loader, sources=[str(file)])
    return HostVars(manager, VariableManager(loader, manager), loader)


def test_without_keep_going_an_error_fails_the_task(world: World) -> None:
    given = {"name": "a/b", "error": {"step": "detect", "code": "name_invalid", "msg": "no such name", "remedy": "x"}}
    result = world.look({"web1": [given]})
    assert (result["failed"], result["code"]) == (True, "name_invalid")
    assert result["msg"] == "web1/a/b: detect: no such name (name_invalid)"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"trust_anchors": ["/nowhere/root.pem"]}, "trust_anchor_unreadable"),
        ({"at": "yesterday"}, "time_invalid"),
        ({"rotations": {"web1": "shop"}}, "arguments_invalid"),
        ({"nonsense": 1}, "arguments_invalid"),
    ],
)
def test_wrong_options_fail_with_a_code(world: World, options: dict[str, Any], code: str) -> None:
    result = world.look(options.pop("rotations", {"web1": []}), **options)
    assert (result["failed"], result["code"]) == (True, code)


def test_issuer_that_cannot_be_opened_is_a_warning(world: World, tmp_path: Path) -> None:
    gone = {"gone": {"type": "internal_ca", "directory": str(tmp_path / "gone")}}
    with TlsServer(world.issue()) as server:
        result = world.look({"web1": [rotation(server.port)]}, issuers=gone)
    assert result["summary"]["good"] == 1
