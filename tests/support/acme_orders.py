# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates ordered from an ACME server that takes every challenge for answered, with requests and nothing else.

For tests of what comes after: it shares no code with the issuer but the signing of requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.jose import base64url
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient
from ansible_collections.certops.rotation.tests.support.pki import make_csr
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

Answer = Callable[[str, str], None]
"""``answer(token, key_authorization)`` puts an http-01 answer where the server finds it."""


def ordered(
    client: AcmeClient,
    names: Sequence[str],
    key: Any,
    answer: Answer | None = None,
    *,
    not_after: datetime | None = None,
) -> str:
    """A new certificate for the names with that key: its chain as PEM."""
    wanted: dict[str, Any] = {"identifiers": [{"type": "dns", "value": one} for one in names]}
    if not_after is not None:
        wanted["notAfter"] = not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    order = client.post(client.directory["newOrder"], wanted)
    for url in order.json()["authorizations"]:
        authorized(client, url, answer)
    csr = x509.load_pem_x509_csr(make_csr(names, key).encode())
    finalize = {"csr": base64url(csr.public_bytes(Encoding.DER))}
    client.post(order.json()["finalize"], finalize)
    done = _until(client, order.location, "valid")
    return client.post(done["certificate"], None).text


def expired(chain_pem: str) -> str:
    """The same chain, once its leaf has expired: for those that live for seconds."""
    end = x509.load_pem_x509_certificate(chain_pem.encode()).not_valid_after_utc
    # A second more: the certificate is still valid in its last one (RFC 5280 section 4.1.2.5).
    time.sleep(max(0.0, (end - datetime.now(timezone.utc)).total_seconds() + 1.1))
    return chain_pem


def authorized(client: AcmeClient, url: str, answer: Answer | None = None) -> None:
    """Have one authorization become valid by http-01."""
    found = client.post(url, None).json()
    if found["status"] == "valid":
        return
    challenge = next(one for one in found["challenges"] if one["type"] == "http-01")
    if answer is not None:
        answer(challenge["token"], f"{challenge['token']}.{client.thumbprint}")
    client.post(challenge["url"], {})
    _until(client, url, "valid")


def _until(client: AcmeClient, url: str, status: str, seconds: float = 30) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        found = client.post(url, None).json()
        if found["status"] == status:
            return found
        if found["status"] == "invalid" or time.monotonic() > end:
            raise AssertionError(found)
        time.sleep(0.1)
