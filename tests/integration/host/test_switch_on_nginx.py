# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switch, test, reload and the way back, on a real nginx that serves on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld, running, spki_of, spki_of_key
from ansible_collections.certops.rotation.tests.support.nginx import Nginx

KILLS = 12


@pytest.fixture
def world(tmp_path: Path) -> HostWorld:
    return HostWorld(tmp_path)


@pytest.fixture
def first(world: HostWorld) -> dict[str, Any]:
    """The release that is live before each test."""
    return world.rotate()


@pytest.fixture
def nginx(world: HostWorld, first: dict[str, Any]) -> Iterator[Nginx]:
    """Serves ``live`` of the shop."""
    with running(world, world.vhost()) as started:
        yield started


def served(nginx: Nginx, name: str = "shop") -> str:
    return spki_of(nginx.served(f"{name}.example.org"))


def test_switch_is_served_by_new_workers(world: HostWorld, first: dict[str, Any], nginx: Nginx) -> None:
    before = nginx.workers_now()
    assert served(nginx) == first["spki_sha256"]
    release = world.release(world.prepare())
    result = world.install(release)
    assert served(nginx) == release["spki_sha256"]
    assert result["reload"]["master_pid"] == nginx.pid
    assert result["reload"]["new_workers"] >= 1
    assert result["reload"]["old_workers_left"] == 0
    time.sleep(0.2)
    assert not before & nginx.workers_now()
    assert world.install(release)["reload"] is None


def test_client_sees_no_failed_handshake_and_no_foreign_key(
    world: HostWorld, first: dict[str, Any], nginx: Nginx
) -> None:
    """New connections all through three rotations: each gets one of our certificates, whole."""
    seen: list[str] = []
    ended = threading.Event()

    def hammer() -> None:
        while not ended.is_set():
            try:
                seen.append(served(nginx))
            except (OSError, AssertionError) as exc:
                seen.append(repr(exc))

    client = threading.Thread(target=hammer)
    client.start()
    keys = {first["spki_sha256"], *(world.rotate()["spki_sha256"] for _round in range(3))}
    ended.set()
    client.join()
    assert len(seen) > 20
    assert set(seen) <= keys


def test_adopted_vhost_keeps_its_configuration(world: HostWorld) -> None:
    vhost, issued = world.own_vhost()
    paths = {"certificate": str(vhost.certificate), "key": str(vhost.key)}
    with running(world, vhost) as nginx:
        assert served(nginx) == spki_of(issued.certificate)
        release = world.rotate(paths=paths)
        assert served(nginx) == release["spki_sha256"]
        back = {"name": "shop", "operation": "rollback", "version": release["version"], "paths": paths}
        assert not world.install(back).get("failed")
        assert served(nginx) == spki_of(issued.certificate)


def test_refused_configuration_leaves_the_old_release(world: HostWorld, first: dict[str, Any], nginx: Nginx) -> None:
    nginx.vhosts[0].extra = f"include {world.root}/shop/live/nginx.conf;"
    nginx.write()
    assert not world.modules.run("service_reload", service=world.service).get("failed")
    workers = nginx.workers_now()
    prepared = world.prepare()
    release = world.release(prepared, snippets={"off": "no_such_directive on;\n"})
    result = world.install(release)
    assert result["code"] == "config_test_failed"
    assert "no_such_directive" in result["facts"]["output"]
    assert result["facts"]["live"] == {"shop": first["version"]}
    assert world.live() == first["version"]
    assert sorted(os.listdir(world.version(prepared["version"]))) == ["privkey.pem", "record.json", "request.csr"]
    assert nginx.workers_now() == workers
    assert world.prepare()["version"] == prepared["version"]
    assert world.install(world.release(prepared))["changed"] is True
    assert served(nginx) == prepared["spki_sha256"]


