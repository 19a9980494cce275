# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA and several hosts on loopback, each a real nginx with a root of its own; some of them share a certificate.

with LocalFleet(tmp_path) as fleet:
    fleet.make_ca()
    fleet.start(["web1", "web2", "web3"], shared=["web1", "web2"])
    fleet.emergency({"emergency_key_path": fleet.leak("web1")})
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    CertificateFacts,
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.key_identity import identify
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshake
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support import internal_ca, playbook
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost
from ansible_collections.certops.rotation.tests.support.publisher import Publisher
from cryptography import x509

SERVER_NAME = "shop.example.org"


class LocalFleet(LocalWorld):
    """Every host serves one certificate for the same name; playbooks run on all of them."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.fleet: dict[str, Nginx] = {}
        self._publishers: list[Publisher] = []
        self._first = 0
        self.host_variables: dict[str, dict[str, Any]] = {}
        self.unreachable: set[str] = set()
        """Hosts that cannot be logged in to; what they serve is served."""

    def __exit__(self, *exc: object) -> None:
        for nginx in self.fleet.values():
            nginx.stop()
        for publisher in self._publishers:
            publisher.__exit__(*exc)
        super().__exit__(*exc)

    def start(self, hosts: Sequence[str], *, shared: Sequence[str] = (), same_key: Sequence[str] = ()) -> None:
        """``shared`` have one certificate among them, ``same_key`` one key with a certificate for each of them."""
        for host in hosts:
            if host in shared[1:]:
                self._copy(shared[0], host)
            else:
                self.first_certificate(host, [SERVER_NAME])
            if host in same_key[1:]:
                self._certify(same_key[0], host)
            place = self.place / host
            vhost = Vhost([SERVER_NAME], *self._pair(host), f"include {place}/certops/shop/live/*.conf;")
            self.fleet[host] = Nginx(place / "nginx", [vhost], 1).start()
        self._first = len(self.ca_certificates())

    def share(self, hosts: Sequence[str]) -> None:
        """Declare that these have one certificate under one key."""
        for host in hosts:
            [declared] = self._variables(host, self.fleet[host])["rotate_certificates"]
            self.host_variables[host] = {"rotate_certificates": [{**declared, "shared": True}]}

    def add_ca(self, name: str) -> None:
        """Another issuer, of this name."""
        place = self.place / name
        (place / "public").mkdir(parents=True)
        publisher = Publisher(place / "public").__enter__()
        self._publishers.append(publisher)
        internal_ca.make_ca(place, publisher.url)
        self.issuers[name] = {"type": "internal_ca", "directory": str(place / "ca")}

    def _pair(self, host: str) -> tuple[Path, Path]:
        return self.pairs / f"{host}.crt", self.pairs / f"{host}.key"

    def key_of(self, host: str) -> Path:
        """The key that an administrator made by hand, where it was before the first rotation."""
        return self._pair(host)[1]

    def leak(self, host: str) -> str:
        """Where a copy of that key is, in other hands."""
        return str(shutil.copy2(self.key_of(host), self.place / "leaked.pem"))

    def _copy(self, source: str, host: str) -> None:
        for original, copy in zip(self._pair(source), self._pair(host), strict=True):
            shutil.copy2(original, copy)

    def _certify(self, source: str, host: str) -> None:
        """Another certificate for the same key."""
        certificate, key = self._pair(host)
        shutil.copy2(self.key_of(source), key)
        request = subprocess.run(
            ["openssl", "req", "-new", "-key", str(key), "-subj", "/", "-addext", f"subjectAltName=DNS:{SERVER_NAME}"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        # A CA answers the same request with the same certificate.
        self.add_ca(f"ca-of-{host}")
        certificate.write_text(self.issue(host, request, [SERVER_NAME], issuer=f"ca-of-{host}"))

    def inventory(self) -> Path:
        hosts = {host: self._variables(host, nginx) for host, nginx in self.fleet.items()}
        shared = {
            "rotate_issuers": self.issuers,
            "rotate_files": {},
            "rotate_address": "127.0.0.1",
            "rotate_report_directory": str(self.place / "reports"),
            "rotate_deny_list_path": str(self.place / "deny_list"),
            **self.variables,
        }
        self._inventory = playbook.write_inventory(self.place / "inventory.yml", hosts, shared)
        return self._inventory

    def _variables(self, host: str, nginx: Nginx) -> dict[str, Any]:
        [vhost] = nginx.vhosts
        connection: dict[str, Any] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        if host in self.unreachable:
            connection = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
        declared = {
            "name": "shop",
            "server_names": [SERVER_NAME],
            "listeners": [{"address": "127.0.0.1", "port": vhost.port}],
            "paths": {"certificate": str(vhost.certificate), "key": str(vhost.key)},
        }
        return {
            **connection,
            "rotate_root": str(self.place / host / "certops"),
            "rotate_service": nginx.service,
            "rotate_certificates": [declared],
            **self.host_variables.get(host, {}),
        }

    def emergency(self, values: Mapping[str, Any], *arguments: str, **environment: str) -> playbook.Run:
        """The playbook, without a question to a person unless ``values`` want one."""
        self.inventory()
        return self.play("certops.rotation.emergency", "-e", _as_options(values), *arguments, **environment)

    def start_emergency(self, values: Mapping[str, Any], *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The same, running; the caller ends it."""
        arguments = ("-e", _as_options(values), *arguments)
        return playbook.start("certops.rotation.emergency", self.inventory(), arguments, cwd=self.place, **environment)

    # What can be seen

    def anchors(self) -> list[x509.Certificate]:
        """Those of the CAs that were added, too."""
        own = [name for name, entry in self.issuers.items() if entry["type"] == "internal_ca"]
        return [anchor for name in own for anchor in open_issuer(name, self.issuers).trust_anchors()]

    def chain_of(self, host: str) -> str:
        """The certificate that lies at the path of the host's own vhost."""
        return self._pair(host)[0].read_text()

    def pair_matches(self, host: str) -> bool:
        """Whether what lies at the paths of the host's own vhost belongs together."""
        certificate = read_certificate(self.chain_of(host).encode())
        return certificate_facts(certificate).spki_sha256 == identify(self.key_of(host).read_bytes(), host).spki_sha256

    def keys_on(self, host: str) -> set[str]:
        """SHA-256 of the public halves of all private keys that the host has."""
        files = [self.key_of(host), *(self.place / host / "certops").glob("*/versions/*/privkey.pem")]
        return {identify(file.read_bytes(), str(file)).spki_sha256 for file in files if file.exists()}

    def ordered(self) -> list[str]:
        """Serial numbers of what was ordered since the start, oldest first."""
        return [serial for _name, serial, _reason in self.ca_certificates()[self._first :]]

    def served_by(self, host: str) -> CertificateFacts:
        """What a client gets from this host."""
        [vhost] = self.fleet[host].vhosts
        shown = handshake(Endpoint("127.0.0.1", vhost.port, SERVER_NAME), timeout=5)
        if not shown.chain:
            raise AssertionError(shown.error)
        return certificate_facts(read_certificate(shown.chain[0]))

    def incident(self, name: str | None = None) -> dict[str, Any]:
        """The report of this name, or the only one there is."""
        folders = [one for one in (self.place / "reports").iterdir() if one.is_dir() and not one.is_symlink()]
        [folder] = [one for one in folders if name in (None, one.name)]
        report: dict[str, Any] = json.loads((folder / "report.json").read_text())
        return report

    def entries(self) -> dict[str, dict[str, Any]]:
        """By host, what the report says of its certificate."""
        return {entry["host"]: entry for entry in self.incident()["rotations"]}


def _as_options(values: Mapping[str, Any]) -> str:
    return json.dumps({"emergency_confirm": False, "emergency_report_formats": ["json"], **values})
