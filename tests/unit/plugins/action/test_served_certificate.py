# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof, against real TLS servers and a real nginx that is reloaded while it is watched."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.served_certificate import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued
from ansible_collections.certops.rotation.tests.support.starttls_servers import StarttlsServer
from ansible_collections.certops.rotation.tests.support.tls_server import TlsServer, closed_port

NAME = "shop.example.org"


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Authority.root()
        self.anchor = folder / "root.pem"
        self.anchor.write_text(self.root.pem)

    def prove(self, *rotations: dict[str, Any], **options: Any) -> dict[str, Any]:
        check_mode = bool(options.pop("check_mode", False))
        by_host = {f"web{number}": [one] for number, one in enumerate(rotations, 1)}
        settings = {"deadline": 0.6, "staple_deadline": 0.6, "interval": 0.05, "timeout": 2, "keep_going": True}
        arguments = {"rotations": by_host, "trust_anchors": [str(self.anchor)], **settings, **options}
        return run_action(ActionModule, arguments, check_mode=check_mode)


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(name="web")
def _web() -> Iterator[HttpServer]:
    with HttpServer() as web:
        yield web


def rotation(new: Issued, *ports: int, old: Issued | None = None, **more: Any) -> dict[str, Any]:
    """A rotation whose new certificate has just been installed."""
    facts = certificate_facts(new.certificate)
    issued = {
        "serial": facts.serial,
        "spki_sha256": facts.spki_sha256,
        "ocsp_urls": list(facts.ocsp_urls),
        "must_staple": facts.must_staple,
    }
    given: dict[str, Any] = {
        "name": "shop",
        "server_names": [NAME],
        "listeners": [{"address": "127.0.0.1", "port": port} for port in ports],
        "decision": {"action": "rotate", "compromised": False},
        "issued": issued,
        "installation": {"version": "v2", "stapling": "off", "changed": True},
    }
    if old is not None:
        serial = certificate_facts(old.certificate).serial
        given["predecessor"] = {"serial": serial, "already_revoked": False}
        given["served"] = [
            {"address": "127.0.0.1", "port": port, "server_name": NAME, "serial": serial} for port in ports
        ]
    return {**given, **more}


def test_new_certificate_is_proven_where_tls_is_asked_for_first(world: World) -> None:
    new = world.root.issue([NAME])
    with StarttlsServer("imap", new) as server:
        listeners = [{"address": "127.0.0.1", "port": server.port, "starttls": "imap"}]
        result = world.prove(rotation(new, listeners=listeners))
    (proven,) = result["rotations"]["web1"]
    assert proven["proof"]["checked"]


def silent(port: int) -> dict[str, Any]:
    error = {"code": "connection_refused", "msg": "nothing listens"}
    return {"address": "127.0.0.1", "port": port, "server_name": NAME, "error": error}