def test_refused_configuration_goes_back_even_to_a_revoked_pair(
    world: HostWorld, first: dict[str, Any], nginx: Nginx
) -> None:
    """Nothing was reloaded: what ran still runs, and a restart of the host must find a configuration that works."""
    nginx.vhosts[0].extra = f"include {world.root}/shop/live/nginx.conf;"
    nginx.write()
    release = world.release(world.prepare(), snippets={"off": "no_such_directive on;\n"}, back_allowed=False)
    result = world.install(release)
    assert "revoked or compromised" in result["msg"]
    assert world.live() == first["version"]


def test_configuration_that_was_broken_before_is_told_apart(
    world: HostWorld, first: dict[str, Any], nginx: Nginx
) -> None:
    nginx.write(broken="an_older_mistake;")
    result = world.install(world.release(world.prepare()))
    assert result["code"] == "config_broken_before"
    assert "an_older_mistake" in result["facts"]["output"]
    assert len(result["facts"]["output"]) <= 2048
    assert world.live() == first["version"]
    assert served(nginx) == first["spki_sha256"]


@pytest.mark.parametrize("back_allowed", [True, False])
def test_reload_without_effect(world: HostWorld, first: dict[str, Any], nginx: Nginx, back_allowed: bool) -> None:
    """A test that passes and a SIGHUP that nginx answers in its log only."""
    nginx.write(broken="a_mistake_the_test_does_not_see;")
    world.service.update(test=["true"], timeout=1)
    release = world.release(world.prepare(), back_allowed=back_allowed)
    result = world.install(release)
    assert result["code"] == "reload_without_effect"
    assert "error log" in result["remedy"]
    assert world.live() == (first if back_allowed else release)["version"]
    assert served(nginx) == first["spki_sha256"]
    nginx.write()
    if back_allowed:
        assert world.prepare()["resumed"] is False
    else:
        repaired = world.install({"name": "shop", "operation": "repair"})
        assert repaired["changed"] is True
        assert served(nginx) == release["spki_sha256"]
        assert world.install(release)["changed"] is False


def test_reload_command_that_fails_goes_back_and_reloads_again(
    world: HostWorld, first: dict[str, Any], nginx: Nginx, tmp_path: Path
) -> None:
    """The command takes effect and then fails: the old release has to be served again."""
    script = tmp_path / "reload"
    again = tmp_path / "again"
    script.write_text(f"#!/bin/sh\nkill -HUP {nginx.pid}\n[ -e {again} ] && exit 0\n: > {again}\nexit 3\n")
    script.chmod(0o755)
    world.service.update(kind="command", reload=[str(script)])
    result = world.install(world.release(world.prepare()))
    assert (result["code"], result["facts"]["after_back"]) == ("reload_failed", "reloaded")
    assert world.live() == first["version"]
    assert served(nginx) == first["spki_sha256"]


def test_service_that_does_not_run_stops_before_anything(world: HostWorld, first: dict[str, Any], nginx: Nginx) -> None:
    nginx.stop()
    release = world.release(world.prepare())
    assert world.install(release)["code"] == "service_not_running"
    assert world.live() == first["version"]


def test_pid_file_of_somebody_elses_process_is_not_signalled(world: HostWorld, first: dict[str, Any]) -> None:
    with subprocess.Popen(["sleep", "30"]) as other:
        pid_file = world.folder / "nginx.pid"
        pid_file.write_text(f"{other.pid}\n")
        world.service = {"kind": "signal", "test": [], "pid_file": str(pid_file)}
        assert world.install(world.release(world.prepare()))["code"] == "service_not_running"
        assert other.poll() is None
        other.kill()


def test_two_certificates_go_together(world: HostWorld, first: dict[str, Any]) -> None:
    world.rotate("blog")
    vhosts = world.vhost(), world.vhost("blog")
    vhosts[1].port = vhosts[0].port
    with running(world, *vhosts) as nginx:
        releases = [world.release(world.prepare(name), name) for name in ("shop", "blog")]
        assert world.install(*releases)["reload"]["new_workers"] >= 1
        assert [served(nginx, "shop"), served(nginx, "blog")] == [release["spki_sha256"] for release in releases]


