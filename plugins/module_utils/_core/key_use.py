# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a key is in use: a pure look through rotations, at what is served, installed and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    CertificateFacts,
    certificate_facts,
    read_certificates,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

if TYPE_CHECKING:
    from typing import TypeAlias

Rotation: TypeAlias = "Mapping[str, Any]"


@dataclass(frozen=True)
class Holding:
    """One place that has, or had, the key itself."""

    host: str
    name: str
    where: str
    """live, version, prepared, path (of a vhost, not adopted yet) or past (keys.log)"""
    version: str | None = None
    path: str | None = None
    has_key: bool | None = None
    """False where the key was destroyed, None where nobody looked"""
    fate: str | None = None


@dataclass(frozen=True)
class Sighting:
    """One place where a certificate with the key was seen."""

    host: str
    name: str
    where: str
    """served, installed or superseded"""
    place: str | None = None


@dataclass(frozen=True)
class SeenCertificate:
    """A certificate, and all places where it was seen."""

    facts: CertificateFacts
    pem: str
    chain_pem: str
    """The certificate, and what was found above it"""
    issuer: str | None
    """The name of its issuer in ``rotate_issuers``, as the rotation declares it"""
    sightings: list[Sighting] = field(default_factory=list)


@dataclass(frozen=True)
class KeyUse:
    """All that the inventory knows of one key."""

    certificates: list[SeenCertificate]
    holdings: list[Holding]

    @property
    def hosts(self) -> list[str]:
        """Hosts that serve a certificate with the key, or still have the key."""
        sightings = [one for certificate in self.certificates for one in certificate.sightings]
        using = [one.host for one in sightings if one.where == "served"]
        having = [one.host for one in self.holdings if one.has_key is not False and one.where != "past"]
        return sorted({*using, *having})


@dataclass(frozen=True)
class _Read:
    """One certificate of a chain that was read."""

    facts: CertificateFacts
    pem: str
    chain_pem: str


def key_use(rotations: Mapping[str, Iterable[Rotation]], spki_sha256: str) -> KeyUse:
    """Every certificate in ``rotations`` with that key, CA certificates included, and every place that has the key."""
    certificates = find_certificates(rotations, lambda facts: facts.spki_sha256 == spki_sha256)
    holdings: dict[Holding, None] = {}
    for host, of_host in rotations.items():
        for rotation in of_host:
            holdings.update(dict.fromkeys(_holdings(host, rotation, spki_sha256)))
    return KeyUse(certificates, list(holdings))


def find_certificates(
    rotations: Mapping[str, Iterable[Rotation]], wanted: Callable[[CertificateFacts], bool]
) -> list[SeenCertificate]:
    """Every certificate in ``rotations`` that is ``wanted``, with all places where it was seen."""
    found: dict[str, SeenCertificate] = {}
    for host, of_host in rotations.items():
        for rotation in of_host:
            for sighting, chain_pem in _chains(host, rotation):
                for read in _read(chain_pem):
                    if not wanted(read.facts):
                        continue
                    new = SeenCertificate(read.facts, read.pem, read.chain_pem, rotation.get("issuer"))
                    one = found.setdefault(read.facts.sha256, new)
                    if sighting not in one.sightings:
                        one.sightings.append(sighting)
    return list(found.values())


def _chains(host: str, rotation: Rotation) -> Iterator[tuple[Sighting, str]]:
    name, installed = str(rotation.get("name")), rotation.get("installed") or {}
    for entry in rotation.get("served") or ():
        if entry.get("chain_pem"):
            yield Sighting(host, name, "served", _place(entry)), entry["chain_pem"]
    for version in installed.get("versions") or ():
        record = version.get("record") or {}
        replaced = (record.get("supersedes") or {}).get("chain_pem")
        if version.get("chain_pem"):
            yield Sighting(host, name, "installed", version.get("version")), version["chain_pem"]
        if replaced:
            yield Sighting(host, name, "superseded", (record.get("supersedes") or {}).get("version")), replaced
    own = (installed.get("paths") or {}).get("certificate") or {}
    if own.get("chain_pem"):
        yield Sighting(host, name, "installed", own.get("path")), own["chain_pem"]


def _holdings(host: str, rotation: Rotation, spki_sha256: str) -> Iterator[Holding]:
    name, installed = str(rotation.get("name")), rotation.get("installed") or {}
    for version in installed.get("versions") or ():
        if version.get("spki_sha256") == spki_sha256:
            where = "live" if version.get("version") == installed.get("live") else "version"
            yield Holding(host, name, where, version.get("version"), has_key=version.get("has_key"))
    own = (installed.get("paths") or {}).get("key") or {}
    if own.get("spki_sha256") == spki_sha256:
        yield Holding(host, name, "path", path=own.get("path"), has_key=True)
    prepared = rotation.get("prepared") or {}
    if prepared.get("spki_sha256") == spki_sha256:
        yield Holding(host, name, "prepared", prepared.get("version"), has_key=True)
    for fact in installed.get("keys_log") or ():
        if fact.get("spki_sha256") == spki_sha256:
            yield Holding(host, name, "past", fact.get("version"), fate=fact.get("fate"))


@lru_cache(maxsize=4096)
def _read(chain_pem: str) -> Sequence[_Read]:
    """A chain that cannot be read has no certificates; that it cannot is told by others."""
    try:
        chain = read_certificates(chain_pem.encode(), "a chain")
        pems = [to_pem(certificate) for certificate in chain]
        facts = [certificate_facts(certificate) for certificate in chain]
    except RotationError:
        return ()
    return [_Read(one, pem, "".join(pems[at:])) for at, (one, pem) in enumerate(zip(facts, pems))]


def _place(entry: Mapping[str, Any]) -> str:
    address = str(entry.get("address"))
    where = f"[{address}]:{entry.get('port')}" if ":" in address else f"{address}:{entry.get('port')}"
    return f"{where} ({entry['server_name']})" if entry.get("server_name") else where
