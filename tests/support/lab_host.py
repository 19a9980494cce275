# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host of the lab serves and holds, seen with other eyes than the collection's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import serial_hex
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshakes
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509 import ocsp


@dataclass(frozen=True)
class Served:
    """What one handshake brought."""

    serial: str
    spki_sha256: str
    staple: str  # good of this certificate, absent, or what else it is


@dataclass(frozen=True)
class Installed:
    """What lies below /etc/certops/shop."""

    live: str
    serial: str
    state: str
    stapling: str
    key: str  # SPKI of the live key
    certified_key: str  # SPKI of the live certificate
    all_keys: frozenset[str]
    keys_log: str
    left_over: tuple[str, ...]  # unfinished files


def handshake(world: LabWorld, host: str) -> Served:
    """The first listener, once."""
    [served] = _shake([Endpoint(str(world.hosts[host]["lab_ipv4"]), 443, f"{host}.lab.test")])
    return served


def served(world: LabWorld, host: str) -> Served:
    """Every listener with every name; AssertionError unless all bring the same certificate."""
    variables = world.hosts[host]
    places = [(variables["lab_ipv4"], 443), (variables["lab_ipv6"], 443), (variables["lab_ipv4"], 8443)]
    names = [f"{host}.lab.test", f"shop.{host}.lab.test"]
    seen = _shake([Endpoint(str(address), port, name) for address, port in places for name in names])
    if len({one.serial for one in seen}) != 1:
        raise AssertionError(f"{host} serves {seen}")
    return seen[-1]


def _shake(endpoints: list[Endpoint]) -> list[Served]:
    found = []
    for one in handshakes(endpoints, timeout=5):
        if not one.chain:
            raise AssertionError(f"{one.endpoint}: {one.error}")
        certificate = x509.load_der_x509_certificate(one.chain[0])
        found.append(
            Served(
                serial_hex(certificate.serial_number), _spki(certificate.public_key()), _staple(one.staple, certificate)
            )
        )
    return found


def _staple(staple: bytes | None, certificate: x509.Certificate) -> str:
    if staple is None:
        return "absent"
    response = ocsp.load_der_ocsp_response(staple)
    if response.serial_number != certificate.serial_number:
        return "of another certificate"
    return response.certificate_status.name.lower()


def installed(world: LabWorld, host: str) -> Installed:
    folder = world.roots()[host] / "etc/certops/shop"
    live = (folder / "live").readlink().name
    record = json.loads((folder / "versions" / live / "record.json").read_text())
    certificate = x509.load_pem_x509_certificates((folder / "live/fullchain.pem").read_bytes())[0]
    keys = {path: _spki_of_private(path) for path in folder.glob("versions/*/*") if path.name.endswith("key.pem")}
    return Installed(
        live=live,
        serial=serial_hex(certificate.serial_number),
        state=str(record["state"]),
        stapling=str(record.get("stapling")),
        key=keys[folder / "versions" / live / "privkey.pem"],
        certified_key=_spki(certificate.public_key()),
        all_keys=frozenset(keys.values()),
        keys_log=(folder / "keys.log").read_text(),
        left_over=tuple(str(path) for path in folder.rglob(".*")),
    )


def _spki_of_private(path: Path) -> str:
    return _spki(serialization.load_pem_private_key(path.read_bytes(), None).public_key())


def _spki(key: PublicKeyTypes) -> str:
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, info)).hexdigest()