def test_service_reload_alone(world: HostWorld, first: dict[str, Any], nginx: Nginx) -> None:
    workers = nginx.workers_now()
    check = world.modules.run("service_reload", check=True, service=world.service)
    assert (check["changed"], check["reload"]) == (True, None)
    assert nginx.workers_now() == workers
    assert world.modules.run("service_reload", service=world.service)["reload"]["new_workers"] >= 1
    nginx.write(broken="mistake;")
    assert world.modules.run("service_reload", service=world.service)["code"] == "config_test_failed"
    assert world.modules.run("service_reload", service={"kind": "none"})["changed"] is False


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_cut_connection_does_not_stop_it_between_switch_and_reload(
    world: HostWorld, first: dict[str, Any], nginx: Nginx, tmp_path: Path, number: signal.Signals
) -> None:
    """What sshd does when the control node goes away, and nobody reads the output any more."""
    script = tmp_path / "reload"
    script.write_text(f"#!/bin/sh\n: > {tmp_path}/reloading\nsleep 0.5\nexec kill -HUP {nginx.pid}\n")
    script.chmod(0o755)
    world.service.update(kind="command", reload=[str(script)])
    release = world.release(world.prepare())
    process = world.modules.start("certificate_install", releases=[release], service=world.service)
    while not (tmp_path / "reloading").exists():
        time.sleep(0.01)
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(number)
    process.wait(timeout=20)
    assert served(nginx) == release["spki_sha256"]
    assert world.facts()["versions"][-1]["record"]["state"] == "installed"


def test_killed_at_any_moment_nothing_is_half(world: HostWorld, first: dict[str, Any], nginx: Nginx) -> None:
    """SIGKILL at moments spread over the run: ``live`` stays whole, and the next run completes the job.

    With a server that goes on serving; each single change of the disk is in test_faults_of_the_file_system.
    """
    duration = _seconds_of_a_rotation(world)
    for turn in range(KILLS):
        prepared = world.prepare(server_names=[f"shop{turn}.example.org"])
        release = world.release(prepared)
        process = world.modules.start("certificate_install", releases=[release], service=world.service)
        time.sleep(duration * turn / KILLS)
        process.kill()
        process.communicate()
        live = world.version(world.live())
        assert spki_of_key(live / "privkey.pem") == _leaf_key(live / "fullchain.pem")
        assert served(nginx)
        _no_readable_key(world.root)
        result = world.install(release)
        assert not result.get("failed"), result
        assert served(nginx) == release["spki_sha256"]
        left = [path for path in world.root.rglob(".*") if path.name != ".lock"]
        assert left == []


def test_killed_while_it_makes_a_key_leaves_nothing(world: HostWorld, first: dict[str, Any]) -> None:
    request = [{"name": "shop", "server_names": ["shop.example.org"], "key": {"type": "rsa", "size": 4096}}]
    for turn in range(10):
        process = world.modules.start("key_csr", requests=request)
        time.sleep(0.05 + turn * 0.04)
        process.kill()
        process.communicate()
        _no_readable_key(world.root)
    made = world.modules.run("key_csr", requests=request)["prepared"]["shop"]
    keys = {path.parent.name for path in world.root.rglob("privkey.pem")}
    assert keys == {first["version"], made["version"]}


def _seconds_of_a_rotation(world: HostWorld) -> float:
    release = world.release(world.prepare())
    started = time.monotonic()
    world.install(release)
    return time.monotonic() - started


def _leaf_key(chain: Path) -> str:
    output = subprocess.run(["openssl", "x509", "-in", str(chain), "-outform", "DER"], check=True, capture_output=True)
    return spki_of(output.stdout)


def _no_readable_key(root: Path) -> None:
    for key in root.rglob("privkey.pem"):
        assert key.stat().st_mode & 0o077 == 0, key
