# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates to revoke that are no rotation: given as files or text, or looked up by serial number or key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import sign
from ansible_collections.certops.rotation.plugins.module_utils._core.key_identity import (
    from_fingerprint,
    load_private_key,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.key_use import Holding, find_certificates, key_use
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import KnowsItsCertificates, Signer

# Certificates that belong to no rotation stand under this host in the result.
ALONE = "localhost"

Rotation = dict[str, Any]
Entry = Mapping[str, Any]
Meant = tuple[str, str, str | None]
"""The certificate, the certificate with its chain (both PEM), its issuer's name."""

_BEGIN = "-----BEGIN"


class CertificatesAlone:
    """Makes a rotation of each certificate that is meant, which only knows its predecessor.

    :param seen: rotations in which certificates are looked up, and which tell where one is still served.
    """

    def __init__(self, issuers: OpenIssuers, seen: Mapping[str, Sequence[Rotation]]) -> None:
        self._issuers = issuers
        self._seen = seen

    def rotations(self, entry: Entry) -> list[Rotation]:
        """:raises RotationError: ``certificate_not_found``, or why a file cannot be read."""
        return [self._rotation(pem, chain, issuer, entry) for pem, chain, issuer in self._meant(entry)]

    def where_served(self, rotation: Rotation) -> list[str]:
        """Places where the certificate is served, as far as ``seen`` tells."""
        sha256 = rotation["predecessor"]["sha256"]
        found = find_certificates(self._seen, lambda facts: facts.sha256 == sha256)
        sightings = [one for certificate in found for one in certificate.sightings]
        return [f"{one.host}: {one.place}" for one in sightings if one.where == "served"]

    def _rotation(self, pem: str, chain_pem: str, issuer: str | None, entry: Entry) -> Rotation:
        facts = certificate_facts(read_certificate(pem.encode()))
        return {
            **self._home(facts.spki_sha256, entry.get("path") or facts.serial),
            "issuer": entry.get("issuer") or issuer,
            "is_alone": True,
            "predecessor": {
                "serial": facts.serial,
                "sha256": facts.sha256,
                "spki_sha256": facts.spki_sha256,
                "version": self._version(facts.spki_sha256),
                "certificate_pem": pem,
                "chain_pem": chain_pem,
            },
            "decision": {"action": "finish", "revocation_reason": entry["reason"], "compromised": True},
        }

    def _home(self, spki_sha256: str, otherwise: str) -> Rotation:
        """The host that has the key and can sign with it, and where it is there; else nobody's."""
        holding = self._holding(spki_sha256)
        if holding is None:
            return {"host": ALONE, "name": otherwise}
        return {"host": holding.host, "name": holding.name, "paths": {"key": holding.path} if holding.path else {}}

    def _version(self, spki_sha256: str) -> str | None:
        holding = self._holding(spki_sha256)
        return holding.version if holding else None

    def _holding(self, spki_sha256: str) -> Holding | None:
        holdings = key_use(self._seen, spki_sha256).holdings
        return next((one for one in holdings if one.has_key and one.where != "past"), None)

    def _meant(self, entry: Entry) -> list[Meant]:
        """Each certificate that the entry means."""
        if entry.get("path") or entry.get("pem"):
            what = entry.get("path") or "the certificate in pem"
            content = read_file(entry["path"]) if entry.get("path") else str(entry["pem"]).encode()
            pem = to_pem(read_certificate(content, what))
            return [(pem, content.decode("ascii", "replace") if _BEGIN.encode() in content else pem, None)]
        return self._looked_up(entry)

    def _looked_up(self, entry: Entry) -> list[Meant]:
        """By serial number or key. An issuer knows whose its certificate is; who saw it may know more of its chain."""
        serial = normal_serial(entry["serial"]) if entry.get("serial") else None
        spki = from_fingerprint(entry["spki_sha256"]).spki_sha256 if entry.get("spki_sha256") else None
        found: dict[str, Meant] = {}
        for one in find_certificates(self._seen, lambda facts: spki == facts.spki_sha256 or serial == facts.serial):
            if not one.facts.is_ca:
                found[one.facts.sha256] = (one.pem, one.chain_pem, one.issuer)
        failures: list[RotationError] = []
        for pem, chain_pem, name in self._known_to_issuers(serial, spki, entry.get("issuer"), failures):
            sha256 = certificate_facts(read_certificate(pem.encode())).sha256
            seen_chain = found[sha256][1] if sha256 in found else ""
            found[sha256] = (pem, max(chain_pem, seen_chain, key=lambda text: text.count(_BEGIN)), name)
        if not found:
            raise failures[0] if failures else _not_found(entry)
        if serial and len(found) > 1:
            raise _ambiguous(serial, [read_certificate(one[0].encode()) for one in found.values()])
        return list(found.values())

    def _known_to_issuers(
        self, serial: str | None, spki: str | None, named: str | None, failures: list[RotationError]
    ) -> Iterator[Meant]:
        for name, issuer in self._issuers.working():
            if isinstance(issuer, KnowsItsCertificates) and named in (None, name):
                try:
                    chains = issuer.find(serial=serial, spki_sha256=spki)
                except RotationError as error:
                    # What another knows, or was seen, is found all the same.
                    failures.append(error)
                    continue
                for chain in chains:
                    yield to_pem(chain[0]), "".join(map(to_pem, chain)), name


def local_signer(path: str, passphrase: str | None, certificate: x509.Certificate) -> Signer:
    """Signs with a key on the control node, a leaked one typically.

    :raises RotationError: ``file_unreadable``, ``key_unreadable``, ``passphrase_needed``, ``key_mismatch``.
    """
    key = load_private_key(read_file(path), path, passphrase)
    if key.public_key() != certificate.public_key():
        raise RotationError(
            "key_mismatch",
            f"the key in {path} is not that of the certificate {certificate.serial_number:x}",
            remedy="Only the certificate's own key can revoke it in this way.",
        )
    return lambda data: sign(key, data)


def normal_serial(text: str) -> str:
    """A serial number as this collection writes it, however others do. RotationError ``serial_invalid``."""
    digits = str(text).strip().lower().removeprefix("0x").replace(":", "").replace(" ", "").lstrip("0") or "0"
    if any(digit not in "0123456789abcdef" for digit in digits):
        raise RotationError("serial_invalid", f"{str(text)[:80]!r} is not a serial number in hex")
    return "0" * (len(digits) % 2) + digits


def read_file(path: str) -> bytes:
    """:raises RotationError: ``certificate_unreadable``."""
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise RotationError("certificate_unreadable", f"{path} cannot be read: {error.strerror}", path=path) from error


def _not_found(entry: Entry) -> RotationError:
    what = f"the serial {entry['serial']}" if entry.get("serial") else f"the key {entry['spki_sha256']}"
    return RotationError(
        "certificate_not_found",
        f"no certificate with {what} is known to the issuers or was seen",
        remedy="Give the certificate itself, or what fleet_status saw as seen.",
    )


def _ambiguous(serial: str, certificates: Sequence[x509.Certificate]) -> RotationError:
    issuers = "; ".join(sorted(one.issuer.rfc4514_string() for one in certificates))
    return RotationError(
        "certificate_ambiguous",
        f"{len(certificates)} certificates have the serial {serial}: of {issuers}",
        remedy="Give the certificate itself, or the fingerprint of its key.",
        serial=serial,
    )
