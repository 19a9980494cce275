# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCSP without an online key: responses signed ahead, and the path under which a client's GET finds each of them.

RFC 9919: a request is base64 in the path, and new clients use SHA-256 in it; old ones (nginx among them) SHA-1.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import hashes, ocsp, serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_certificates import Authority
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import signature_hash
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import Record

_HASHES: tuple[type[hashes.SHA1] | type[hashes.SHA256], ...] = (hashes.SHA1, hashes.SHA256)


def request_paths(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[str]:
    """What clients append to the OCSP URL, before percent-encoding: for SHA-1 and for SHA-256."""
    for algorithm in _HASHES:
        request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm()).build()
        yield base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()


def file_of(request_path: str) -> PurePosixPath:
    """The file for a request path, relative to the OCSP folder.

    A web server decodes %2F, so a slash of the base64 divides folders. Two slashes in a row are one to the file
    system (and to a server that merges them), and no request ends in one: see ``fresh_serial``.
    """
    return PurePosixPath(*[part for part in request_path.split("/") if part])


def answers(
    record: Record, issuer: x509.Certificate, responder: Authority, *, at: datetime, until: datetime
) -> list[tuple[PurePosixPath, bytes]]:
    """Files with the signed status of one certificate."""
    certificate = x509.load_der_x509_certificate(record.der)
    paths = request_paths(certificate, issuer)
    return [
        (file_of(path), _answer(certificate, record, issuer, responder, algorithm(), at, until))
        for path, algorithm in zip(paths, _HASHES, strict=True)
    ]


def _answer(
    certificate: x509.Certificate,
    record: Record,
    issuer: x509.Certificate,
    responder: Authority,
    algorithm: hashes.HashAlgorithm,
    at: datetime,
    until: datetime,
) -> bytes:
    is_revoked = record.revoked_at is not None
    reason = x509.ReasonFlags(record.reason) if record.reason and record.reason != "unspecified" else None
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=issuer,
        algorithm=algorithm,
        cert_status=ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=at.replace(microsecond=0),
        next_update=until.replace(microsecond=0),
        revocation_time=record.revoked_at,
        revocation_reason=reason,
    )
    # RFC 9919 section 3.2.2 wants byKey, the shorter form.
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
    signed = builder.certificates([responder.certificate]).sign(responder.key, signature_hash(responder.key))
    return signed.public_bytes(serialization.Encoding.DER)
