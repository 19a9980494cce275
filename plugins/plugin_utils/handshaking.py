# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a rotation is served, and what a handshake there showed, as it stands in rotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts, to_pem
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import StapleFinding
from ansible_collections.certops.rotation.plugins.module_utils._core.weak_key import (
    certificate_weaknesses,
    weaknesses_as_data,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, Handshake


@dataclass(frozen=True)
class Place:
    """One listener × server name of a rotation."""

    endpoint: Endpoint
    server_name: str | None
    """As it is declared; the endpoint has a name that a wildcard stands for."""

    def as_dict(self) -> dict[str, Any]:
        place = {"address": self.endpoint.address, "port": self.endpoint.port, "server_name": self.server_name}
        return {**place, "starttls": self.endpoint.starttls} if self.endpoint.starttls else place

    def __str__(self) -> str:
        address = f"[{self.endpoint.address}]" if ":" in self.endpoint.address else self.endpoint.address
        return f"{address}:{self.endpoint.port}" + (f" ({self.server_name})" if self.server_name else "")


def places(rotation: Mapping[str, Any], of_host: Iterable[Mapping[str, Any]]) -> list[Place]:
    """All listeners × server names. A server with two certificates is asked for the one of this rotation's key type."""
    key_type = _key_type(rotation) if has_companion(rotation, of_host) else None
    names: Sequence[str | None] = rotation.get("server_names") or [None]
    return [
        Place(Endpoint(listener["address"], listener["port"], _sni(name), key_type, listener.get("starttls")), name)
        for listener in rotation.get("listeners") or ()
        for name in names
    ]


def has_companion(rotation: Mapping[str, Any], of_host: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the same server block has a second certificate, of the other key type."""
    return bool(rotation.get("companion_of")) or any(
        other.get("companion_of") == rotation.get("name") for other in of_host
    )


def served_entry(place: Place, handshake: Handshake, judging: Judging, at: datetime) -> dict[str, Any]:
    """One entry of ``rotation.served``. What is no certificate to us is an error of the place, not of the run."""
    return served_entries([(place, handshake)], judging, at)[0]


def served_entries(shaken: Iterable[tuple[Place, Handshake]], judging: Judging, at: datetime) -> list[dict[str, Any]]:
    """The same for several; those that showed the same bytes are judged once."""
    judged: dict[object, dict[str, Any]] = {}
    entries = []
    for place, handshake in shaken:
        entry: dict[str, Any] = {**place.as_dict(), "error": to_result(handshake.error)}
        if handshake.chain:
            shown = (handshake.chain, handshake.staple)
            if shown not in judged:
                judged[shown] = _judged(handshake, judging, at)
            # A peer that objects after it sent its chain (it wants a client certificate) has shown what we came for.
            entry = {**entry, "error": None, "tls_version": handshake.tls_version, **judged[shown]}
        entries.append(entry)
    return entries


def _judged(handshake: Handshake, judging: Judging, at: datetime) -> dict[str, Any]:
    try:
        chain = read_chain(handshake.chain)
        facts = _facts(handshake.chain[0])
    except RotationError as error:
        return {"error": {"code": error.code, "msg": error.message}}
    return {
        **facts,
        "chain_pem": "".join(to_pem(certificate) for certificate in chain),
        "staple": staple_facts(judging.judge_staple(chain, handshake.staple, at=at)),
    }


def staple_facts(finding: StapleFinding) -> dict[str, Any]:
    """What is worth keeping of a judged staple."""
    facts = to_result(finding)
    return {key: value for key, value in facts.items() if value not in (None, "", [])}


def read_chain(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """The certificates that a server sent. RotationError ``certificate_unreadable``."""
    try:
        return [_load(der) for der in chain]
    except ValueError as exc:
        raise RotationError("certificate_unreadable", "the server sends a certificate that cannot be read") from exc


@lru_cache(maxsize=4096)
def _load(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


@lru_cache(maxsize=4096)
def _facts(der: bytes) -> Mapping[str, Any]:
    facts = certificate_facts(_load(der))
    weak = weaknesses_as_data(certificate_weaknesses(_load(der)))
    return {
        **({"weak_key": weak} if weak else {}),
        "serial": facts.serial,
        "spki_sha256": facts.spki_sha256,
        "sha256": facts.sha256,
        "names": list(facts.names),
        "issuer_name": facts.issuer,
        "not_before": as_text(facts.not_before),
        "not_after": as_text(facts.not_after),
        "key_type": facts.key_type,
        "must_staple": facts.must_staple,
        "ocsp_urls": list(facts.ocsp_urls),
    }


def _key_type(rotation: Mapping[str, Any]) -> str:
    return "rsa" if (rotation.get("key") or {}).get("type") == "rsa" else "ec"


def _sni(name: str | None) -> str | None:
    """A wildcard itself is no name to ask for; any name that it covers is."""
    return name.replace("*", "certops-check", 1) if name and name.startswith("*.") else name
