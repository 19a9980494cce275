# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several hosts that have one certificate under one key, each a folder and an nginx of its own on this machine.

with FarmWorld(tmp_path, 3) as farm:
    farm.make_ca()
    farm.start()
    farm.revoke("shop")
    farm.rotate()
    farm.serials()
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.host_world import spki_of_key
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost

NAME = "shop"
SERVER_NAME = "shop.example.org"


class FarmHost:
    """One of them."""

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self.place = place
        self.root = place / "certops"
        self.variables: dict[str, Any] = {}
        self.nginx: Nginx | None = None

    def start(self, certificate: Path, key: Path) -> None:
        """An nginx with a copy of this pair."""
        own = self.place / "ssl"
        own.mkdir(parents=True)
        chain, private = (Path(shutil.copy2(one, own)) for one in (certificate, key))
        vhost = Vhost([SERVER_NAME], chain, private, extra=f"include {self.root}/{NAME}/live/*.conf;")
        self.nginx = Nginx(self.place / "nginx", [vhost]).start()

    @property
    def vhost(self) -> Vhost:
        if self.nginx is None:
            raise AssertionError("start it first")
        return self.nginx.vhosts[0]

    def declared(self, **more: Any) -> dict[str, Any]:
        return {
            "name": NAME,
            "server_names": [SERVER_NAME],
            "listeners": [{"address": "127.0.0.1", "port": self.vhost.port}],
            "paths": {"certificate": str(self.vhost.certificate), "key": str(self.vhost.key)},
            "shared": True,
            **more,
        }

    @property
    def live(self) -> Path:
        return (self.root / NAME / "live").resolve()

    @property
    def key(self) -> str:
        """SHA-256 of the public key of what is live."""
        return spki_of_key(self.live / "privkey.pem")

    @property
    def fates(self) -> list[tuple[str, str]]:
        """What keys.log says, in its order: (SHA-256, fate)."""
        lines = (self.root / NAME / "keys.log").read_text().splitlines()
        return [(line.split()[1], line.split()[2]) for line in lines]

    def files(self) -> list[str]:
        """Names of everything in any version's folder."""
        return sorted({path.name for path in (self.root / NAME / "versions").glob("*/*")})


class FarmWorld(LocalWorld):
    def __init__(self, place: Path, count: int) -> None:
        super().__init__(place)
        self.hosts = [FarmHost(f"web{number + 1}", place / f"web{number + 1}") for number in range(count)]
        self.declaration: dict[str, Any] = {}

    def __exit__(self, *exc: object) -> None:
        for host in self.hosts:
            if host.nginx is not None:
                host.nginx.stop()
        super().__exit__(*exc)

    def start(self) -> None:
        """One certificate and one key, made by hand, on all hosts."""
        first = self.first_certificate(NAME, [SERVER_NAME])
        for host in self.hosts:
            host.start(first.certificate, first.key)

    def inventory(self) -> Path:
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "rotate_issuers": self.issuers,
            "rotate_address": "127.0.0.1",
            "rotate_files": {},
            "rotate_report_directory": str(self.place / "reports"),
            **self.variables,
        }
        hosts = {
            host.name: {
                "rotate_root": str(host.root),
                "rotate_service": host.nginx.service if host.nginx else {"kind": "none"},
                "rotate_certificates": [host.declared(**self.declaration)],
                **host.variables,
            }
            for host in self.hosts
        }
        self._inventory = playbook.write_inventory(self.place / "inventory.yml", hosts, variables)
        return self._inventory

    def serials(self) -> list[str]:
        """What each host serves."""
        return [self.served(SERVER_NAME, host.vhost.port).serial for host in self.hosts]

    def keys(self) -> list[str]:
        """The key that each host serves."""
        return [self.served(SERVER_NAME, host.vhost.port).spki_sha256 for host in self.hosts]

    def orders(self) -> int:
        """How many certificates the CA has issued."""
        return len(self.ca_certificates())

    def rotations(self) -> dict[str, dict[str, Any]]:
        """By host, what the newest report says."""
        return {one["host"]: one for one in self.report()["rotations"]}
