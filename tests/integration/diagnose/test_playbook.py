# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that ssh does not reach while clients do, hosts that declare nonsense, and the exit code: by the playbook."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.integration.diagnose.world import HOST, NAME, Answer, World
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.tls_server import closed_port

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def diagnose(world: World, host: dict[str, Any], *arguments: str, **variables: Any) -> playbook.Run:
    port = world.nginx.vhosts[0].port if world.nginx else closed_port()
    known = {
        "diagnose_address": "127.0.0.1",
        "diagnose_port": port,
        "diagnose_trust_anchors": [str(world.place / "root.pem")],
        "diagnose_nginx_dump": [*world.nginx.command, "-T"] if world.nginx else ["false"],
        "diagnose_root": str(world.place / "certops"),
        **variables,
    }
    inventory = playbook.write_inventory(world.place / "inventory.yml", {HOST: host}, known)
    return playbook.run("certops.rotation.diagnose", inventory, arguments, cwd=world.place)


def declared(port: int) -> list[dict[str, Any]]:
    listeners = [{"address": "127.0.0.1", "port": port}]
    return [{"name": "shop", "server_names": [NAME], "listeners": listeners}]


@pytest.mark.parametrize("is_declared", [True, False])
def test_host_that_only_clients_reach_is_diagnosed_all_the_same(world: World, is_declared: bool) -> None:
    issued = world.leaf(NAME, "127.0.0.1")
    port = world.start(world.vhost(issued)).vhosts[0].port
    world.prime()
    far = {"ansible_host": "127.0.0.1", "ansible_port": closed_port(), "ansible_ssh_common_args": "-F /dev/null"}
    more = {"diagnose_certificates": declared(port)} if is_declared else {}
    ended = diagnose(world, far, **more)
    assert ended.returncode == 0, ended.output
    assert "1. possible: Ansible does not reach the host" in ended.output and "2. " not in _said(ended), ended.output
    world.publish([issued.serial])
    ended = diagnose(world, far, **more)
    assert ended.returncode == 2 and "1. certain: the certificate is revoked" in ended.output, ended.output


def test_host_that_only_ssh_reaches_is_diagnosed_all_the_same(world: World) -> None:
    ended = diagnose(world, LOCAL, diagnose_certificates=declared(closed_port()))
    assert ended.returncode == 2, ended.output
    assert "1. certain: nothing listens at the endpoint" in ended.output and "2. " not in _said(ended), ended.output
    assert "itself is reached by Ansible" in ended.output


def test_certificate_that_only_nginx_knows_of_is_found_on_the_host(world: World) -> None:
    first, second = world.vhost(world.leaf()), world.vhost(world.leaf("late.example.org"), name="late.example.org")
    world.start(first, second)
    world.prime()
    world.ca.files["/ca.crl"] = b""
    ended = diagnose(world, LOCAL)
    assert "web1/shop.example.org: 1. certain" in ended.output, ended.output
    assert "web1/late.example.org: 1. certain" in ended.output, ended.output


def test_exit_code_is_by_policy(world: World) -> None:
    world.start(world.vhost(world.leaf(), ""))
    assert diagnose(world, LOCAL).returncode == 0
    ended = diagnose(world, LOCAL, diagnose_fail_on=["stapling_off"])
    assert ended.returncode == 2 and "stapling_off (possible)" in ended.output
    world.publish([next(iter(world.ca.known))])
    assert diagnose(world, LOCAL, diagnose_fail_on=[]).returncode == 0


def test_nonsense_is_told_with_its_code_and_the_others_are_diagnosed(world: World) -> None:
    port = world.start(world.vhost(world.leaf())).vhosts[0].port
    world.prime()
    certificates = [*declared(port), {"name": "../evil", "server_names": ["x.example.org"]}]
    ended = diagnose(world, LOCAL, diagnose_certificates=certificates)
    assert "web1/shop: nothing wrong was found" in ended.output, ended.output
    assert ended.returncode == 2 and "name_invalid" in ended.output and "Traceback" not in ended.output, ended.output


def test_what_has_changed_since_a_good_day_is_told(world: World) -> None:
    world.start(world.vhost(world.leaf()))
    world.prime()
    file = str(world.place / "before.json")
    assert diagnose(world, LOCAL, diagnose_snapshot=file).returncode == 0
    same = diagnose(world, LOCAL, diagnose_compare_with=file)
    assert "changed since" not in same.output, same.output
    world.ca.ocsp = lambda asked: Answer(status=503)
    ended = diagnose(world, LOCAL, diagnose_compare_with=file)
    told = f"reachability of {world.ca.url}/ocsp from host web1: was ok, is http_error"
    assert told in ended.output and ended.output.count("changed since") == 2, ended.output


@pytest.mark.parametrize("key", ["", "not a key"])
def test_client_certificate_that_cannot_be_used_is_an_error_with_a_next_step(world: World, key: str) -> None:
    issued = world.leaf("client.example.org")
    world.start(world.vhost(world.leaf()))
    certificate, path = world.write("client.pem", issued.pem), world.write("client.key", key)
    more = {"diagnose_client_certificate": str(certificate), "diagnose_client_key": str(path)}
    ended = diagnose(world, LOCAL, **more)
    assert ended.returncode == 2 and "client_certificate_unusable" in ended.output, ended.output
    assert "Traceback" not in ended.output and issued.key_pem.splitlines()[1] not in ended.output


def test_check_mode_diagnoses_and_repairs_nothing(world: World) -> None:
    world.start(world.vhost(world.leaf()))
    ended = diagnose(world, LOCAL, "--check", "-e", json.dumps({"diagnose_fix": True}))
    assert ended.changed[HOST] == 0, ended.output


def _said(ended: playbook.Run) -> str:
    return ended.output.partition("Say what is wrong")[2].partition("TASK")[0]
