# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each reason to act, or not to, in words; with several certificates in one run, as on a real host."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Order
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.host_world import everything, spki_of_key
from ansible_collections.certops.rotation.tests.support.internal_ca import order
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served, must
from ansible_collections.certops.rotation.tests.support.nginx import Vhost
from ansible_collections.certops.rotation.tests.support.pki import key_pem, make_key

WHY = {
    "expiring": ("expiring", "it ends at "),
    "names": ("names_differ", "is not for more.names.example.org"),
    "denied": ("key_denied", "is on the deny list"),
    "forced": ("forced", "forced, to be revoked for cessationOfOperation"),
}
REVOKED_FOR = {
    "expiring": "superseded",
    "names": "superseded",
    "denied": "keyCompromise",
    "forced": "cessationOfOperation",
}


class Fleet(LocalWorld):
    """Five certificates on one host, four of which have something about them."""

    before: dict[str, Served]
    run: playbook.Run

    def open(self) -> None:
        vhosts = {name: self.vhost(name) for name in ("good", "names", "denied", "forced")}
        self.make_ca(leaf_days=5)
        vhosts["expiring"] = self.vhost("expiring")
        self.make_ca(leaf_days=47)
        vhosts["names"].names = ["names.example.org", "more.names.example.org"]
        for name, vhost in vhosts.items():
            self.declare(name, vhost)
        self.variables.update(
            rotate_renew_before="10d",
            rotate_deny_list=[spki_of_key(vhosts["denied"].key)],
            rotate_force=["forced"],
            rotate_force_reason="cessationOfOperation",
        )
        self.start_nginx(list(vhosts.values()))
        self.before = {name: self.served(f"{name}.example.org") for name in vhosts}

    def vhost(self, name: str) -> Vhost:
        return self.first_certificate(name, [f"{name}.example.org"], extra=self.snippet(name))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("decisions") / "world") as world:
        world.make_ca()
        world.open()
        world.run = world.rotate("-vvv")
        yield world


@pytest.mark.parametrize("name", WHY)
def test_what_is_due_is_rotated_for_its_reason_in_words(fleet: Fleet, name: str) -> None:
    must(fleet.run)
    code, words = WHY[name]
    entry = fleet.rotation(name)
    assert [reason["code"] for reason in entry["decision"]["reasons"]] == [code]
    assert words in entry["decision"]["reasons"][0]["text"]
    assert words in fleet.run.output
    after = fleet.served(f"{name}.example.org")
    assert after.serial == entry["after"]["serial"] != fleet.before[name].serial
    assert after.spki_sha256 != fleet.before[name].spki_sha256
    reasons = {serial: reason for _name, serial, reason in fleet.ca_certificates()}
    assert reasons[fleet.before[name].serial] == REVOKED_FOR[name]
    assert reasons[after.serial] is None


def test_what_is_good_is_left_alone(fleet: Fleet) -> None:
    assert fleet.rotation("good")["outcome"] == "kept"
    assert fleet.served("good.example.org").serial == fleet.before["good"].serial
    assert not (fleet.pairs / "good.crt").is_symlink()


def test_three_executions_on_the_host_for_all_of_them(fleet: Fleet) -> None:
    assert executed(fleet.run) == ["key_csr", "certificate_install", "key_retire"]


def test_one_execution_and_no_change_when_nothing_is_due(shop: LocalWorld) -> None:
    before = everything(shop.pairs), everything(shop.place / "ca")
    run = must(shop.rotate("-vvv"))
    assert run.changed == {"web1": 0}
    assert executed(run) == ["installed_info"]
    assert shop.rotation("shop")["outcome"] == "kept"
    assert before == (everything(shop.pairs), everything(shop.place / "ca"))
    assert not shop.root.exists()


def test_served_is_not_installed_reloads_and_orders_nothing(shop: LocalWorld) -> None:
    """Somebody made another pair live, and forgot the reload."""
    shop.revoke("shop")
    must(shop.rotate())
    serial = another_pair_live(shop, "shop")
    ordered = shop.ca_certificates()
    assert shop.served("shop.example.org").serial != serial
    run = must(shop.rotate())
    assert shop.served("shop.example.org").serial == serial
    assert shop.ca_certificates() == ordered
    assert shop.rotation("shop")["outcome"] == "repaired"
    assert f"is served, {serial} is installed" in run.output


@pytest.mark.parametrize(("policy", "code"), [("warn", 0), ("fail", 2)])
def test_unknown_is_said_and_nothing_is_touched(shop: LocalWorld, policy: str, code: int) -> None:
    (shop.published / "intermediate.crl").unlink()
    shutil.rmtree(shop.published / "ocsp")
    shop.variables["rotate_on_unknown"] = policy
    before = everything(shop.pairs)
    run = shop.rotate()
    assert run.returncode == code
    entry = shop.rotation("shop")
    assert entry["outcome"] == ("kept" if policy == "warn" else "failed")
    assert "unknown_revocation_status" in json.dumps(entry)
    assert "whether" in run.output and "is revoked is unknown" in run.output
    assert run.changed == {"web1": 0}
    assert before == everything(shop.pairs)
    assert not shop.root.exists()


def executed(run: playbook.Run) -> list[str]:
    """The modules that were executed on the host, by Ansible's wrapper or without it."""
    return re.findall(r"(?:Using module file \S*/|Lean execution of )(\w+)", run.output)


def another_pair_live(world: LocalWorld, name: str) -> str:
    """Make a new good pair live by hand; returns its serial."""
    key = make_key()
    wanted: Order = order(name, [f"{name}.example.org"], key=key)
    [issued] = open_issuer("internal", world.issuers).issue([wanted])
    old = world.live(name)
    new = old.with_name("20990101T000000Z-abcdef")
    shutil.copytree(old, new)
    (new / "privkey.pem").write_text(key_pem(key))
    (new / "fullchain.pem").write_text(issued.chain_pem)  # type: ignore[union-attr]
    record = json.loads((new / "record.json").read_text())
    serial = world.ca_certificates()[-1][1]
    record.update(version=new.name, spki_sha256=spki_of_key(new / "privkey.pem"), serial=serial, supersedes=None)
    (new / "record.json").write_text(json.dumps(record))
    link = world.root / name / "live"
    link.unlink()
    os.symlink(Path("versions") / new.name, link)
    return serial
