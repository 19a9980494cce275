# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCSP responses as one wants them: any number of SingleResponses, any signer, any time (RFC 6960 section 4.2.1)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import key_bits, subject_bytes
from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR
from ansible_collections.certops.rotation.tests.support.pki import der as der_of
from cryptography import x509

_HASHES = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2"}
_BASIC = "1.3.6.1.5.5.7.48.1.1"


@dataclasses.dataclass(frozen=True)
class Single:
    """What a response says about one certificate. ``at`` is the time that the others are relative to."""

    certificate: x509.Certificate
    issuer: x509.Certificate
    at: datetime
    status: str = "good"
    """good, revoked, unknown"""
    reason: int | None = None
    """the number of a CRLReason; None leaves it out"""
    revoked_at: datetime | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    no_next_update: bool = False
    algorithm: str = "sha256"
    serial: int | None = None
    extensions: Sequence[bytes] = ()
    """from ``der_writer.extension``"""

    def der(self) -> bytes:
        until = der.explicit(0, der.generalized_time(self.next_update or self.at + 4 * DAY))
        return der.sequence(
            self.cert_id(),
            self._status(),
            der.generalized_time(self.this_update or self.at - HOUR),
            b"" if self.no_next_update else until,
            der.explicit(1, der.sequence(*self.extensions)) if self.extensions else b"",
        )

    def cert_id(self) -> bytes:
        serial = self.certificate.serial_number if self.serial is None else self.serial
        return der.sequence(
            der.sequence(der.oid(_HASHES[self.algorithm]), der.NULL),
            der.octets(hashlib.new(self.algorithm, subject_bytes(self.issuer)).digest()),
            der.octets(hashlib.new(self.algorithm, key_bits(self.issuer)).digest()),
            der.integer(serial),
        )

    def _status(self) -> bytes:
        if self.status == "good":
            return der.implicit(0)
        if self.status == "unknown":
            return der.implicit(2)
        why = b"" if self.reason is None else der.explicit(0, der.enumerated(self.reason))
        return der.explicit(1, der.generalized_time(self.revoked_at or self.at - 2 * HOUR), why)


def ocsp_response(
    singles: Sequence[Single],
    *,
    key: Any,
    responder: x509.Certificate,
    by_name: bool = False,
    produced_at: datetime | None = None,
    certificates: Sequence[x509.Certificate] = (),
    extensions: Sequence[bytes] = (),
    algorithm: Any = None,
) -> bytes:
    """A successful response, signed with ``key``; ``responder`` is who it claims to be of, right or not.

    ``produced_at`` is an hour before the time of the first single, if it is not given. ``certificates`` are sent along.
    """
    produced = produced_at or singles[0].at - HOUR
    tbs = der.sequence(
        _responder_id(responder, by_name),
        der.generalized_time(produced),
        der.sequence(*(single.der() for single in singles)),
        der.explicit(1, der.sequence(*extensions)) if extensions else b"",
    )
    sent = der.explicit(0, der.sequence(*(der_of(each) for each in certificates))) if certificates else b""
    return wrapped(der.signed(tbs, key, algorithm, after=sent))


def wrapped(basic: bytes, response_type: str = _BASIC) -> bytes:
    """OCSPResponse ``successful`` around the bytes of a BasicOCSPResponse."""
    body = der.sequence(der.oid(response_type), der.octets(basic))
    return der.sequence(der.enumerated(0), der.explicit(0, body))


def _responder_id(responder: x509.Certificate, by_name: bool) -> bytes:
    if by_name:
        return der.explicit(1, bytes(subject_bytes(responder)))
    return der.explicit(2, der.octets(hashlib.sha1(key_bits(responder)).digest()))
