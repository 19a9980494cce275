# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three hosts with one certificate: its new key goes from host to host by ssh, and is nowhere else."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.client import Sampler
from ansible_collections.certops.rotation.tests.support.lab_host import installed, served
from ansible_collections.certops.rotation.tests.support.lab_world import LAB, LabWorld
from ansible_collections.certops.rotation.tests.support.witness import Leak, crl_says

KEY = "etc/certops/shop/live/privkey.pem"
FORCE = '{"rotate_force": true}'
COMPROMISED = '{"rotate_force": true, "rotate_force_reason": "keyCompromise"}'
# The one-time key is another one by the time that the sealed key comes.
EXCHANGED = (
    "cd /etc/certops/shop/versions && for old in */receiver.key; do"
    " openssl ecparam -name prime256v1 -genkey -noout -out $old; done"
)


@pytest.fixture
def farm(world: LabWorld, hosts: list[str]) -> Iterator[list[str]]:
    """Three of the hosts, which are to have one certificate; afterwards each has its own again."""
    three = hosts[3:6]
    names = [name for host in three for name in (f"{host}.lab.test", f"shop.{host}.lab.test")]
    for host in three:
        [declared] = world.variables["rotate_certificates"]
        shared = {**declared, "server_names": names, "shared": "farm"}
        world.configure(host, rotate_certificates=[shared])
    yield three
    for host in three:
        world.configure(host, rotate_certificates=None)
    world.rotate("--limit", ",".join(three), "-e", FORCE)


def together(world: LabWorld, farm: list[str]) -> str:
    """The serial of the one certificate that all have and serve, with the one key."""
    [key] = {installed(world, host).key for host in farm}
    [serial] = {served(world, host).serial for host in farm}
    for host in farm:
        now = installed(world, host)
        assert now.key == now.certified_key == served(world, host).spki_sha256 == key, host
        assert now.serial == serial and now.all_keys == {key} and now.left_over == (), host
    return serial


def executions(world: LabWorld, farm: list[str]) -> dict[str, int]:
    return {host: world._executions_on(host) for host in farm}  # noqa: SLF001


def test_shared_key_is_replaced_on_all_and_never_on_the_control_node(world: LabWorld, farm: list[str]) -> None:
    limit = ("--limit", ",".join(farm))
    world.rotate(*limit)
    first = together(world, farm)
    # ssh's kept connections have sockets there, whose paths must fit into 108 bytes.
    with tempfile.TemporaryDirectory(prefix="leak-") as place, Sampler(Path(place), processes=True) as sampled:
        before, log = executions(world, farm), Path(place) / "ansible.log"
        ended = world.rotate(*limit, "-e", COMPROMISED, "-vvv", "--diff", TMPDIR=place, ANSIBLE_LOG_PATH=str(log))
        after = executions(world, farm)
        left = [path.read_bytes() for path in Path(place).rglob("*") if path.is_file()]
    second = together(world, farm)
    assert second != first
    assert {host: after[host] - before[host] for host in farm} == {farm[0]: 4, farm[1]: 3, farm[2]: 3}
    assert crl_says(world.published / "intermediate.crl", first) == "Key Compromise"
    leak = Leak()
    for host in farm:
        leak.learn(world.roots()[host] / KEY)
    assert len(leak) > 20
    kept = [path.read_bytes() for path in world.place.rglob("*") if path.is_file()]
    assert leak.found_in([ended.output.encode(), *sampled.texts, *left, *kept]) == []
    for host in farm[1:]:
        assert f" {installed(world, host).key} received " in installed(world, host).keys_log
    world.rotate(*limit, expect_changed=False)
    assert together(world, farm) == second


def test_key_that_cannot_be_opened_is_refused_and_the_next_run_brings_another(world: LabWorld, farm: list[str]) -> None:
    limit = ("--limit", ",".join(farm))
    world.rotate(*limit)
    first = together(world, farm)
    exchange = f"{sys.executable} {LAB} run --quiet {farm[2]} -- sh -ec '{EXCHANGED}'"
    ended = world.play("certops.rotation.rotate", *limit, "-e", COMPROMISED, **world.at({"install": [exchange]}))
    errors = {one["host"]: one["error"]["code"] for one in world.report()["rotations"] if one.get("error")}
    assert errors == {farm[2]: "seal_broken"}, ended.output
    assert served(world, farm[2]).serial == first
    # The predecessor is still served by that host.
    assert crl_says(world.published / "intermediate.crl", first) != "Key Compromise"
    new = served(world, farm[0]).serial
    world.rotate(*limit, "-e", f'{{"rotate_deny_list": ["{installed(world, farm[2]).key}"]}}')
    assert together(world, farm) == new != first
    assert crl_says(world.published / "intermediate.crl", first) == "Key Compromise"


def test_killed_while_the_hosts_install_the_next_run_finishes(world: LabWorld, farm: list[str]) -> None:
    limit = ("--limit", ",".join(farm))
    world.rotate(*limit)
    first = together(world, farm)
    with_it = "(sleep 0.5; kill -9 $(pgrep -P $PLAYBOOK_PID) $PLAYBOOK_PID) >/dev/null 2>&1 &"
    deny = ("-e", f'{{"rotate_deny_list": ["{installed(world, farm[0]).key}"]}}')
    process = world.start("certops.rotation.rotate", *limit, *deny, **world.at({"install": [with_it]}))
    process.communicate(timeout=180)
    assert process.returncode == -signal.SIGKILL
    for host in farm:
        now = installed(world, host)
        assert now.key == now.certified_key, host
    world.rotate(*limit, *deny)
    assert together(world, farm) != first
    assert crl_says(world.published / "intermediate.crl", first) == "Key Compromise"
    world.rotate(*limit, *deny, expect_changed=False)
