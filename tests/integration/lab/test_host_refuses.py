# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each host has another fault: the old release stays served, the run says what to do, and the next run finishes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.certops.rotation.tests.support.lab_host import installed, served
from ansible_collections.certops.rotation.tests.support.lab_round import Round
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld

SYSTEMD = {"kind": "systemd", "name": "nginx", "test": ["nginx", "-t"], "pid_file": "/run/nginx.pid"}
VHOST = "/etc/nginx/sites-enabled/shop.conf"
STOP_MASTER, GO_ON = "kill -STOP $(cat /run/nginx.pid)", "kill -CONT $(cat /run/nginx.pid)"
IMPATIENT = {"rotate_service": {**SYSTEMD, "timeout": 3}}


@dataclass(frozen=True)
class Fault:
    """What is broken on a host, what a run says to that, and how it is mended."""

    step: str
    code: str
    break_it: str = ""
    mend_it: str = ""
    variables: dict[str, Any] = field(default_factory=dict)


SERVES_OTHER_FILES = f"""
cp {VHOST} /root/shop.conf
cp /etc/certops/shop/live/fullchain.pem /etc/certops/shop/live/privkey.pem /etc/ssl/
sed -i s,/etc/certops/shop/live/fullchain,/etc/ssl/fullchain, {VHOST}
sed -i s,/etc/certops/shop/live/privkey,/etc/ssl/privkey, {VHOST}
systemctl reload nginx
"""
FAULTS = {
    "web01": Fault(
        "install",
        "config_broken_before",
        "echo 'made by somebody else;' > /etc/nginx/conf.d/broken.conf",
        "rm /etc/nginx/conf.d/broken.conf",
    ),
    "web02": Fault("install", "reload_without_effect", STOP_MASTER, GO_ON, IMPATIENT),
    "web03": Fault(
        "prepare",
        "disk_full",
        "dd if=/dev/zero of=/etc/certops/filler bs=1k 2>/dev/null || true",
        "rm /etc/certops/filler",
    ),
    "web04": Fault(
        "prepare",
        "read_only",
        "mount --bind /etc/certops /etc/certops; mount -o remount,ro,bind /etc/certops",
        "umount /etc/certops",
    ),
    "web05": Fault("issue", "ca_refused", variables={"more_names": ["shop.example.net"]}),
    "web06": Fault("issue", "ca_directory_missing", variables={"rotate_issuer": "elsewhere"}),
    "web07": Fault("verify", "not_served", SERVES_OTHER_FILES, f"mv /root/shop.conf {VHOST}; systemctl reload nginx"),
    "web08": Fault(
        "prepare",
        "locked",
        "systemd-run --quiet --unit=other-run flock /etc/certops/.lock sleep 600",
        "systemctl stop other-run",
        {"rotate_lock_timeout": 1},
    ),
    "web09": Fault(
        "install", "reload_failed", variables={"rotate_service": {**SYSTEMD, "kind": "command", "reload": ["false"]}}
    ),
}
# The same fault with a compromised predecessor, which must never be served again.
STUCK_AND_REVOKED = "web10"


def test_each_fault_leaves_the_old_release_and_the_next_run_finishes(world: LabWorld, hosts: list[str]) -> None:
    faults = {**FAULTS, STUCK_AND_REVOKED: Fault("install", "reload_without_effect", STOP_MASTER, GO_ON, IMPATIENT)}
    due = Round(world, hosts, revoked=[STUCK_AND_REVOKED])
    for host, fault in faults.items():
        world.configure(host, **fault.variables)
        if fault.break_it:
            world.on(host, fault.break_it)
    issuers = {**world.issuers, "elsewhere": {"type": "internal_ca", "directory": str(world.place / "no-ca")}}
    limits = json.dumps({"rotate_issuers": issuers, "rotate_served_deadline": 4})
    ended = world.play("certops.rotation.rotate", "-e", limits)
    print(ended.output)
    failed = {one["host"]: one["error"] for one in world.report()["rotations"] if one.get("error")}
    said = {host: (error["step"], error["code"]) for host, error in failed.items()}
    assert said == {host: (fault.step, fault.code) for host, fault in faults.items()}
    assert {host for host, count in ended.failed.items() if count} == set(faults)
    assert [host for host, error in failed.items() if not error["remedy"]] == []
    assert "broken.conf" in failed["web01"]["facts"]["output"]
    for host in FAULTS:
        due.assert_old_is_whole(host)
    assert installed(world, STUCK_AND_REVOKED).live != due.installed[STUCK_AND_REVOKED].live
    assert served(world, STUCK_AND_REVOKED).serial == due.served[STUCK_AND_REVOKED].serial
    for host in set(hosts) - set(faults):
        due.assert_finished(host)

    for host, fault in faults.items():
        if fault.mend_it:
            world.on(host, fault.mend_it)
        world.configure(host, **dict.fromkeys(fault.variables))
    due.want_name("web05", "again.web05.lab.test")
    again = world.rotate()
    print(again.output)
    for host in hosts:
        due.assert_finished(host, orders=None)
    assert {host for host, count in again.changed.items() if count} >= set(faults)
    world.rotate(expect_changed=False)
