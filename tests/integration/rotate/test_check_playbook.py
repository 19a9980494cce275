# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``certops.rotation.check`` looks, says, and changes nothing; what makes it fail is an option."""

from __future__ import annotations

import json
import sys

import pytest
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.host_world import everything
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld

pytestmark = pytest.mark.each_core


def check(world: LocalWorld) -> playbook.Run:
    """A run, after which nothing but a report is new."""
    world.inventory()
    before = {folder: everything(world.place / folder) for folder in ("ca", "ssl", "nginx", "public")}
    run = world.play("certops.rotation.check")
    assert before == {folder: everything(world.place / folder) for folder in before}
    assert not world.root.exists()
    assert run.changed == {"web1": 0}
    assert "Traceback" not in run.output
    return run


def test_revoked_fails_good_does_not(shop: LocalWorld) -> None:
    assert shop.nginx is not None
    shop.declare("shop", shop.nginx.vhosts[0])
    assert check(shop).returncode == 0
    shop.revoke("shop", "keyCompromise")
    run = check(shop)
    assert run.returncode == 2
    assert "is revoked since" in run.output
    assert "(keyCompromise)" in run.output


@pytest.mark.parametrize(("fail_on", "code"), [([], 0), (["revoked"], 2)])
def test_host_of_which_nothing_is_declared_is_looked_at_on_its_port(
    shop: LocalWorld, fail_on: list[str], code: int
) -> None:
    shop.variables.update(check_port=shop.port_of("shop.example.org"), check_fail_on=fail_on)
    shop.revoke("shop")
    run = check(shop)
    assert run.returncode == code
    [entry] = shop.report()["rotations"]
    assert entry["before"]["verdict"]["status"] == "revoked"


def test_with_a_look_at_the_host_its_vhosts_are_found(shop: LocalWorld) -> None:
    shop.variables.update(check_look=True)
    shop.revoke("shop")
    run = check(shop)
    assert run.returncode == 2
    assert shop.rotation("shop")["before"]["verdict"]["status"] == "revoked"


def test_unknown_fails_only_where_it_is_said_to(shop: LocalWorld) -> None:
    assert shop.nginx is not None
    shop.declare("shop", shop.nginx.vhosts[0])
    shop.publisher.folder = shop.place / "nowhere"
    assert check(shop).returncode == 0
    shop.variables["check_fail_on"] = ["unknown_revocation_status"]
    assert check(shop).returncode == 2


HOSTS = ("web1", "web2", "web3")


def check_hosts(world: LocalWorld) -> playbook.Run:
    """Three hosts, each with the vhost of the same number."""
    assert world.nginx is not None
    world.variables.pop("rotate_certificates", None)
    declared = {host: world.declare("shop", vhost) for host, vhost in zip(HOSTS, world.nginx.vhosts, strict=True)}
    del world.variables["rotate_certificates"]
    inventory = world.inventory()
    variables = json.loads(inventory.read_text())["all"]["vars"]
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {host: {**local, "rotate_certificates": [declared[host]]} for host in HOSTS}
    playbook.write_inventory(inventory, hosts, variables)
    return world.play("certops.rotation.check")


@pytest.mark.parametrize("look", [False, True])
def test_of_several_hosts_those_fail_that_serve_what_is_revoked(world: LocalWorld, look: bool) -> None:
    names = [f"shop{number}" for number in range(3)]
    world.start_nginx([world.first_certificate(name, [f"{name}.example.org"]) for name in names])
    world.variables["check_look"] = look
    assert check_hosts(world).returncode == 0
    world.revoke("shop1")
    run = check_hosts(world)
    assert run.returncode == 2
    assert run.failed == {"web1": 0, "web2": 1, "web3": 0}
    statuses = [entry["before"]["verdict"]["status"] for entry in world.report()["rotations"]]
    assert statuses == ["good", "revoked", "good"]
    world.revoke("shop0")
    world.revoke("shop2")
    assert check_hosts(world).failed == dict.fromkeys(HOSTS, 1)


def test_what_is_not_asked_for_takes_no_process_for_each_host(world: LocalWorld) -> None:
    names = [f"shop{number}" for number in range(3)]
    world.start_nginx([world.first_certificate(name, [f"{name}.example.org"]) for name in names])
    run = check_hosts(world)
    assert run.returncode == 0
    assert run.output.count("skipping: [") == run.output.count("skipping: [web1]") > 0


def test_rate_limit_spreads_the_connections(world: LocalWorld) -> None:
    names = [f"shop{number}" for number in range(3)]
    world.start_nginx([world.first_certificate(name, [f"{name}.example.org"]) for name in names])
    world.variables.update(check_rate_limit=1, check_concurrency=2)
    assert check_hosts(world).returncode == 0
    assert max(entry["seconds"]["detect"] for entry in world.report()["rotations"]) >= 1.9
