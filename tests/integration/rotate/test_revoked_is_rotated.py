# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A revoked certificate is replaced: everything that this promises, seen from outside and by openssl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served, must
from ansible_collections.certops.rotation.tests.support.nginx import free_port
from ansible_collections.certops.rotation.tests.support.witness import crl_says, ocsp_says, private_keys_below

pytestmark = pytest.mark.each_core

NAMES = ("shop.example.org", "www.shop.example.org", "cdn.shop.example.org")
IPV6 = "::1"


@dataclass
class Story:
    """One rotation, told by what was before it and what came of it."""

    world: LocalWorld
    listeners: list[tuple[str, int]]
    before: Served
    old_pem: Path
    run: playbook.Run
    again: playbook.Run

    def everywhere(self) -> list[Served]:
        return [self.world.served(name, port, address=address) for address, port in self.listeners for name in NAMES]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with LocalWorld(tmp_path_factory.mktemp("revoked") / "world") as world:
        world.create_ca()
        port = free_port()
        extra = f"listen [{IPV6}]:{port} ssl; {world.snippet('shop')}"
        vhost = world.first_certificate("shop", NAMES, extra=extra)
        old_pem = world.place / "old.pem"
        old_pem.write_text(vhost.certificate.read_text())
        world.start_nginx([vhost])
        before = world.served(NAMES[0])
        world.revoke("shop", "keyCompromise")
        run, again = world.rotate(), world.rotate()
        yield Story(world, [("127.0.0.1", vhost.port), (IPV6, port)], before, old_pem, run, again)


def test_every_listener_and_name_serves_the_new_pair_with_a_good_staple(story: Story) -> None:
    must(story.run)
    seen = story.everywhere()
    assert len(seen) == 6
    assert {one.serial for one in seen} == {story.world.ca_certificates()[-1][1]}
    [spki] = {one.spki_sha256 for one in seen}
    assert spki != story.before.spki_sha256
    assert {one.staple for one in seen} == {"good"}
    assert all(len(one.chain) == 2 for one in seen)


def test_old_serial_is_revoked_for_its_reason_in_crl_and_ocsp_also_for_openssl(story: Story) -> None:
    public, old = story.world.published, story.before.serial
    assert crl_says(public / "intermediate.crl", old) == "Key Compromise"
    root = story.world.place / "ca" / "root.crt"
    issuer = story.world.place / "ca" / "intermediate.crt"
    url = f"{story.world.publisher.url}/ocsp"
    assert ocsp_says(story.old_pem, issuer, root, url) == "revoked (keyCompromise)"
    new = story.world.live("shop") / "fullchain.pem"
    assert ocsp_says(new, issuer, root, url) == "good"
    assert crl_says(public / "intermediate.crl", story.everywhere()[0].serial) is None


def test_old_key_is_nowhere_on_the_disk_and_its_fingerprint_remembered(story: Story) -> None:
    keys = private_keys_below(story.world.place)
    assert len(keys) >= 4  # those of the CA and of the new pair, so that the search is known to find keys
    assert story.before.spki_sha256 not in keys.values()
    assert keys[story.world.live("shop") / "privkey.pem"] == story.everywhere()[0].spki_sha256
    lines = [line.split() for line in (story.world.root / "shop" / "keys.log").read_text().splitlines()]
    fates = [fate for _at, spki, fate, _version in lines if spki == story.before.spki_sha256]
    assert fates == ["adopted", "revoked:keyCompromise"]


def test_report_tells_who_what_when_and_how_long(story: Story) -> None:
    directory = story.world.place / "reports"
    reports = sorted(path for path in directory.iterdir() if path.name != "latest")
    assert len(reports) == 2
    [named] = [path for path in reports if f"{path}/report.json" in story.run.output]
    [entry] = json.loads((named / "report.json").read_text())["rotations"]
    assert (entry["host"], entry["name"], entry["outcome"]) == ("web1", "shop", "rotated")
    assert [reason["code"] for reason in entry["decision"]["reasons"]] == ["revoked"]
    assert entry["before"]["serial"] == story.before.serial
    assert entry["after"]["serial"] == story.everywhere()[0].serial
    assert entry["revocation"]["reason"] == "keyCompromise"
    assert entry["retirement"]["destroyed"] == [story.before.spki_sha256]
    assert len(entry["proof"]["checked"]) == 6
    steps = ["detected", "decided", "prepared", "issued", "validated", "installed", "served", "visible", "retired"]
    times = [entry["times"][step] for step in steps]
    assert times == sorted(times)
    assert all(seconds >= 0 for seconds in entry["seconds"].values())
    assert "is revoked since" in story.run.output


def test_second_run_changes_nothing(story: Story) -> None:
    must(story.again)
    assert story.again.changed == {"web1": 0}
    assert len(story.world.ca_certificates()) == 2
