# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk full, read-only file system, and SIGKILL or an error at each single step that changes the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld, everything, spki_of_key

CHANGES = "rename,symlink,link,linkat,unlink,mkdir,fsync"


def strace_works() -> bool:
    """strace may be missing, or forbidden in a container."""
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False, capture_output=True)
    return tried.returncode == 0


needs_strace = pytest.mark.skipif(not strace_works(), reason="strace is missing or forbidden: no faults are injected")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a small file system of its own needs root")


@pytest.fixture
def world(tmp_path: Path) -> HostWorld:
    return HostWorld(tmp_path)


def inject(what: str, step: int) -> list[str]:
    """Let the ``step``-th change of the disk end in this: ``signal=KILL`` or ``error=ENOSPC``."""
    calls = "fsync" if what.startswith("error") else CHANGES
    return ["strace", "-qq", "-o", "/dev/null", "-e", "trace=" + calls, "-e", f"inject={calls}:{what}:when={step}"]


@needs_strace
@pytest.mark.parametrize("is_adopted", [False, True], ids=["plain", "adoption"])
def test_killed_at_each_change_of_the_disk(world: HostWorld, is_adopted: bool) -> None:
    """Whatever the step, what is live is a pair, the vhost's paths hold a pair, and the next run completes the job."""
    first = None if is_adopted else world.rotate()
    step = 0
    while True:
        step += 1
        name = f"shop{step}" if is_adopted else "shop"
        paths = None
        if is_adopted:
            vhost, _issued = world.own_vhost(name)
            paths = {"certificate": str(vhost.certificate), "key": str(vhost.key)}
        prepared = world.prepare(name, server_names=[f"shop{step}.example.org"])
        release = world.release(prepared, name, paths=paths)
        world.modules.before = inject("signal=KILL", step)
        process = world.modules.start("certificate_install", releases=[release], service=world.service)
        output, errors = process.communicate()
        world.modules.before = []
        if output:
            break
        if (world.root / name / "live").is_symlink():
            live = world.version(world.live(name), name)
            assert_pair(live / "fullchain.pem", live / "privkey.pem")
        if is_adopted:
            assert_pair(vhost.certificate, vhost.key)
        assert world.prepare(name, server_names=[f"shop{step}.example.org"], check=True)
        result = world.install(release)
        assert not result.get("failed"), (step, result)
        assert world.live(name) == prepared["version"]
        assert [path for path in world.root.rglob(".*") if path.name != ".lock"] == [], step
    assert world.modules.parse(output, errors)["changed"] is True
    assert step > 10
    assert first is None or world.live() != first["version"]


@needs_strace
def test_error_at_each_write_leaves_the_old_release_whole(world: HostWorld) -> None:
    """ENOSPC where it really comes out: at fsync. Everything is as before, but for the tidying up."""
    first = world.rotate()
    release = world.release(world.prepare())
    before = everything(world.root)
    failures = 0
    for step in range(1, 100):
        world.modules.before = inject("error=ENOSPC", step)
        result = world.install(release)
        world.modules.before = []
        if not result.get("failed"):
            break
        failures += 1
        assert result["code"] == "disk_full"
        assert world.live() == first["version"]
        after = everything(world.root)
        assert {path: value for path, value in after.items() if not path.endswith("keys.log")} == {
            path: value for path, value in before.items() if not path.endswith("keys.log")
        }, step
    assert failures >= 5
    assert world.live() == release["version"]


@needs_strace
def test_error_at_each_write_of_a_new_key_leaves_no_key(world: HostWorld) -> None:
    """Or, after the rename that makes it a version, a whole one that the next run takes up again."""
    step = 0
    while not list(world.root.rglob("privkey.pem")):
        step += 1
        world.modules.before = inject("error=ENOSPC", step)
        assert world.prepare()["error"]["code"] == "disk_full"
        world.modules.before = []
    assert step > 4
    assert world.prepare()["resumed"] is True


def assert_pair(certificate: Path, key: Path) -> None:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-pubkey"]
    public = subprocess.run(command, check=True, capture_output=True).stdout
    command = ["openssl", "pkey", "-in", str(key), "-pubout"]
    assert subprocess.run(command, check=True, capture_output=True).stdout == public


# --- real file systems, small ones, in a mount namespace of their own


class SmallDisk:
    """A tmpfs of 1 MiB at ``root``, seen by the modules only."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sleep", "300"])
        self.enter = ["nsenter", f"--target={self.holder.pid}", "--mount"]
        while os.readlink(f"/proc/{self.holder.pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt"):
            pass
        self.do("mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", str(root))
        self.inside = Path(f"/proc/{self.holder.pid}/root{root}")

    def do(self, *command: str) -> None:
        subprocess.run([*self.enter, *command], check=True, capture_output=True)

    def fill(self, but: int = 0) -> None:
        """Fill it up, except for some KiB."""
        ballast = self.inside / "ballast"
        with ballast.open("wb", buffering=0) as handle:
            try:
                while True:
                    handle.write(b"x" * 4096)
            except OSError:
                pass
        os.truncate(ballast, ballast.stat().st_size - but * 1024)

    def free(self) -> None:
        (self.inside / "ballast").unlink()

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()


@pytest.fixture
def disk(world: HostWorld) -> Iterator[SmallDisk]:
    small = SmallDisk(world.root)
    world.modules.before = small.enter
    yield small
    small.close()


def live_inside(disk: SmallDisk) -> str:
    return os.readlink(disk.inside / "shop" / "live").partition("/")[2]


def whole(disk: SmallDisk) -> dict[str, Any]:
    return {path: value for path, value in everything(disk.inside).items() if not path.endswith("ballast")}


@needs_root
def test_full_disk(world: HostWorld, disk: SmallDisk) -> None:
    first = world.rotate()
    release = world.release(world.prepare())
    before = whole(disk)
    for left in (0, 4, 8, 12, 16):
        disk.fill(but=left)
        result = world.install(release)
        if not result.get("failed"):
            break
        assert result["code"] == "disk_full"
        assert (whole(disk), live_inside(disk)) == (before, first["version"])
    else:
        disk.free()
        assert world.install(release)["changed"] is True
    assert live_inside(disk) == release["version"]
    assert spki_of_key(disk.inside / "shop" / "live" / "privkey.pem") == release["spki_sha256"]


@needs_root
def test_full_disk_makes_no_key(world: HostWorld, disk: SmallDisk) -> None:
    world.rotate()
    before = whole(disk)
    disk.fill()
    assert world.prepare()["error"]["code"] == "disk_full"
    assert whole(disk) == before
    disk.free()
    assert world.prepare()["version"]


@needs_root
def test_read_only_file_system(world: HostWorld, disk: SmallDisk) -> None:
    first = world.rotate()
    release = world.release(world.prepare())
    before = whole(disk)
    disk.do("mount", "-o", "remount,ro", str(world.root))
    assert world.install(release)["code"] == "read_only"
    result = world.modules.run("key_csr", requests=[{"name": "shop", "server_names": ["x.example"]}])
    assert result["code"] == "read_only"
    assert (whole(disk), live_inside(disk)) == (before, first["version"])
    disk.do("mount", "-o", "remount,rw", str(world.root))
    assert world.install(release)["changed"] is True
