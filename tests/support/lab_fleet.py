# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Emergencies on hosts of the lab, whose pairs an administrator made by hand: nothing is declared, all of it is found.

with LabFleet() as fleet:
    leaked = fleet.lay_out({"shop": ["web01", "web02"], "api": ["web03"], "web04": ["web04"]}, leaked=["shop", "api"])
    fleet.emergency({"emergency_spki_sha256": [leaked]})
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_spki_sha256,
    read_certificates,
    serial_hex,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.key_identity import identify
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshakes
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Order
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support import internal_ca, playbook
from ansible_collections.certops.rotation.tests.support.lab_world import CA_PORT, LabWorld
from ansible_collections.certops.rotation.tests.support.pki import key_pem, make_csr, make_key
from cryptography.hazmat.primitives import serialization

PAIR = ("etc/ssl/shop/shop.crt", "etc/ssl/shop/shop.key")
VHOST = "etc/nginx/sites-enabled/shop.conf"
_VHOST = """server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {name};
    ssl_certificate     /etc/ssl/shop/shop.crt;
    ssl_certificate_key /etc/ssl/shop/shop.key;
    root /var/www/html;
}}
"""
# A CA certifies a key once, so that several certificates of one key are of several CAs.
ISSUERS = ("internal", "second")
_WATCHED = ("etc/certops", "etc/nginx", "etc/ssl/shop")


@dataclass(frozen=True)
class Shown:
    """What one handshake brought; the server has shown that it has the key."""

    serial: str
    spki_sha256: str


@dataclass(frozen=True)
class Traces:
    """What would differ if anybody had touched the host."""

    files: str
    processes: tuple[str, ...]
    """nginx: the master and its workers, which are new ones after a reload"""


class LabFleet(LabWorld):
    """Every host serves one certificate; what the roles know is their address and the CA, nothing else."""

    def __init__(self) -> None:
        super().__init__({"rotate_certificates": []})
        self.names: dict[str, str] = {}
        self._laid_out: dict[str, int] = {}

    def __enter__(self) -> LabFleet:
        super().__enter__()
        for name in ISSUERS:
            self._make_ca(name)
        own = {"rotate_deny_list_path": str(self.place / "deny_list"), "rotate_cache_dir": str(self.place / "cache")}
        (self.inventory / "group_vars" / "all.yml").write_text(json.dumps({**self.variables, **own}))
        return self

    def _make_ca(self, name: str) -> None:
        url, published = f"http://ca.lab.test:{CA_PORT}/{name}", self.published / name
        for folder in (published, self.place / name):
            folder.mkdir()
        internal_ca.make_ca(self.place / name, url, publish_directory=str(published))
        self.issuers[name] = {"type": "internal_ca", "directory": str(self.place / name / "ca")}

    # The hosts, as their administrator left them

    def lay_out(self, certificates: Mapping[str, Sequence[str]], leaked: Sequence[str]) -> str:
        """Give each host its pair: a certificate for ``<name>.lab.test`` to all hosts of that name.

        :param leaked: the names whose certificates are for one and the same key, each of another CA; what replaces
            them is ordered from the first.
        :returns: SHA-256 of that key.
        """
        shared = make_key()
        issuers = dict.fromkeys(certificates, "internal") | dict(zip(leaked, ISSUERS, strict=False))
        keys = {name: shared if name in leaked else make_key() for name in certificates}
        chains = self._certified(keys, issuers)
        roots = self.roots()
        for name, hosts in certificates.items():
            for host in hosts:
                self.names[host] = f"{name}.lab.test"
                _write_pair(roots[host], chains[name], key_pem(keys[name]), self.names[host])
        self.all_hosts("nginx -s reload")
        self._laid_out = {name: len(self._leaves(name)) for name in ISSUERS}
        return _spki(shared)

    def _certified(self, keys: Mapping[str, Any], issuers: Mapping[str, str]) -> dict[str, str]:
        chains: dict[str, str] = {}
        for issuer in ISSUERS:
            names = [name for name in keys if issuers[name] == issuer]
            orders = [_order(name, keys[name]) for name in names]
            for name, outcome in zip(names, open_issuer(issuer, self.issuers).issue(orders), strict=True):
                if isinstance(outcome, RotationError):
                    raise outcome
                chains[name] = outcome.chain_pem
        return chains

    def all_hosts(self, command: str) -> None:
        subprocess.run(
            [playbook.command("ansible"), "all", "-i", str(self.inventory), "-m", "raw", "-a", command, "-f", "20"],
            cwd=self.place, env=playbook.environment(), check=True, capture_output=True,
        )  # fmt: skip

    # The playbook

    def emergency(self, values: Mapping[str, Any], *arguments: str) -> playbook.Run:
        """From what leaked to the report, without a question to a person."""
        return self.play("certops.rotation.emergency", "-e", _as_options(values), *arguments)

    def start_emergency(self, values: Mapping[str, Any]) -> subprocess.Popen[str]:
        """The same, running; the caller ends it."""
        return self.start("certops.rotation.emergency", "-e", _as_options(values))

    def incident(self, name: str | None = None) -> dict[str, Any]:
        """The report of this name, or the only one there is."""
        reports = [path for path in (self.place / "reports").glob("*/report.json") if not path.parent.is_symlink()]
        [path] = [path for path in reports if name in (None, path.parent.name)]
        report: dict[str, Any] = json.loads(path.read_text())
        return report

    # What can be seen from outside

    def shown(self, hosts: Collection[str]) -> dict[str, Shown]:
        """What clients of these hosts get; AssertionError unless both addresses bring one and the same."""
        asked = [(host, self.hosts[host][address]) for host in hosts for address in ("lab_ipv4", "lab_ipv6")]
        answers = handshakes([Endpoint(address, 443, self.names[host]) for host, address in asked], timeout=10)
        found: dict[str, Shown] = {}
        for (host, _address), answer in zip(asked, answers, strict=True):
            if not answer.chain:
                raise AssertionError(f"{host}: {answer.error}")
            leaf = read_certificates(answer.chain[0])[0]
            shown = Shown(serial_hex(leaf.serial_number), certificate_spki_sha256(leaf))
            if found.setdefault(host, shown) != shown:
                raise AssertionError(f"{host} serves {shown} and {found[host]}")
        return found

    def traces(self, hosts: Collection[str]) -> dict[str, Traces]:
        roots = self.roots()
        return {host: Traces(_digest(roots[host]), tuple(_nginx(roots[host]))) for host in hosts}

    def assert_pairs_match(self, hosts: Collection[str]) -> None:
        """What a reload would load belongs together."""
        roots = self.roots()
        for host in hosts:
            certificate, key = (_resolved(roots[host], path).read_bytes() for path in PAIR)
            if certificate_spki_sha256(read_certificates(certificate)[0]) != identify(key, host).spki_sha256:
                raise AssertionError(f"{host}: key and certificate do not match")

    def keys_on(self, hosts: Collection[str]) -> dict[str, set[str]]:
        """SHA-256 of the public halves of all private keys that each host has for its certificate."""
        roots = self.roots()
        return {host: set(_keys(roots[host])) for host in hosts}

    def ordered(self) -> list[str]:
        """The hosts that certificates were ordered for since they were laid out, by CA."""
        return [host for name in ISSUERS for host, _serial, _reason in self._leaves(name)[self._laid_out[name] :]]

    def revoked(self) -> dict[str, str]:
        """By serial number, what for."""
        return {serial: reason for name in ISSUERS for _host, serial, reason in self._leaves(name) if reason}

    def _leaves(self, issuer: str) -> list[tuple[str, str, str | None]]:
        query = "SELECT note, serial, reason FROM certificate WHERE kind = 'leaf' ORDER BY rowid"
        file = f"file:{self.issuers[issuer]['directory']}/ca.sqlite3?mode=ro"
        with contextlib.closing(sqlite3.connect(file, uri=True)) as database:
            return [(json.loads(note)["host"], serial, reason) for note, serial, reason in database.execute(query)]


