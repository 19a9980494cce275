# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that most vectors are about: a root, an issuing CA and a server certificate, fixed to the byte.

    root --- CRL at ROOT_CRL
     └── issuing CA --- CRL at CA_CRL, OCSP at OCSP
          └── leaf (serial 1001)

``Authority`` (tests/support/pki.py) makes CRLs and certificates; ``ocsp_writer`` makes responses, whose producedAt
``cryptography`` would take from the clock. Ask for other certificates with ``issuing_ca`` and ``leaf_of``.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import Single, ocsp_response
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued, issuing_point
from cryptography import x509

AT = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
"""When most vectors are judged; the certificates are valid from a day before to 30 days after."""

ROOT_CRL = "http://crl.vectors.example/root.crl"
CA_CRL = "http://crl.vectors.example/ca.crl"
OCSP = "http://ocsp.vectors.example"


def root_ca(name: str = "Vector Root", *, key_name: str = "root", serial: int = 0x0A, **wanted: Any) -> Authority:
    wanted.setdefault("not_before", AT - 365 * DAY)
    wanted.setdefault("not_after", AT + 3650 * DAY)
    return Authority.root(name, key=key(key_name), at=AT, serial=serial, **wanted)


def issuing_ca(
    root: Authority, name: str = "Vector Issuing CA", *, key_name: str = "issuing", serial: int = 0x0B, **wanted: Any
) -> Authority:
    """A CA below ``root``; its own CRL pointer is ROOT_CRL unless ``crl_urls`` says otherwise."""
    wanted.setdefault("crl_urls", [ROOT_CRL])
    wanted.setdefault("not_before", AT - 365 * DAY)
    wanted.setdefault("not_after", AT + 1825 * DAY)
    return root.intermediate(name, key=key(key_name), serial=serial, **wanted)


def leaf_of(ca: Authority, *, key_name: str = "leaf", serial: int = 0x1001, **wanted: Any) -> Issued:
    """A server certificate of ``ca``, without pointers unless ``crl_urls`` or ``ocsp_urls`` are given."""
    return ca.issue(key=key(key_name), serial=serial, **wanted)


@dataclasses.dataclass(frozen=True)
class Hierarchy:
    """A root, a CA below it, and a leaf."""

    root: Authority
    ca: Authority
    leaf: Issued

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return self.leaf.chain

    @property
    def anchors(self) -> tuple[x509.Certificate, ...]:
        return (self.root.certificate,)

    @property
    def root_crl(self) -> bytes:
        """The root's CRL, in which nothing is."""
        return self.root.crl()

    def ca_crl(self, revoked: Any = (), **wanted: Any) -> bytes:
        """The CA's CRL, by default bound to CA_CRL and empty; ``revoked`` and the rest as ``Authority.crl`` takes."""
        wanted.setdefault("point", issuing_point(CA_CRL))
        return self.ca.crl(revoked, **wanted)

    def single(self, status: str = "good", **wanted: Any) -> Single:
        return Single(self.leaf.certificate, self.ca.certificate, AT, status, **wanted)

    def response(self, status: str = "good", *, produced_at: datetime | None = None, **wanted: Any) -> bytes:
        """The CA's own OCSP response about the leaf; the rest as ``Single`` takes."""
        return self.sign_response([self.single(status, **wanted)], produced_at=produced_at)

    def sign_response(self, singles: Sequence[Single], **wanted: Any) -> bytes:
        """``ocsp_response`` signed by the CA itself."""
        return ocsp_response(singles, key=self.ca.key, responder=self.ca.certificate, **wanted)


@functools.cache
def hierarchy(*, crl: bool = True, ocsp: bool = True) -> Hierarchy:
    """The usual one; the leaf names CA_CRL and OCSP unless told not to."""
    root = root_ca()
    ca = issuing_ca(root)
    return Hierarchy(root, ca, leaf_of(ca, crl_urls=[CA_CRL] if crl else [], ocsp_urls=[OCSP] if ocsp else []))
