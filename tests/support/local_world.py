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

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Self

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshake
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Order, Receipt, Revocation
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support import internal_ca, playbook
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost
from ansible_collections.certops.rotation.tests.support.publisher import Publisher
from cryptography import x509

HOST = "web1"


@dataclass(frozen=True)
class Served:
    """One handshake as a client sees it, the staple judged."""

    serial: str
    spki_sha256: str
    staple: str
    chain: list[x509.Certificate]


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

    def __enter__(self) -> Self:
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

    def make_ca(self, **options: Any) -> None:
        """The same without a playbook, which takes a tenth of the time; on a CA that is there, new settings."""
        internal_ca.make_ca(self.place, options.pop("base_url", self.publisher.url), **options)

    def ca_certificates(self) -> list[tuple[str, str, str | None]]:
        """(name it was ordered for, serial, revocation reason) of every leaf, oldest first."""
        query = "SELECT note, serial, reason FROM certificate WHERE kind = 'leaf' ORDER BY rowid"
        with contextlib.closing(sqlite3.connect(self.place / "ca" / "ca.sqlite3")) as connection:
            return [(json.loads(note)["name"], serial, reason) for note, serial, reason in connection.execute(query)]

    def first_certificate(self, name: str, server_names: Sequence[str], *, key: str = "ec", extra: str = "") -> Vhost:
        """A pair as an administrator would have made it by hand, and the vhost for it."""
        key_path, chain_path = self.pairs / f"{name}.key", self.pairs / f"{name}.crt"
        kind = ["-newkey", "rsa:2048"] if key == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        names = ",".join(f"DNS:{one}" for one in server_names)
        request = subprocess.run(
            ["openssl", "req", "-new", *kind, "-nodes", "-keyout", str(key_path), "-subj", "/",
             "-addext", f"subjectAltName={names}"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        key_path.chmod(0o600)
        chain_path.write_text(self.issue(name, request, server_names))
        return Vhost(server_names, chain_path, key_path, extra)

    def issue(self, name: str, request: str, server_names: Sequence[str], *, issuer: str = "internal") -> str:
        """The chain that a CA answers to a request with."""
        [issued] = open_issuer(issuer, self.issuers).issue([Order(HOST, name, request, tuple(server_names))])
        if isinstance(issued, RotationError):
            raise issued
        return issued.chain_pem

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
        return Judging(http=HttpClient(timeout=5), policy=RevocationPolicy(), anchors=self.anchors())

    def anchors(self) -> list[x509.Certificate]:
        """Whom a client trusts."""
        return list(open_issuer("internal", self.issuers).trust_anchors())

    def status(self, pem: str) -> str:
        """good, revoked or unknown, as it is published now."""
        return self.judging().verdict(read_certificates(pem.encode()), at=datetime.now(timezone.utc)).status.value

    # The host

    def start_nginx(self, vhosts: Sequence[Vhost], workers: int = 2) -> Nginx:
        self.nginx = Nginx(self.place / "nginx", vhosts, workers).start()
        return self.nginx

    def declare(self, name: str, vhost: Vhost, **more: Any) -> dict[str, Any]:
        """Declare the certificate of a vhost that has paths of its own; ``more`` overrides and adds."""
        declared = {
            "name": name,
            "server_names": list(vhost.names),
            "listeners": [{"address": "127.0.0.1", "port": vhost.port}],
            "paths": {"certificate": str(vhost.certificate), "key": str(vhost.key)},
            **more,
        }
        self.variables.setdefault("rotate_certificates", []).append(declared)
        return declared

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
        return playbook.run(name, self._inventory, arguments, cwd=self.place, timeout=180, **environment)

    def rotate(self, *arguments: str, **environment: str) -> playbook.Run:
        self.inventory()
        return self.play("certops.rotation.rotate", *arguments, **environment)

    def start_rotate(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The same, running; the caller ends it."""
        inventory = self.inventory()
        return playbook.start("certops.rotation.rotate", inventory, arguments, cwd=self.place, **environment)

    # What can be seen

    def served(
        self, server_name: str, port: int | None = None, *, address: str = "127.0.0.1", key_type: str | None = None
    ) -> Served:
        """What a client gets that asks for this name; by default from the vhost that has it."""
        shown = handshake(Endpoint(address, port or self.port_of(server_name), server_name, key_type), timeout=5)
        if not shown.chain:
            raise AssertionError(shown.error)
        chain = [x509.load_der_x509_certificate(der) for der in shown.chain]
        facts = certificate_facts(chain[0])
        staple = self.judging().judge_staple(chain, shown.staple, at=datetime.now(timezone.utc))
        return Served(facts.serial, facts.spki_sha256, staple.status, chain)

    def port_of(self, server_name: str) -> int:
        if self.nginx is None:
            raise AssertionError("start nginx first")
        return next(vhost.port for vhost in self.nginx.vhosts if server_name in vhost.names)

    def live(self, name: str) -> Path:
        """The folder of the release that is live."""
        return (self.root / name / "live").resolve()

    def rotation(self, name: str) -> dict[str, Any]:
        """What the newest report says of one certificate."""
        [found] = [one for one in self.report()["rotations"] if one["name"] == name]
        entry: dict[str, Any] = found
        return entry

    def report(self) -> dict[str, Any]:
        """The newest report."""
        report: dict[str, Any] = json.loads((self.place / "reports" / "latest" / "report.json").read_text())
        return report


def must(ended: playbook.Run) -> playbook.Run:
    """The run, if it succeeded."""
    if ended.returncode:
        raise AssertionError(ended.output)
    return ended