def _order(name: str, key: Any) -> Order:
    names = (f"{name}.lab.test",)
    return Order("by-hand", name, make_csr(names, key), names)


def _as_options(values: Mapping[str, Any]) -> str:
    return json.dumps({"emergency_confirm": False, "emergency_report_formats": ["json"], **values})


def _write_pair(root: Path, chain: str, key: str, server_name: str) -> None:
    """As if no rotation had ever been here."""
    shutil.rmtree(root / "etc/certops", ignore_errors=True)
    (root / PAIR[0]).parent.mkdir(exist_ok=True)
    for path, text in zip(PAIR, (chain, key), strict=True):
        (root / path).unlink(missing_ok=True)
        (root / path).write_text(text)
    (root / PAIR[1]).chmod(0o600)
    (root / VHOST).write_text(_VHOST.format(name=server_name))


def _resolved(root: Path, path: str) -> Path:
    """A file of a host, whose links mean places in it."""
    file = root / path
    while file.is_symlink():
        target = os.readlink(file)
        file = root / target[1:] if target.startswith("/") else file.parent / target
    return file


def _keys(root: Path) -> Iterator[str]:
    for file in (_resolved(root, PAIR[1]), *(root / "etc/certops").glob("*/versions/*/*key.pem")):
        yield identify(file.read_bytes(), str(file)).spki_sha256


def _digest(root: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(root):
        about = path.lstat()
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        digest.update(repr((str(path.relative_to(root)), about.st_mode, about.st_mtime_ns, content)).encode())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for folder in _WATCHED:
        yield from sorted((root / folder).rglob("*"))


def _nginx(root: Path) -> Iterator[str]:
    master = (root / "run/nginx.pid").read_text().strip()
    # The host's own view of its processes: numbers, and since when they run.
    for pid in (master, *(root / f"proc/{master}/task/{master}/children").read_text().split()):
        yield f"{pid} {(root / f'proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"


def _spki(key: Any) -> str:
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_key().public_bytes(serialization.Encoding.DER, info)).hexdigest()
