# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A handshake in the words of ``endpoint_info``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    CertificateFacts,
    certificate_facts,
    read_certificates,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.starttls import usual_port
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, Fault, Handshake

_ALERT = "alert_"


@dataclasses.dataclass(frozen=True)
class SeenEndpoint:
    """What a server sent, decoded but not judged."""

    host: str
    port: int
    server_name: str | None
    chain: tuple[CertificateFacts, ...]
    chain_pem: str
    staple: bytes | None
    tls_version: str | None
    seconds: float
    alert: int | None
    error: Fault | None


def endpoint_from(asked: Mapping[str, Any]) -> Endpoint:
    """From the options ``host``, ``port``, ``server_name``, ``key_type`` and ``starttls``."""
    host, starttls = asked["host"], asked["starttls"]
    port = usual_port(starttls) if asked["port"] is None else asked["port"]
    return Endpoint(host, port, asked["server_name"] or host, asked["key_type"], starttls)


def seen_endpoint(shaken: Handshake) -> SeenEndpoint:
    """Never raises: a chain that cannot be decoded is the ``error`` of this endpoint."""
    error = shaken.error
    chain: tuple[CertificateFacts, ...] = ()
    pem = ""
    try:
        certificates = [each for der in shaken.chain for each in read_certificates(der, shaken.endpoint.address)]
        chain = tuple(certificate_facts(each) for each in certificates)
        pem = "".join(to_pem(each) for each in certificates)
    except RotationError as fault:
        error = error or Fault(fault.code, fault.message)
    return SeenEndpoint(
        host=shaken.endpoint.address,
        port=shaken.endpoint.port,
        server_name=shaken.endpoint.server_name,
        chain=chain,
        chain_pem=pem,
        staple=shaken.staple,
        tls_version=shaken.tls_version,
        seconds=round(shaken.seconds, 4),
        alert=int(error.code[len(_ALERT) :]) if error and error.code.startswith(_ALERT) else None,
        error=error,
    )
