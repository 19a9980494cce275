# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that were ordered from here and are served nowhere any more: found by serial number and key, revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.certificate_revoke import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    CertificateFacts,
    certificate_facts,
    read_certificates,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers import acme_account
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import AcmeIssuer, open_acme
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issued, Order
from ansible_collections.certops.rotation.tests.support.acme_proxy import AcmeProxy
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble
from ansible_collections.certops.rotation.tests.support.pki import make_csr, make_key

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")
NAME = "gone.example.org"
NOBODY_SERVES = {"web1": [{"host": "web1", "name": "other", "served": []}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    place = tmp_path_factory.mktemp("acme") / "pebble"
    with Pebble(place, environment={"PEBBLE_VA_ALWAYS_VALID": "1"}) as running:
        yield running


@pytest.fixture
def entry(server: Pebble, tmp_path: Path) -> dict[str, Any]:
    return server.issuer(state_dir=str(tmp_path / "state"))


def bought(entry: dict[str, Any], key: Any = None) -> Issued:
    order = Order("web1", "gone", make_csr([NAME], key or make_key()), (NAME,))
    [issued] = open_acme("public", entry).issue([order])
    assert isinstance(issued, Issued), issued
    return issued


def facts_of(issued: Issued) -> CertificateFacts:
    return certificate_facts(read_certificates(issued.chain_pem.encode())[0])


def found_by_each(issuer: AcmeIssuer, facts: CertificateFacts) -> list[list[str]]:
    """Chains found by the serial number, and by the key."""
    found = [issuer.find(serial=facts.serial), issuer.find(spki_sha256=facts.spki_sha256)]
    return [["".join(map(to_pem, chain)) for chain in chains] for chains in found]


def test_the_chain_is_found_by_serial_and_key_without_asking_the_ca(server: Pebble, entry: dict[str, Any]) -> None:
    with AcmeProxy(server) as proxy:
        issued, other = bought({**entry, "directory_url": proxy.directory_url}), bought(entry)
        before = len(proxy.requests)
        issuer = open_acme("public", {**entry, "directory_url": proxy.directory_url})
        assert found_by_each(issuer, facts_of(issued)) == [[issued.chain_pem]] * 2
        assert issuer.find(serial=facts_of(other).serial) == []
        assert len(proxy.requests) == before


def test_every_certificate_of_a_key_is_found(entry: dict[str, Any]) -> None:
    key = make_key()
    first, second = bought(entry, key), bought(entry, key)
    found = open_acme("public", entry).find(spki_sha256=facts_of(first).spki_sha256)
    chains = ["".join(map(to_pem, chain)) for chain in found]
    assert sorted(chains) == sorted([first.chain_pem, second.chain_pem])


def test_looking_makes_neither_account_nor_key_nor_folder(entry: dict[str, Any], tmp_path: Path) -> None:
    issuer = open_acme("public", entry)
    assert issuer.find(serial="0a") == [] == issuer.find(spki_sha256="0" * 64)
    assert not list((tmp_path).rglob("*"))


def test_what_another_account_ordered_is_not_found_as_ours(entry: dict[str, Any], tmp_path: Path) -> None:
    mine, theirs = bought(entry), bought({**entry, "account_key": str(tmp_path / "their.key")})
    issuer = open_acme("public", entry)
    assert found_by_each(issuer, facts_of(mine)) == [[mine.chain_pem]] * 2
    assert found_by_each(issuer, facts_of(theirs)) == [[], []]
    # Where nothing is known of our own account, the certificate's key may still have the right.
    (tmp_path / "state").rename(tmp_path / "kept")
    [folder] = (tmp_path / "kept").iterdir()
    (folder / "account.key").unlink()
    issuer = open_acme("public", {**entry, "state_dir": str(tmp_path / "kept")})
    assert found_by_each(issuer, facts_of(theirs)) == [[theirs.chain_pem]] * 2
    assert not (folder / "account.key").exists()


def test_it_is_still_found_after_the_account_has_a_new_key(entry: dict[str, Any]) -> None:
    issued = bought(entry)
    acme_account.roll_over(open_acme("public", entry).client)
    assert found_by_each(open_acme("public", entry), facts_of(issued)) == [[issued.chain_pem]] * 2


@pytest.mark.parametrize("option", ["serials", "keys"])
def test_it_is_revoked_by_what_names_it_and_keeps_its_chain(server: Pebble, entry: dict[str, Any], option: str) -> None:
    issued = bought(entry)
    facts = facts_of(issued)
    named = {"serials": [facts.serial.upper()], "keys": [facts.spki_sha256]}[option]
    arguments = {option: named, "reason": "superseded", "issuers": {"public": entry}, "seen": NOBODY_SERVES}
    result = run_action(ActionModule, arguments)
    assert not result.get("failed"), result
    [one] = result["revocations"]
    assert (one["serial"], one["state"], one["by"]) == (facts.serial, "revoked", "account")
    [rotation] = result["rotations"]["localhost"]
    assert rotation["issuer"] == "public" and rotation["predecessor"]["chain_pem"] == issued.chain_pem
    status = server.revocation(facts.serial)
    assert (status["Status"], status["Reason"]) == ("Revoked", 4)


def test_the_longer_of_two_chains_is_kept(entry: dict[str, Any]) -> None:
    """What was served need not have had an intermediate with it."""
    issued = bought(entry)
    facts = facts_of(issued)
    leaf = to_pem(read_certificates(issued.chain_pem.encode())[0])
    seen = {"web1": [{"host": "web1", "name": "gone", "issuer": "elsewhere", "installed": {"versions": [
        {"version": "v1", "has_key": False, "chain_pem": leaf}]}}]}  # fmt: skip
    arguments = {"serials": [facts.serial], "reason": "superseded", "issuers": {"public": entry}, "seen": seen}
    result = run_action(ActionModule, {**arguments, "phase": "plan"})
    [rotation] = [one for of_host in result["rotations"].values() for one in of_host]
    assert rotation["issuer"] == "public" and rotation["predecessor"]["chain_pem"] == issued.chain_pem


def test_a_memory_that_cannot_be_read_is_no_reason_to_find_nothing(entry: dict[str, Any], tmp_path: Path) -> None:
    issued = bought(entry)
    facts = facts_of(issued)
    damaged = tmp_path / "damaged"
    for folder in (tmp_path / "state").iterdir():
        (damaged / folder.name).mkdir(parents=True)
        (damaged / folder.name / "state.sqlite3").write_bytes(b"no database, and long enough to be looked at" * 40)
    broken = {**entry, "state_dir": str(damaged)}
    arguments = {"serials": [facts.serial], "reason": "superseded", "seen": NOBODY_SERVES, "phase": "plan"}
    planned = run_action(ActionModule, {**arguments, "issuers": {"broken": broken, "public": entry}})
    assert [one["issuer"] for one in planned["revocations"]] == ["public"]
    nothing = run_action(ActionModule, {**arguments, "issuers": {"broken": broken}})
    assert nothing["failed"] and nothing["code"] == "acme_state_failed"


@pytest.mark.parametrize("what", ["revoke_serials", "revoke_keys"])
def test_revoke_yml_revokes_what_nobody_serves(
    server: Pebble, entry: dict[str, Any], tmp_path: Path, what: str
) -> None:
    issued = bought(entry)
    facts = facts_of(issued)
    variables = {
        what: [facts.serial if what == "revoke_serials" else facts.spki_sha256],
        "revoke_reason": "cessationOfOperation",
        "revoke_visible_deadline": 0,
    }
    with LocalWorld(tmp_path / "world") as world:
        world.make_ca()
        world.issuers["public"] = entry
        vhost = world.first_certificate("shop", ["shop.example.org"])
        world.start_nginx([vhost])
        world.declare("shop", vhost, issuer="internal")
        world.inventory()
        arguments = ("certops.rotation.revoke", "-e", json.dumps(variables))
        assert f"{facts.serial} planned (cessationOfOperation)" in must(world.play(*arguments, "--check")).output
        assert server.revocation(facts.serial)["Status"] == "Valid"
        assert f"{facts.serial} accepted not published" in must(world.play(*arguments)).output
        assert server.revocation(facts.serial)["Status"] == "Revoked"
        again = must(world.play(*arguments))
        assert again.changed == {"web1": 0}
