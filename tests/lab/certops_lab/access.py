# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ssh between the control node and the hosts: one key for the lab, one host key per host, all known beforehand."""

from __future__ import annotations

from pathlib import Path

from certops_lab.command import run, succeeds
from certops_lab.layout import Layout
from certops_lab.names import DOMAIN, Address

HOST_KEY = "etc/ssh/ssh_host_ed25519_key"


def create_lab_key(layout: Layout) -> None:
    if not layout.private_key.exists():
        _generate(layout.private_key, comment=f"lab {layout.lab}")


def admit_lab(layout: Layout, root: Path) -> None:
    """Give the host below `root` a key of its own, and let the lab's key in."""
    if not (root / HOST_KEY).exists():
        _generate(root / HOST_KEY, comment="")
    directory = root / "root/.ssh"
    directory.mkdir(mode=0o700, exist_ok=True)
    authorized = directory / "authorized_keys"
    authorized.write_text(layout.private_key.with_suffix(".pub").read_text())
    authorized.chmod(0o600)


def known_host_line(name: str, address: Address, root: Path) -> str:
    kind, key = (root / f"{HOST_KEY}.pub").read_text().split()[:2]
    return f"{name},{name}.{DOMAIN},{address.ipv4},{address.ipv6} {kind} {key}\n"


def client_config(layout: Layout, addresses: dict[str, Address]) -> str:
    """Configuration for `ssh -F`. A host that is cut off is noticed after nine seconds."""
    options = [
        "Host *",
        "  User root",
        f"  IdentityFile {layout.private_key}",
        "  IdentitiesOnly yes",
        f"  UserKnownHostsFile {layout.known_hosts}",
        "  GlobalKnownHostsFile /dev/null",
        "  StrictHostKeyChecking yes",
        "  UpdateHostKeys no",
        "  BatchMode yes",
        "  ConnectTimeout 5",
        "  ServerAliveInterval 3",
        "  ServerAliveCountMax 3",
        f"  ControlPath {layout.sockets}/%C",
    ]
    for name, address in addresses.items():
        options += [f"Host {name} {name}.{DOMAIN}", f"  HostName {address.ipv4}"]
    return "\n".join(options) + "\n"


def ansible_arguments(layout: Layout) -> str:
    """ssh arguments for Ansible. ControlPath must be spelled out, or Ansible puts in its own."""
    return f"-F {layout.ssh_config} -o ControlMaster=auto -o ControlPersist=120s -o ControlPath={layout.sockets}/%C"


def end_shared_connections(layout: Layout) -> None:
    """Ask every ssh that keeps a shared connection open to end: it would hold on to the lab's network."""
    for socket in layout.sockets.glob("*"):
        succeeds(["ssh", "-F", "/dev/null", "-o", f"ControlPath={socket}", "-O", "exit", "any"], timeout=5)


def _generate(path: Path, *, comment: str) -> None:
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
