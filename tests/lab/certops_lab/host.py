# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab host: a copy of the rootfs, booted by systemd-nspawn in a network namespace and control groups of its own."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from certops_lab import access, cgroup, mounts, network
from certops_lab.command import run
from certops_lab.errors import LabError
from certops_lab.layout import NAMESPACES, Layout
from certops_lab.names import Address, host_address, hosts_file_of_host
from certops_lab.process import Process, children, send, wait_until

POWER_OFF_SECONDS = 20
POWER_OFF_REQUEST = signal.SIGRTMIN + 3  # systemd(1)
GROUPS = "certops-lab"
NSPAWN_STATE = Path("/run/systemd/nspawn/propagate")


@dataclass(frozen=True)
class Host:
    """A host by name; what is known about it lies in its directory."""

    layout: Layout
    name: str

    @property
    def directory(self) -> Path:
        return self.layout.hosts / self.name

    @property
    def root(self) -> Path:
        """The host's file system as it is now, to look into from outside."""
        return self.directory / "root"

    @property
    def machine(self) -> str:
        """Its name to systemd-nspawn, unlike that of any other lab's host."""
        return f"{self.layout.lab}.{self.name}"  # neither name has a dot

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    @property
    def index(self) -> int:
        return int((self.directory / "index").read_text())

    @property
    def address(self) -> Address:
        return host_address(self.index)

    def groups(self) -> list[Path]:
        path = self.directory / "cgroups.json"
        return [Path(group) for group in json.loads(path.read_text())] if path.exists() else []

    def process(self) -> Process | None:
        """The running systemd-nspawn, None if the host is off."""
        path = self.directory / "process"
        process = Process.parse(path.read_text()) if path.exists() else None
        return process if process and process.is_alive() else None


def create(layout: Layout, name: str, index: int, rootfs: Path) -> Host:
    """Files, key, names and network of the host, ready to boot; completes a host that was left half made."""
    host = Host(layout, name)
    host.directory.mkdir(parents=True, exist_ok=True)
    _write(host.directory / "index", str(index))
    upper, work = host.directory / "upper", host.directory / "work"
    for directory in (upper, work, host.root):
        directory.mkdir(exist_ok=True)
    mounts.mount_overlay(host.root, lower=rootfs, upper=upper, work=work)
    access.admit_lab(layout, host.root)
    (host.root / "etc/hostname").write_text(f"{name}\n")
    network.plug_in(layout, name, host.address)
    return host


def write_names(host: Host, addresses: dict[str, Address]) -> None:
    (host.root / "etc/hosts").write_text(hosts_file_of_host(host.name, addresses))


def boot(host: Host) -> None:
    """Start the host unless it runs; returns at once, before it is ready."""
    if host.process():
        return
    groups = cgroup.plan(f"{GROUPS}/{host.layout.lab}/{host.name}")
    _write(host.directory / "cgroups.json", json.dumps([str(group) for group in groups]))
    cgroup.make(groups)
    with open(host.console, "ab") as console:
        started = subprocess.Popen(
            _nspawn(host),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath)},
            preexec_fn=functools.partial(cgroup.enter, groups),
        )
    try:
        _write(host.directory / "process", str(Process.of(started.pid)))
    except ProcessLookupError as exc:
        raise LabError(f"{host.name} ended at once: see {host.console}") from exc


def _nspawn(host: Host) -> list[str]:
    return [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        f"--directory={host.root}",
        f"--machine={host.machine}",
        f"--hostname={host.name}",
        f"--network-namespace-path={NAMESPACES / host.layout.host_namespace(host.name)}",
        "--register=no",  # no machined, no dbus needed on this machine
        "--keep-unit",
        "--console=pipe",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
    ]


def power_off(host: Host, *, hard: bool = False) -> None:
    """An orderly shutdown, or as if the cable were pulled; returns when nothing of the host runs any more."""
    process = host.process()
    if process and (hard or not _shuts_down(process)):
        process.signal(signal.SIGKILL)
    if not cgroup.kill_members(host.groups()):
        raise LabError(f"{host.name}: processes do not end, see {host.groups()}")
    cgroup.remove(host.groups(), parents=2)  # the lab's, and the one of all labs
    shutil.rmtree(NSPAWN_STATE / host.machine, ignore_errors=True)  # a killed nspawn leaves it
    (host.directory / "process").unlink(missing_ok=True)


def _shuts_down(process: Process) -> bool:
    """Whether the host obeyed in time."""
    process.signal(signal.SIGTERM)  # nspawn passes it on as a request to power off
    for _second in range(POWER_OFF_SECONDS):
        if wait_until(lambda: not process.is_alive(), seconds=1):
            return True
        # A systemd that had only just started did not hear. nspawn would take a second SIGTERM as "at once".
        for leader in children(process.pid):
            send(leader, POWER_OFF_REQUEST)
    return False


def run_in(host: Host, command: Sequence[str]) -> list[str]:
    """The command line that runs a command in the host without ssh."""
    process = host.process()
    leader = children(process.pid) if process else []
    if not leader:
        raise LabError(f"{host.name} is off")
    return ["nsenter", f"--target={leader[0]}", *_HOST_NAMESPACES, "--root", "--wd=/", "--", *command]


_HOST_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")


def stop_ssh(host: Host) -> None:
    """End sshd and every session; the unit alone would leave the sessions alive. nginx goes on."""
    run(run_in(host, ["sh", "-c", "systemctl stop ssh.service; pkill -KILL -x sshd; true"]))


def start_ssh(host: Host) -> None:
    run(run_in(host, ["systemctl", "start", "ssh.service"]))


def _write(path: Path, text: str) -> None:
    """Write so that a reader, or a crash, sees all of it or nothing."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text)
    temporary.rename(path)
