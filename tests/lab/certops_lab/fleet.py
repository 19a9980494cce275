# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab: bring it up, add what is missing, take it down without a trace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from certops_lab import access, kernel, mounts, network
from certops_lab import host as hosts
from certops_lab.errors import LabError
from certops_lab.host import Host
from certops_lab.inventory import inventory
from certops_lab.layout import Layout, state_directory
from certops_lab.lock import locked_directory
from certops_lab.names import Address, host_lines
from certops_lab.progress import Progress
from certops_lab.readiness import wait_ready
from certops_lab.rootfs import ensure_rootfs

AT_ONCE = 8  # boots and shutdowns wait for the kernel more than they compute


def all_hosts(layout: Layout) -> list[Host]:
    """The hosts of a lab, in the order they were made."""
    if not layout.hosts.is_dir():
        return []
    made = [Host(layout, path.name) for path in layout.hosts.iterdir() if (path / "index").exists()]
    return sorted(made, key=lambda each: each.index)


def find_host(layout: Layout, name: str) -> Host:
    for each in all_hosts(layout):
        if each.name == name:
            return each
    raise LabError(f"no host {name!r} in lab {layout.lab!r}")


def up(layout: Layout, wanted: Sequence[str], progress: Progress) -> None:
    """Afterwards the lab has these hosts, running and ready; others it has stay as they are."""
    rootfs = ensure_rootfs(progress)
    kernel.raise_limits()
    with locked_directory(state_directory()):
        _prepare_lab(layout)
        with progress.step(f"make {len(wanted)} hosts"):
            _create_missing(layout, wanted, rootfs)
            _write_common_files(layout)
        running = [find_host(layout, name) for name in wanted]
        for each in running:
            hosts.boot(each)
    with progress.step(f"boot {len(wanted)} hosts"):
        wait_ready(running)


def _prepare_lab(layout: Layout) -> None:
    layout.top.mkdir(mode=0o700, exist_ok=True)
    mounts.mount_state(layout.top)
    layout.hosts.mkdir(exist_ok=True)
    layout.sockets.mkdir(mode=0o700, exist_ok=True)
    access.create_lab_key(layout)
    network.create_control(layout)


def _create_missing(layout: Layout, wanted: Iterable[str], rootfs: Path) -> None:
    taken = {each.name: each.index for each in all_hosts(layout)}
    numbers = _free_numbers(taken.values())
    planned = {name: taken.get(name) or next(numbers) for name in wanted}
    _for_all(planned, lambda name: hosts.create(layout, name, planned[name], rootfs))


def _free_numbers(taken: Iterable[int]) -> Iterator[int]:
    used = set(taken)
    return (number for number in range(1, 65000) if number not in used)


def _write_common_files(layout: Layout) -> None:
    """Everything that names all hosts. Written in place: /etc/hosts is bound into running commands."""
    present = all_hosts(layout)
    addresses = _addresses(present)
    layout.known_hosts.write_text(
        "".join(access.known_host_line(each.name, each.address, each.root) for each in present)
    )
    layout.ssh_config.write_text(access.client_config(layout, addresses))
    layout.control_hosts.write_text(f"{Path('/etc/hosts').read_text()}\n{host_lines(addresses)}")
    layout.inventory.write_text(inventory(layout, addresses))
    for each in present:
        hosts.write_names(each, addresses)


def _addresses(present: Iterable[Host]) -> dict[str, Address]:
    return {each.name: each.address for each in present}


def remove_hosts(layout: Layout, progress: Progress) -> None:
    """Power all hosts off and delete them; the lab's network and key stay for a running `exec`."""
    with locked_directory(state_directory()):
        _remove_hosts(layout, progress)
        if layout.control_hosts.exists():
            _write_common_files(layout)


def down(layout: Layout, progress: Progress) -> None:
    """Leave nothing of the lab, whatever state it was left in."""
    with locked_directory(state_directory()):
        _remove_hosts(layout, progress)
        for namespace in layout.namespaces():
            network.delete(namespace)
        if layout.top.exists():
            mounts.unmount_below(layout.top)
            shutil.rmtree(layout.top)  # not only rmdir: after a reboot a lasting /run holds leftovers without mounts


def _remove_hosts(layout: Layout, progress: Progress) -> None:
    directories = sorted(layout.hosts.iterdir()) if layout.hosts.is_dir() else []
    access.end_shared_connections(layout)
    with progress.step(f"remove {len(directories)} hosts"):
        _for_all([path.name for path in directories], lambda name: hosts.power_off(Host(layout, name)))
        for path in directories:
            _delete(layout, Host(layout, path.name))


def _delete(layout: Layout, host: Host) -> None:
    mounts.unmount_below(host.directory)
    if layout.host_namespace(host.name) in layout.namespaces():
        network.delete(layout.host_namespace(host.name))
    shutil.rmtree(host.directory)


def _for_all(names: Iterable[str], action: Callable[[str], object]) -> None:
    """The action for every name, several at once; the first error after all have been tried."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for outcome in [pool.submit(action, name) for name in names]:
            outcome.result()
