# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRLs as one wants them, where ``Authority.crl`` cannot: no nextUpdate, version 1, any extension bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from cryptography import x509


@dataclasses.dataclass(frozen=True)
class Entry:
    """One of revokedCertificates; ``extensions`` from ``der_writer.extension``."""

    serial: int
    revoked_at: datetime
    extensions: Sequence[bytes] = ()

    def der(self) -> bytes:
        members = der.sequence(*self.extensions) if self.extensions else b""
        return der.sequence(der.integer(self.serial), der.utc_time(self.revoked_at), members)


def crl(
    issuer: x509.Name,
    *,
    key: Any,
    this_update: datetime,
    next_update: datetime | None,
    entries: Sequence[Entry] = (),
    extensions: Sequence[bytes] = (),
    version: int | None = 2,
    inner: bytes | None = None,
    algorithm: Any = None,
) -> bytes:
    """A CertificateList (RFC 5280 section 5.1). ``inner``: another AlgorithmIdentifier than that of the signature."""
    tbs = der.sequence(
        b"" if version is None else der.integer(version - 1),
        inner or der.signature_algorithm(key, algorithm),
        der.name(issuer),
        der.utc_time(this_update),
        b"" if next_update is None else der.utc_time(next_update),
        der.sequence(*(entry.der() for entry in entries)) if entries else b"",
        der.explicit(0, der.sequence(*extensions)) if extensions else b"",
    )
    return der.signed(tbs, key, algorithm)
