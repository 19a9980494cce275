# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking about one certificate over OCSP (RFC 9919 sections 3.1 and 6)."""

from __future__ import annotations

import base64
import urllib.parse

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import hashes, ocsp, serialization, x509

NONCE_SIZE = 32  # RFC 9654 2.1: no fewer octets; and responders need not accept more
_LONGEST_GET = 255  # RFC 9919 section 6: GET if the whole URL is no longer


def build_request(
    leaf: x509.Certificate, issuer: x509.Certificate, algorithm: str = "sha256", *, nonce: bytes | None = None
) -> bytes:
    """An unsigned request about one certificate, without extensions but the nonce (RFC 9919 section 3.1.1).

    :param algorithm: ``sha256``, or ``sha1`` for responders that know nothing else.
    """
    chosen = hashes.SHA1() if algorithm == "sha1" else hashes.SHA256()
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, chosen)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(serialization.Encoding.DER)


def get_url(responder_url: str, request: bytes) -> str | None:
    """The URL to GET, None where it would be too long and the request must be POSTed."""
    encoded = urllib.parse.quote(base64.b64encode(request).decode("ascii"), safe="")
    url = responder_url.rstrip("/") + "/" + encoded
    return url if len(url) <= _LONGEST_GET else None
