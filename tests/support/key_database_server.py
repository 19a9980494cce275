# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers about keys as crt.sh, Cert Spotter and pwnedkeys give them, for a server on loopback."""

from __future__ import annotations

import base64
import json
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts, spki_sha256
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import algorithm_of, base64url, sign
from ansible_collections.certops.rotation.plugins.module_utils._core.transparency import certspotter_url, crt_sh_url
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

SENTENCE = b"This key is pwned! See https://pwnedkeys.com for more info."


def path_of(url: str) -> str:
    """What stands in the request line."""
    return "/" + url.split("/", 3)[3]


def crt_sh_row(certificate: x509.Certificate, number: int = 1) -> dict[str, Any]:
    facts = certificate_facts(certificate)
    return {
        "issuer_ca_id": 295814,
        "issuer_name": facts.issuer,
        "common_name": facts.names[0],
        "name_value": facts.spki_sha256,
        "id": number,
        "entry_timestamp": "2026-11-01T00:00:00.123",
        "not_before": facts.not_before.strftime("%Y-%m-%dT%H:%M:%S"),
        "not_after": facts.not_after.strftime("%Y-%m-%dT%H:%M:%S"),
        "serial_number": facts.serial,
        "result_count": 2,
    }


def issuance(certificate: x509.Certificate, number: int = 1, *, with_der: bool = True) -> dict[str, Any]:
    facts = certificate_facts(certificate)
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return {
        "id": str(number),
        "tbs_sha256": "0" * 64,
        "cert_sha256": facts.sha256,
        "dns_names": list(facts.names),
        "pubkey_sha256": facts.spki_sha256,
        "issuer": {"friendly_name": "Test", "name": facts.issuer, "pubkey_sha256": "1" * 64},
        "not_before": facts.not_before.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "not_after": facts.not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "revoked": False,
        "revocation": {"time": None, "reason": None, "checked_at": "2026-11-01T00:00:00Z"},
        **({"cert_der": der} if with_der else {}),
    }


def attestation(key: Any, **wrong: Any) -> dict[str, str]:
    """What pwnedkeys sends; ``wrong`` replaces parts before they are signed: alg, kid, payload, signer."""
    public = key.public_key()
    header = {"alg": wrong.get("alg", algorithm_of(public).name), "kid": wrong.get("kid", spki_sha256(public))}
    protected = base64url(json.dumps(header).encode())
    payload = base64url(wrong.get("payload", SENTENCE))
    signature = sign(wrong.get("signer", key), f"{protected}.{payload}".encode())
    return {"protected": protected, "payload": payload, "signature": base64url(signature)}


class KeyDatabaseServer:
    """Puts answers where the three databases would give them."""

    def __init__(self, web: HttpServer) -> None:
        self.web = web

    @property
    def url(self) -> str:
        return self.web.url("").rstrip("/")

    def crt_sh(self, spki: str, body: Any, **how: Any) -> None:
        self.web.put(path_of(crt_sh_url(self.url, spki)), _bytes(body), **how)

    def certspotter(self, domain: str, body: Any, after: str | None = None, **how: Any) -> None:
        self.web.put(path_of(certspotter_url(self.url, domain, after)), _bytes(body), **how)

    def pwnedkeys(self, spki: str, body: Any, **how: Any) -> None:
        self.web.put(f"/{spki}", _bytes(body), **how)


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()
