# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CRL taken apart: its entries stay bytes, and ``cryptography`` decodes what is around them (RFC 5280 5.1).

It would make an object of a CRL of a million entries soon enough, but encode all of it anew to verify the signature,
and walk through all of it for each serial number.
"""

from __future__ import annotations

import base64
import dataclasses
import re

from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import oid, x509

_PEM = re.compile(rb"-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*)-----END X509 CRL-----")
_EXTENSIONS = 0xA0
_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)


@dataclasses.dataclass(frozen=True, eq=False)
class CrlOutline:
    """The parts of a CRL. Nothing is verified."""

    data: bytes
    """all of it in DER"""
    tbs: memoryview
    """what is signed"""
    entries_start: int
    """where in ``data`` the entries are"""
    entries_end: int
    has_version: bool
    scope_bytes: bytes
    """the issuingDistributionPoint as it stands there; empty if there is none"""
    head: x509.CertificateRevocationList
    """the same CRL without entries; its signature is that of the whole one"""


def crl_outline(data: bytes) -> CrlOutline:
    """The outline of a CRL in DER or PEM. Whatever is wrong outside of the entries is found here.

    One of DECODING_ERRORS is raised for what is no CRL.
    """
    if data[:1] != b"\x30":  # private CAs do publish PEM
        data = _from_pem(data)
    outer = der.sequence(data)
    if len(outer) != 3 or outer[0].tag != der.SEQUENCE:
        raise der.NotDerError("not a CRL")
    tbs, algorithm, signature = outer
    fields = tbs.children()
    position = _entries_position(fields)
    around = [field.raw for index, field in enumerate(fields) if index != position]
    head = x509.load_der_x509_crl(
        der.encoded(der.SEQUENCE, der.encoded(der.SEQUENCE, *around), algorithm.raw, signature.raw)
    )
    end = len(data) - len(algorithm.raw) - len(signature.raw) - sum(len(field.raw) for field in fields[position:][1:])
    return CrlOutline(
        data=data,
        tbs=tbs.raw,
        entries_start=end - len(fields[position].content) if position < len(fields) else end,
        entries_end=end,
        has_version=fields[0].tag == der.INTEGER,
        scope_bytes=_scope_bytes(head),
        head=head,
    )


def _entries_position(fields: list[der.Element]) -> int:
    """Which field is revokedCertificates, the SEQUENCE after the times; behind the last one if there is none."""
    for position in range(1, len(fields)):
        if fields[position].tag == der.SEQUENCE and fields[position - 1].tag in _TIMES:
            return position
    return len(fields)


def _scope_bytes(head: x509.CertificateRevocationList) -> bytes:
    for each in head.extensions:
        if each.oid == oid.ExtensionOID.ISSUING_DISTRIBUTION_POINT:
            return each.value.public_bytes()
    return b""


def _from_pem(data: bytes) -> bytes:
    found = _PEM.search(data)
    if found is None:
        raise der.NotDerError("PEM, but no CRL")
    return base64.b64decode(b"".join(found.group(1).split()), validate=True)
