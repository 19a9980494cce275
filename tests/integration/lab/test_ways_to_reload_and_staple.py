# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way to reload nginx, and each way to staple, once on a real host; all of them revoked for keyCompromise."""

from __future__ import annotations

import time

from ansible_collections.certops.rotation.tests.support.lab_host import handshake, installed
from ansible_collections.certops.rotation.tests.support.lab_round import Round
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld

NGINX = {"name": "nginx", "test": ["nginx", "-t"], "pid_file": "/run/nginx.pid", "timeout": 30}
SERVICES = {
    "web01": {**NGINX, "kind": "service"},
    "web02": {**NGINX, "kind": "signal"},
    "web03": {**NGINX, "kind": "command", "reload": ["nginx", "-s", "reload"]},
}
PLAIN, OUT_OF_REACH, MUST_STAPLE = "web04", "web05", "web06"


def test_every_way_to_reload_and_staple(world: LabWorld) -> None:
    hosts = [*SERVICES, PLAIN, OUT_OF_REACH, MUST_STAPLE]
    for host, service in SERVICES.items():
        world.configure(host, rotate_service=service)
    world.configure(MUST_STAPLE, rotate_must_staple=True)
    world.on(
        OUT_OF_REACH, "cp /etc/hosts /root/hosts; sed -i 's/.*ca\\.lab\\.test.*/127.0.0.1 ca.lab.test/' /etc/hosts"
    )
    due = Round(world, hosts, revoked=hosts)
    world.rotate("--limit", ",".join(hosts))
    for host in hosts:
        due.assert_finished(host)
    modes = {host: installed(world, host).stapling for host in (PLAIN, OUT_OF_REACH, MUST_STAPLE)}
    assert modes == {PLAIN: "nginx", OUT_OF_REACH: "file", MUST_STAPLE: "file"}
    for host in (OUT_OF_REACH, MUST_STAPLE):
        assert first_handshake_after_reload(world, host) == "good", host
    assert first_handshake_after_reload(world, PLAIN) == "absent"  # what a staple as a file is for
    assert "does not reach the responder" in why_of(world, OUT_OF_REACH)
    for host in hosts:
        world.configure(host, rotate_service=None)
    world.rotate(expect_changed=False)


def first_handshake_after_reload(world: LabWorld, host: str) -> str:
    """The staple of the very first client of the new workers."""
    before = workers(world, host)
    world.on(host, "systemctl reload nginx")
    deadline = time.monotonic() + 10
    while not (now := workers(world, host)) or now & before:
        assert time.monotonic() < deadline
    return handshake(world, host).staple


def workers(world: LabWorld, host: str) -> set[str]:
    """Those that take connections."""
    return set(world.on(host, "pgrep -f 'nginx: worker process$' || true").split())


def why_of(world: LabWorld, host: str) -> str:
    return str(next(one for one in world.report()["rotations"] if one["host"] == host)["installation"]["why"])


def test_hosts_have_no_package_of_pip(world: LabWorld) -> None:
    versions = world.on("web01", "python3 --version; python3 -c 'import cryptography' 2>&1 | tail -1; nginx -v 2>&1")
    print(versions)
    assert "Python 3.11." in versions and "No module named 'cryptography'" in versions
