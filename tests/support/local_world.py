# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA, its web server and one real nginx on loopback, as the user who runs this; and the playbooks on that one host.

    with LocalWorld(tmp_path) as world:
        world.create_ca()
        world.start_nginx([world.first_certificate("shop", ["shop.example.org"])])
        world.revoke("shop")
        world.rotate()
        world.served("shop.example.org")
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Order, Receipt, Revocation
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost
from ansible_collections.certops.rotation.tests.support.publisher import Publisher

HOST = "web1"


class LocalWorld:
    """Everything lies below ``place`` and ends with the ``with`` block."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.root = place / "certops"
        self.pairs = place / "ssl"
        self.published = place / "public"
        self.issuers = {"internal": {"type": "internal_ca", "directory": str(place / "ca")}}
        self.variables: dict[str, Any] = {}
        self.nginx: Nginx | None = None

    def __enter__(self) -> LocalWorld:
        self.pairs.mkdir(parents=True)
        self.published.mkdir()
        self.publisher = Publisher(self.published).__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.nginx is not None:
            self.nginx.stop()
        self.publisher.__exit__(*exc)

    # The certificate authority

    def create_ca(self, **options: Any) -> None:
        values = {
            "directory": self.issuers["internal"]["directory"],
            "base_url": self.publisher.url,
            "publish_directory": str(self.published),
            **options,
        }
        extra = {f"internal_ca_{name}": value for name, value in values.items()}
        self._write_inventory({})
        must(self.play("certops.rotation.internal_ca", "-e", json.dumps(extra)))

    def first_certificate(self, name: str, server_names: Sequence[str], *, key: str = "ec", extra: str = "") -> Vhost:
        """A pair as an administrator would have made it by hand, and the vhost for it."""
        key_path, chain_path = self.pairs / f"{name}.key", self.pairs / f"{name}.crt"
        kind = ["-newkey", "rsa:2048"] if key == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        names = ",".join(f"DNS:{one}" for one in server_names)
        request = subprocess.run(
            ["openssl", "req", "-new", *kind, "-nodes", "-keyout", str(key_path), "-subj", "/", "-addext", f"subjectAltName={names}"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        key_path.chmod(0o600)
        [issued] = open_issuer("internal", self.issuers).issue([Order(HOST, name, request, tuple(server_names))])
        if isinstance(issued, RotationError):
            raise issued
        chain_path.write_text(issued.chain_pem)
        return Vhost(server_names, chain_path, key_path, extra)

    def snippet(self, name: str) -> str:
        """The line that puts the stapling snippet into a vhost; before the first rotation it matches nothing."""
        return f"include {self.root}/{name}/live/*.conf;"

    def revoke(self, name: str, reason: str = "keyCompromise") -> Receipt:
        """Revoke what lies at the pair's own path now."""
        pem = (self.pairs / f"{name}.crt").read_text().partition("-----END CERTIFICATE-----")
        [receipt] = open_issuer("internal", self.issuers).revoke([Revocation(pem[0] + pem[1] + "\n", reason)])
        if isinstance(receipt, RotationError):
            raise receipt
        return receipt

    def judging(self) -> Judging:
        """A judge that remembers nothing of what was published before."""
        anchors = open_issuer("internal", self.issuers).trust_anchors()
        return Judging(http=HttpClient(timeout=5), policy=RevocationPolicy(), anchors=anchors)

    def status(self, pem: str) -> str:
        """good, revoked or unknown, as it is published now."""
        return self.judging().verdict(read_certificates(pem.encode()), at=datetime.now(timezone.utc)).status.value

    # The host

    def start_nginx(self, vhosts: Sequence[Vhost], workers: int = 2) -> Nginx:
        self.nginx = Nginx(self.place / "nginx", vhosts, workers).start()
        return self.nginx

    def inventory(self) -> Path:
        """The one host, which is this machine; its certificates are read from nginx unless variables declare them."""
        if self.nginx is None:
            raise AssertionError("start nginx first")
        return self._write_inventory({
            "rotate_issuers": self.issuers,
            "rotate_root": str(self.root),
            "rotate_address": "127.0.0.1",
            "rotate_files": {},
            "rotate_service": self.nginx.service,
            "rotate_nginx_dump": [*self.nginx.command, "-T"],
            "rotate_report_directory": str(self.place / "reports"),
            **self.variables,
        })  # fmt: skip

    def _write_inventory(self, variables: dict[str, Any]) -> Path:
        host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        self._inventory = playbook.write_inventory(self.place / "inventory.yml", {HOST: host}, variables)
        return self._inventory

    def play(self, name: str | Path, *arguments: str, **environment: str) -> playbook.Run:
        return playbook.run(name, self._inventory, arguments, cwd=self.place, **environment)

    def rotate(self, *arguments: str, **environment: str) -> playbook.Run:
        self.inventory()
        return self.play("certops.rotation.rotate", *arguments, **environment)

    def report(self) -> dict[str, Any]:
        """The newest report."""
        report: dict[str, Any] = json.loads((self.place / "reports" / "latest" / "report.json").read_text())
        return report


def must(ended: playbook.Run) -> playbook.Run:
    """The run, if it succeeded."""
    if ended.returncode:
        raise AssertionError(ended.output)
    return ended
