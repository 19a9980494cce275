# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab keeps its state while it is up: one tmpfs below /run, which takes everything along when it goes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NAMESPACES = Path("/run/netns")


def state_directory() -> Path:
    """CERTOPS_LAB_STATE, or /run/certops-lab. Short, because sockets live below it."""
    return Path(os.environ.get("CERTOPS_LAB_STATE") or "/run/certops-lab").absolute()


@dataclass(frozen=True)
class Layout:
    """The paths of the lab of this name; nothing here touches them."""

    lab: str

    @property
    def top(self) -> Path:
        return state_directory() / self.lab

    @property
    def hosts(self) -> Path:
        return self.top / "hosts"

    @property
    def private_key(self) -> Path:
        return self.top / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.top / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        return self.top / "ssh_config"

    @property
    def sockets(self) -> Path:
        """Control sockets of shared ssh connections."""
        return self.top / "cm"

    @property
    def control_hosts(self) -> Path:
        """What /etc/hosts is inside `lab.py exec`."""
        return self.top / "etc-hosts"

    @property
    def inventory(self) -> Path:
        return self.top / "inventory.yml"

    @property
    def namespace(self) -> str:
        return f"certops-{self.lab}"

    def host_namespace(self, host: str) -> str:
        return f"{self.namespace}.{host}"  # names hold no dots, so no other lab's namespace looks like this

    def namespaces(self) -> list[str]:
        """All namespaces of this lab that exist, its hosts' first."""
        found = [path.name for path in NAMESPACES.glob(f"{self.namespace}*")]
        ours = [name for name in found if name == self.namespace or name.startswith(f"{self.namespace}.")]
        return sorted(ours, reverse=True)


def existing_labs() -> list[str]:
    """Names of the labs that are up, or were when their `up` was killed."""
    top = state_directory()
    return sorted(path.name for path in top.iterdir() if path.is_dir()) if top.is_dir() else []
