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
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_sha256,
    certificate_spki_sha256,
    check_readable,
    is_must_staple,
    issuer_name,
    key_type,
    load_der,
    ocsp_urls,
    serial_hex,
    server_names,
    to_pem,
    validity,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import StapleFinding
from ansible_collections.certops.rotation.plugins.module_utils._core.weak_key import (
    certificate_weaknesses,
    weaknesses_as_data,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import (
    Endpoint,
    Handshake,
    addresses_of,
)


@dataclass(frozen=True)
class Place:
    """One listener × server name of a rotation."""

    endpoint: Endpoint
    server_name: str | None
    """As it is declared; the endpoint has a name that a wildcard stands for."""

    def as_dict(self) -> dict[str, Any]:
        place = {"address": self.endpoint.address, "port": self.endpoint.port, "server_name": self.server_name}
        further = {"starttls": self.endpoint.starttls, "ip": self.endpoint.ip}
        return {**place, **{name: value for name, value in further.items() if value}}

    def __str__(self) -> str:
        address = f"[{self.endpoint.address}]" if ":" in self.endpoint.address else self.endpoint.address
        where = f"{address}:{self.endpoint.port}" + (f" at {self.endpoint.ip}" if self.endpoint.ip else "")
        return where + (f" ({self.server_name})" if self.server_name else "")


def places(
    rotation: Mapping[str, Any],
    of_host: Iterable[Mapping[str, Any]],
    addresses: Mapping[str, Sequence[str]] | None = None,
) -> list[Place]:
    """All listeners × server names. A server with two certificates is asked for the one of this rotation's key type.

    :param addresses: what ``listeners_addresses`` found: then × all addresses of a listener's name.
    """
    key_type = _key_type(rotation) if has_companion(rotation, of_host) else None
    names: Sequence[str | None] = rotation.get("server_names") or [None]
    ips: Mapping[str, Sequence[str | None]] = addresses or {}
    return [
        Place(Endpoint(listener["address"], listener["port"], _sni(name), key_type, listener.get("starttls"), ip), name)
        for listener in rotation.get("listeners") or ()
        for name in names
        for ip in ips.get(listener["address"]) or [None]
    ]


def listeners_addresses(rotations: Iterable[Mapping[str, Any]], timeout: float) -> dict[str, list[str]]:
    """All IP addresses of the host names where the rotations are served, for ``places``."""
    listeners = (listener for rotation in rotations for listener in rotation.get("listeners") or ())
    return addresses_of((listener["address"] for listener in listeners), timeout=timeout)


def has_companion(rotation: Mapping[str, Any], of_host: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the same server block has a second certificate, of the other key type."""
    return bool(rotation.get("companion_of")) or rotation.get("name") in [
        other.get("companion_of") for other in of_host
    ]


def served_entry(place: Place, handshake: Handshake, shown: Mapping[str, Any] | None) -> dict[str, Any]:
    """One entry of ``rotation.served``; ``shown``: what ``shown_facts`` says of the chain, if there was one.

    What is no certificate to us is an error of the place, not of the run.
    """
    if shown is None:
        return {**place.as_dict(), "error": to_result(handshake.error)}
    # A peer that objects after it sent its chain (it wants a client certificate) has shown what we came for.
    return {**place.as_dict(), "error": None, "tls_version": handshake.tls_version, **shown}


def served_entries(shaken: Iterable[tuple[Place, Handshake]], judging: Judging, at: datetime) -> list[dict[str, Any]]:
    """The same for several; what showed the same bytes is judged once."""
    known: dict[object, dict[str, Any]] = {}
    entries = []
    for place, handshake in shaken:
        shown = (handshake.chain, handshake.staple)
        if handshake.chain and shown not in known:
            known[shown] = shown_facts(handshake.chain, handshake.staple, judging, at)
        entries.append(served_entry(place, handshake, known.get(shown)))
    return entries


def shown_facts(ders: Sequence[bytes], staple: bytes | None, judging: Judging, at: datetime) -> dict[str, Any]:
    """What a chain and a staple show, as it stands in an entry of ``rotation.served``."""
    try:
        chain = read_chain(ders)
        facts = _facts(ders[0])
    except RotationError as error:
        return {"error": {"code": error.code, "msg": error.message}}
    return {
        **facts,
        "chain_pem": "".join(to_pem(certificate) for certificate in chain),
        "staple": _staple_facts(judging.judge_staple(chain, staple, at=at)) if staple else {"status": "absent"},
    }


def _staple_facts(finding: StapleFinding) -> dict[str, Any]:
    """What is worth keeping of a judged staple."""
    facts = to_result(finding)
    return {key: value for key, value in facts.items() if value not in (None, "", [])}


def read_chain(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """The certificates that a server sent. RotationError ``certificate_unreadable``."""
    try:
        return [_load(der) for der in chain]
    except DECODING_ERRORS as exc:
        raise RotationError("certificate_unreadable", "the server sends a certificate that cannot be read") from exc


# The issuers, which all chains have, stay in it; a whole fleet's certificates would be much memory.
@lru_cache(maxsize=256)
def _load(der: bytes) -> x509.Certificate:
    return load_der(der)


@lru_cache(maxsize=4096)
def _facts(der: bytes) -> Mapping[str, Any]:
    certificate = _load(der)
    check_readable([certificate], "what the server sends")
    weak = weaknesses_as_data(certificate_weaknesses(certificate))
    first, last = validity(certificate)
    return {
        **({"weak_key": weak} if weak else {}),
        "serial": serial_hex(certificate.serial_number),
        "spki_sha256": certificate_spki_sha256(certificate),
        "sha256": certificate_sha256(certificate),
        "names": list(server_names(certificate)),
        "issuer_name": issuer_name(certificate).text,
        "not_before": as_text(first),
        "not_after": as_text(last),
        "key_type": key_type(certificate),
        "must_staple": is_must_staple(certificate),
        "ocsp_urls": list(ocsp_urls(certificate)),
    }


def _key_type(rotation: Mapping[str, Any]) -> str:
    return "rsa" if (rotation.get("key") or {}).get("type") == "rsa" else "ec"


def _sni(name: str | None) -> str | None:
    """A wildcard itself is no name to ask for; any name that it covers is."""
    return name.replace("*", "certops-check", 1) if name and name.startswith("*.") else name
