# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A public CA (Pebble) that validates hosts on their real port 80, on which Debian's default site answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.lab_host import served
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble
from ansible_collections.certops.rotation.tests.support.plain_servers import challenge_answer

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")
HOSTS = ["web07", "web08"]
DEFAULT_SITE = "/etc/nginx/sites-available/default"


def names_of(world: LabWorld, host: str) -> list[str]:
    fqdn = world.hosts[host]["lab_fqdn"]
    return [fqdn, f"shop.{fqdn}", *world.host_variables.get(host, {}).get("more_names", [])]


def rotate(world: LabWorld, **variables: Any) -> dict[str, int]:
    ended = world.play("certops.rotation.rotate", "--limit", ",".join(HOSTS), "-e", json.dumps(variables))
    print(ended.output)
    return world.must(ended).changed


def test_revoked_certificates_are_replaced_by_a_public_ca_without_a_file_for_any_order(
    world: LabWorld, tmp_path: Path
) -> None:
    pebble = Pebble(tmp_path / "pebble")
    pebble.http_port = 80
    with pebble:
        for host in HOSTS:
            for name in names_of(world, host):
                pebble.dns("add-a", host=f"{name}.", addresses=[world.hosts[host]["lab_ipv4"]])
        issuers = {**world.issuers, "pebble": pebble.issuer()}
        public = {
            "rotate_issuers": issuers,
            "rotate_issuer": "pebble",
            "rotate_http01_adopt": True,
            "rotate_visible_deadline": 0,
        }
        before = {host: served(world, host).serial for host in HOSTS}
        world.revoke(*HOSTS)
        rotate(world, **public)
        public_serials = {host: served(world, host).serial for host in HOSTS}
        for host in HOSTS:
            assert public_serials[host] != before[host]
            assert pebble.revocation(public_serials[host])["Status"] == "Valid"
            for address in (world.hosts[host]["lab_ipv4"], world.hosts[host]["lab_ipv6"]):
                status, text = challenge_answer(80, names_of(world, host)[0], address=address)
                assert (status, text.partition(".")[0]) == (200, "a-token")
            assert "include /etc/certops/http-01.pebble.conf;" in world.on(host, f"cat {DEFAULT_SITE}")
        assert rotate(world, **public) == dict.fromkeys(HOSTS, 0)
        # Back to the internal CA, for the tests that follow.
        rotate(world, rotate_issuers=issuers, rotate_force=True, rotate_visible_deadline=0)
        assert {pebble.revocation(serial)["Status"] for serial in public_serials.values()} == {"Revoked"}
    assert rotate(world) == dict.fromkeys(HOSTS, 0)
