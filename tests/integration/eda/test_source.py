# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source without a rulebook: what it tells, when, and how often, about real servers and real CAs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.extensions.eda.plugins.event_source.revocation import Watch, main
from ansible_collections.certops.rotation.plugins.module_utils._core.ari import cert_id
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_state import StateFile
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_targets import read_options
from ansible_collections.certops.rotation.tests.support import pebble
from ansible_collections.certops.rotation.tests.support.acme_orders import ordered
from ansible_collections.certops.rotation.tests.support.acme_proxy import AcmeProxy
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.nginx import free_port
from ansible_collections.certops.rotation.tests.support.pki import make_key
from ansible_collections.certops.rotation.tests.support.playbook import COLLECTIONS

SOURCE = COLLECTIONS / "ansible_collections/certops/rotation/extensions/eda/plugins/event_source/revocation.py"
# Dies like a machine whose power goes, after the event was handed over and before anything else.
DIES = """
import asyncio, json, os, runpy, signal, sys

class Queue:
    async def put(self, event):
        print(json.dumps(event), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

source = runpy.run_path(sys.argv[1])
asyncio.run(source["main"](Queue(), json.loads(sys.argv[2])))
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    with LocalFleet(tmp_path / "fleet") as made:
        made.make_ca()
        made.start(["web1"])
        yield made


def endpoint(fleet: LocalFleet, host: str = "web1") -> dict[str, Any]:
    [vhost] = fleet.fleet[host].vhosts
    place = {"address": "127.0.0.1", "port": vhost.port, "server_name": "shop.example.org"}
    return {"host": host, "name": "shop", "issuer": "internal", **place}


def arguments(fleet: LocalFleet, **more: Any) -> dict[str, Any]:
    more = more or {"endpoints": [endpoint(fleet)]}
    state = str(fleet.place / "state" / "events.json")
    return {"issuers": fleet.issuers, "state_path": state, "timeout": 3, "interval": 1, **more}


def polled(given: dict[str, Any], times: int = 1) -> list[list[dict[str, Any]]]:
    """The events of each of some polls by one process; begun with what is on disk."""

    async def poll() -> list[list[dict[str, Any]]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        watch = Watch(queue, read_options(given), StateFile(given["state_path"]))
        found = []
        for _time in range(times):
            await watch.poll()
            found.append([queue.get_nowait() for _event in range(queue.qsize())])
        return found

    return asyncio.run(poll())


def test_killed_between_handing_over_and_remembering_tells_again_and_then_no_more(fleet: LocalFleet) -> None:
    given = arguments(fleet)
    assert polled(given, 2) == [[], []]
    fleet.revoke("web1")
    # As ansible-rulebook runs it: a plain file, and a Python that knows of no collection.
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(SOURCE), json.dumps(given)],
        cwd=fleet.place, env=clean, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr
    first = json.loads(died.stdout)
    [[event], []] = polled(given, 2)
    assert polled(given) == [[]]
    assert event["id"] == first["id"] and event["meta"]["hosts"] == ["web1"] and event["limit"] == "web1"
    served = fleet.served_by("web1")
    [entry] = event["certificates"]
    assert (entry["serial"], entry["spki_sha256"]) == (served.serial, served.spki_sha256)
    assert (entry["kind"], entry["reason"], event["key_compromise"]) == ("revoked", "keyCompromise", True)
    assert entry["source"] == {"kind": "crl", "url": f"{fleet.publisher.url}/intermediate.crl"}
    assert [one["status"] for one in entry["evidence"]] == ["revoked"] and entry["since"]


def test_what_a_poll_asks_of_the_ca_does_not_grow_with_the_fleet(fleet: LocalFleet) -> None:
    fleet.start(["web2", "web3"])
    given = arguments(fleet, endpoints=[endpoint(fleet, host) for host in fleet.fleet])
    fleet.publisher.requests.clear()
    assert polled(given, 2) == [[], []]
    asked = fleet.publisher.requests
    # Each poll asks, or it would not see a revocation within one interval; but once, and for the CRL alone.
    assert sorted(asked) == ["GET /intermediate.crl"] * 2 + ["GET /root.crl"] * 2


def test_files_texts_and_serials_are_judged_like_servers(fleet: LocalFleet, tmp_path: Path) -> None:
    chain = fleet.chain_of("web1")
    issuer = tmp_path / "issuer.pem"
    issuer.write_text("-----BEGIN" + chain.split("-----BEGIN")[2])
    serial = certificate_facts(read_certificate(chain.encode())).serial
    path = tmp_path / "shop.crt"
    path.write_text(chain)
    by_crl = {"issuer_certificate": str(issuer), "crl_url": f"{fleet.publisher.url}/intermediate.crl"}
    given = arguments(
        fleet,
        certificates=[{"path": str(path), "host": "a"}, {"content": chain, "host": "b"}],
        serials=[
            {"serial": serial, "issuer": "internal", "host": "c"},
            {"serial": serial.upper(), **by_crl, "host": "d"},
            {"serial": "0a1b", **by_crl, "host": "e"},
        ],
    )
    assert polled(given) == [[]]
    fleet.revoke("web1", "superseded")
    [[event]] = polled(given)
    assert event["hosts"] == ["a", "b", "c", "d"] and event["serials"] == [serial]
    assert event["reasons"] == ["superseded"] and event["key_compromise"] is False
    assert polled(given) == [[]]


def test_what_cannot_be_known_is_told_after_a_while_and_is_no_news_later(fleet: LocalFleet, tmp_path: Path) -> None:
    nobody = {"address": "127.0.0.1", "port": free_port(), "host": "gone"}
    missing = {"path": str(tmp_path / "missing.pem")}
    unknown_serial = {"serial": "0a1b", "issuer": "internal"}
    given = arguments(fleet, endpoints=[nobody], certificates=[missing], serials=[unknown_serial], unknown_after=2)
    before, told, after = polled(given, 3)
    assert before == after == [] and polled(given, 2) == [[], []]
    # Apart: with a host of theirs a rule may do something, and without one it would do it to all hosts.
    with_host, without = told
    assert with_host["hosts"] == ["gone"] and "limit" not in without and "meta" not in without
    reasons = {entry["reason"] for event in told for entry in event["certificates"]}
    assert reasons == {"connection_refused", "file_unreadable", "certificate_not_found"}
    assert {event["kind"] for event in told} == {"unknown"}


def test_ca_that_is_silent_is_never_good_and_no_second_revocation(fleet: LocalFleet) -> None:
    given = arguments(fleet, endpoints=[endpoint(fleet)], unknown_after=1)
    fleet.revoke("web1")
    [[event]] = polled(given)
    assert event["kind"] == "revoked"
    published = fleet.published.rename(fleet.place / "elsewhere")
    [[event]] = polled(given)
    [entry] = event["certificates"]
    assert (entry["kind"], entry["status"], entry["reason"]) == ("unknown", "unknown", "http_error")
    published.rename(fleet.published)
    assert polled(given, 2) == [[], []]


def test_list_of_targets_is_read_again_and_a_broken_one_changes_nothing(
    fleet: LocalFleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.revoke("web1")
    file = tmp_path / "watched.yml"
    file.write_text("endpoints: []\n")
    given = arguments(fleet, targets_file=str(file))

    async def poll() -> None:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        watch = Watch(queue, {**read_options(given), "repeat_after": 0.001}, StateFile(given["state_path"]))
        await watch.poll()
        assert queue.empty()
        file.write_text(json.dumps({"endpoints": [endpoint(fleet)]}))
        await watch.poll()
        assert queue.get_nowait()["hosts"] == ["web1"]
        file.write_text("endpoints: [}")
        await asyncio.sleep(1.01)
        await watch.poll()
        assert queue.get_nowait()["hosts"] == ["web1"]
        assert "targets_file_unreadable" in caplog.text

    asyncio.run(poll())


def test_second_source_with_the_same_state_is_refused_and_a_cancelled_one_lets_go(fleet: LocalFleet) -> None:
    given = arguments(fleet)

    async def both() -> None:
        first = asyncio.create_task(main(asyncio.Queue(), given))
        await asyncio.sleep(0.5)
        with pytest.raises(RuntimeError, match="state_in_use"):
            await main(asyncio.Queue(), given)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(main(asyncio.Queue(), given), 0.5)

    asyncio.run(both())


@pytest.mark.skipif(not pebble.IS_HERE, reason="pebble is not installed")
def test_renewal_window_that_is_open_is_told(tmp_path: Path) -> None:
    server = pebble.Pebble(tmp_path / "pebble", environment={"PEBBLE_VA_ALWAYS_VALID": "1"})
    with server, AcmeProxy(server) as proxy:
        entry = server.issuer(directory_url=proxy.directory_url, timeout=5)
        chain = ordered(open_acme_client(entry), ["shop.example.org"], make_key())
        assert open_issuer("public", {"public": entry})
        given = {
            "certificates": [{"content": chain, "issuer": "public", "host": "web1"}],
            "issuers": {"public": entry},
            "state_path": str(tmp_path / "state" / "events.json"),
            "unknown_after": 0,
        }
        name = str(cert_id(read_certificate(chain.encode())))
        hours = [datetime.now(timezone.utc) + timedelta(hours=hour) for hour in (-2, -1, 500, 510)]
        past_start, past_end, start, end = (one.strftime("%Y-%m-%dT%H:%M:%SZ") for one in hours)
        proxy.hint(name, start, end)
        assert polled(given) == [[]]
        # It said so for six hours; what it says in between is not asked for.
        proxy.hint(name, past_start, past_end, explanation="https://ca.example/incident")
        assert polled(given) == [[]] and proxy.asked("/renewal-info/") == 1
        open_issuer("public", {"public": entry}).renewal_hint_now(  # type: ignore[attr-defined]
            read_certificate(chain.encode()), at=datetime.now(timezone.utc)
        )
        [[event], []] = polled(given, 2)
        [told] = event["certificates"]
        assert (event["kind"], told["reason"]) == ("renewal_window", "renewal_overdue")
        assert told["window"] == {"start": past_start, "end": past_end} and told["since"] == past_start
        assert told["explanation_url"] == "https://ca.example/incident"