def test_each_address_of_a_host_name_has_to_prove_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that did not answer before is passed by; one that did is not, whatever another address did."""
    really = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, **more: Any) -> Any:
        if host != "two.example.org":
            return really(host, port, **more)
        return [found for address in ("127.0.0.1", "127.0.0.2") for found in really(address, port, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    new, old = world.root.issue([NAME]), world.root.issue([NAME])
    serial = certificate_facts(old.certificate).serial
    error = {"code": "connection_refused", "msg": "nothing listens"}

    def seen(ip: str, port: int, **what: Any) -> dict[str, Any]:
        return {"address": "two.example.org", "ip": ip, "port": port, "server_name": NAME, **what}

    with TlsServer(new) as server:
        listeners = [{"address": "two.example.org", "port": server.port}]
        before = [seen("127.0.0.1", server.port, serial=serial), seen("127.0.0.2", server.port, error=error)]
        passed_by = only(world.prove(rotation(new, listeners=listeners, served=before)))
        before[1] = seen("127.0.0.2", server.port, serial=serial)
        missed = only(world.prove(rotation(new, listeners=listeners, served=before)))
    assert [one["ip"] for one in passed_by["proof"]["checked"]] == ["127.0.0.1"]
    assert "127.0.0.2" in passed_by["warnings"][0]
    assert missed["error"]["code"] == "not_served"


def only(result: dict[str, Any]) -> dict[str, Any]:
    (found,) = result["rotations"]["web1"]
    return dict(found)


def test_new_certificate_on_every_place_is_the_proof(world: World) -> None:
    new = world.root.issue([NAME])
    with TlsServer(new) as first, TlsServer(new) as second:
        found = only(world.prove(rotation(new, first.port, second.port)))
    assert found["proof"]["serial"] == found["issued"]["serial"]
    assert [(one["port"], one["handshakes"]) for one in found["proof"]["checked"]] == [
        (first.port, 3),
        (second.port, 3),
    ]
    assert found["times"]["served"] == found["proof"]["at"]
    assert "error" not in found


def test_old_certificate_on_one_place_is_no_proof_and_may_go_back(world: World) -> None:
    old, new = world.root.issue([NAME]), world.root.issue([NAME])
    with TlsServer(new) as first, TlsServer(old) as second:
        result = world.prove(rotation(new, first.port, second.port, old=old))
    found = only(result)
    assert (found["error"]["step"], found["error"]["code"]) == ("verify", "not_served")
    assert (
        f"127.0.0.1:{second.port} ({NAME}) serves {certificate_facts(old.certificate).serial}" in found["error"]["msg"]
    )
    assert str(first.port) not in found["error"]["msg"]
    assert found["needs_rollback"] is True
    assert result["rollback"] == ["web1"]
    assert "proof" not in found


@pytest.mark.parametrize(
    "more",
    [
        {"decision": {"action": "rotate", "compromised": True}},
        {"predecessor": {"serial": "01", "already_revoked": True}},
        {"predecessor": None},
        {"installation": {"version": "v2", "changed": False}},
        {"decision": {"action": "repair", "compromised": False}},
    ],
)
def test_never_back_to_what_must_not_be_served(world: World, more: dict[str, Any]) -> None:
    old, new = world.root.issue([NAME]), world.root.issue([NAME])
    with TlsServer(old) as server:
        result = world.prove(rotation(new, server.port, old=old, **more), deadline=0.1)
    assert only(result)["needs_rollback"] is False
    assert result["rollback"] == []


def test_same_serial_with_another_key_is_no_proof(world: World) -> None:
    new = world.root.issue([NAME], serial=77)
    other = world.root.issue([NAME], serial=77)
    with TlsServer(other) as server:
        found = only(world.prove(rotation(new, server.port), deadline=0.1))
    assert found["error"]["code"] == "not_served"


def test_listener_that_was_silent_before_is_a_warning(world: World) -> None:
    old, new, dead = world.root.issue([NAME]), world.root.issue([NAME]), closed_port()
    with TlsServer(new) as server:
        given = rotation(new, server.port, dead, old=old)
        given["served"][1] = {
            "address": "127.0.0.1",
            "port": dead,
            "server_name": NAME,
            "error": {"code": "x", "msg": "x"},
        }
        began = time.monotonic()
        found = only(world.prove(given, deadline=20))
    assert time.monotonic() - began < 10
    assert [one["port"] for one in found["proof"]["checked"]] == [server.port]
    assert str(dead) in found["warnings"][0]


def test_listener_that_fell_silent_is_an_error(world: World) -> None:
    old, new, dead = world.root.issue([NAME]), world.root.issue([NAME]), closed_port()
    with TlsServer(new) as server:
        found = only(world.prove(rotation(new, server.port, dead, old=old)))
    assert found["error"]["code"] == "not_served"
    assert "nothing listens" in found["error"]["msg"]


def test_first_issue_needs_every_place(world: World) -> None:
    new, dead = world.root.issue([NAME]), closed_port()
    given = rotation(new, dead)
    given["served"] = [silent(dead)]
    assert only(world.prove(given))["error"]["code"] == "not_served"


def test_installed_staple_is_seen_from_the_first_handshake(world: World) -> None:
    new = world.root.issue([NAME], ocsp_urls=["http://127.0.0.1:9/"], must_staple=True)
    file = {"version": "v2", "stapling": "file", "changed": True}
    with TlsServer(new, staple=world.root.ocsp(new.certificate)) as server:
        found = only(world.prove(rotation(new, server.port, installation=file)))
    assert found["proof"]["checked"][0]["staple"] == "good"
    assert "warnings" not in found


@pytest.mark.parametrize("must_staple", [True, False])
def test_missing_staple_is_an_error_for_must_staple_and_a_warning_else(world: World, must_staple: bool) -> None:
    new = world.root.issue([NAME], ocsp_urls=["http://127.0.0.1:9/"], must_staple=must_staple)
    installation = {"version": "v2", "stapling": "nginx", "changed": True}
    with TlsServer(new) as server:
        found = only(world.prove(rotation(new, server.port, installation=installation)))
    if must_staple:
        assert found["error"]["code"] == "staple_missing"
    else:
        assert "without a good staple" in found["warnings"][0]
        assert found["proof"]


def test_staple_that_is_revoked_is_no_good_one(world: World) -> None:
    new = world.root.issue([NAME], ocsp_urls=["http://127.0.0.1:9/"], must_staple=True)
    installation = {"version": "v2", "stapling": "file", "changed": True}
    with TlsServer(new, staple=world.root.ocsp(new.certificate, "revoked")) as server:
        found = only(world.prove(rotation(new, server.port, installation=installation)))
    assert found["error"]["code"] == "staple_missing"


def test_finish_takes_the_way_of_stapling_from_the_record(world: World) -> None:
    new = world.root.issue([NAME], ocsp_urls=["http://127.0.0.1:9/"])
    version = {"version": "v2", "record": {"stapling": "file"}}
    more: dict[str, Any] = {
        "decision": {"action": "finish"},
        "installation": None,
        "installed": {"live": "v2", "versions": [version]},
    }
    with TlsServer(new) as server:
        found = only(world.prove(rotation(new, server.port, **more)))
    assert "without a good staple" in found["warnings"][0]


@pytest.mark.parametrize(
    "more",
    [
        {"decision": {"action": "keep"}},
        {"installation": None},
        {"issued": None},
        {"error": {"step": "issue", "code": "ca_refused", "msg": "no", "remedy": ""}},
    ],
)
def test_what_is_not_installed_is_passed_by(world: World, more: dict[str, Any]) -> None:
    found = only(world.prove(rotation(world.root.issue([NAME]), closed_port(), **more)))
    assert "proof" not in found
    assert (found.get("error") or {}).get("step") != "verify"


def test_check_mode_asks_nobody(world: World) -> None:
    new = world.root.issue([NAME])
    with TlsServer(new) as server:
        found = only(world.prove(rotation(new, server.port), check_mode=True))
        assert server.handshakes == 0
    assert "proof" not in found


def test_twenty_hosts_are_proven_side_by_side(world: World) -> None:
    new = world.root.issue([NAME])
    with TlsServer(new) as server:
        result = world.prove(*(rotation(new, server.port) for _host in range(20)), deadline=10)
    assert all(of_host[0].get("proof") for of_host in result["rotations"].values())


def nginx_with(world: World, issued: Issued, extra: str = "", workers: int = 2) -> Nginx:
    (world.folder / "chain.pem").write_text(issued.chain_pem)
    (world.folder / "key.pem").write_text(issued.key_pem)
    vhost = Vhost([NAME], world.folder / "chain.pem", world.folder / "key.pem", extra)
    return Nginx(world.folder / "nginx", [vhost], workers)


def test_proof_waits_for_a_reload_that_comes_late(world: World) -> None:
    old, new = world.root.issue([NAME]), world.root.issue([NAME])
    with nginx_with(world, old) as nginx:

        def switch() -> None:
            (world.folder / "chain.pem").write_text(new.chain_pem)
            (world.folder / "key.pem").write_text(new.key_pem)
            os.kill(nginx.pid, signal.SIGHUP)

        later = threading.Timer(0.4, switch)
        later.start()
        found = only(world.prove(rotation(new, nginx.vhosts[0].port, old=old), deadline=10))
        later.join()
    assert found["proof"]["checked"][0]["handshakes"] > 3


def test_every_worker_is_made_to_fetch_its_staple(world: World, web: HttpServer) -> None:
    new = world.root.issue([NAME], ocsp_urls=[web.url("/ocsp")])
    signer = world.root.delegate()
    web.put_ocsp("/ocsp", lambda asked: world.root.ocsp(new.certificate, algorithm=asked.hash_algorithm, signer=signer))
    stapling = f"ssl_stapling on; ssl_stapling_verify on; ssl_trusted_certificate {world.anchor};"
    with nginx_with(world, new, stapling, workers=2) as nginx:
        given = rotation(new, nginx.vhosts[0].port)
        given["installation"] = {"version": "v2", "stapling": "nginx", "changed": True, "reload": {"new_workers": 2}}
        found = only(world.prove(given, deadline=10, staple_deadline=10))
    assert found["proof"]["checked"][0]["staple"] == "good"
    assert found["proof"]["checked"][0]["handshakes"] >= 5
    assert "warnings" not in found
