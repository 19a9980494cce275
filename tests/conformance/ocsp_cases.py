# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the vectors about OCSP share: a leaf whose only pointer is a responder, and signatures of any kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core import der as outline
from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    OCSP,
    ROOT_CRL,
    Hierarchy,
    hierarchy,
    leaf_of,
)
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import Single, ocsp_response, wrapped
from ansible_collections.certops.rotation.tests.conformance.vector import Case, Expected, Page
from ansible_collections.certops.rotation.tests.support.pki import Issued
from cryptography import x509
from cryptography.x509 import ocsp

SECOND = "http://ocsp2.vectors.example"
CERTIFICATE_HOLD = 6
ODD = "1.3.6.1.4.1.55555.1"
NONCE = "1.3.6.1.5.5.7.48.1.2"
NULL_VALUE = der.NULL


def world() -> Hierarchy:
    """The usual hierarchy; the leaf names a responder and no CRL."""
    return hierarchy(crl=False)


@dataclasses.dataclass(frozen=True)
class Altered(Single):
    """An answer of which one member is something else."""

    position: int = 0
    member: bytes = b""

    def der(self) -> bytes:
        members = [bytes(each.raw) for each in outline.sequence(super().der())]
        members[self.position] = self.member
        return der.sequence(*members)


def altered(position: int, member: bytes) -> bytes:
    """The CA's good response about the leaf, with another member of the SingleResponse: 2 is thisUpdate."""
    here = world()
    single = Altered(here.leaf.certificate, here.ca.certificate, AT, position=position, member=member)
    return here.sign_response([single])


def answered(page: Page, expected: Expected, **wanted: Any) -> Case:
    """The leaf's responder answers with this; the root's CRL is there, so that the CA is no matter."""
    here = world()
    pages = {OCSP: page, ROOT_CRL: here.root_crl, **wanted.pop("pages", {})}
    return Case(chain=here.chain, anchors=here.anchors, pages=pages, expected=expected, **wanted)


def answered_by_two(first: Page, second: Page, expected: Expected) -> Case:
    """The leaf names two responders, OCSP and SECOND."""
    here = world()
    leaf = leaf_of(here.ca, ocsp_urls=[OCSP, SECOND])
    pages = {OCSP: first, SECOND: second, ROOT_CRL: here.root_crl}
    return Case(chain=leaf.chain, anchors=here.anchors, pages=pages, expected=expected)


def about_two_responders(status: str = "good", **wanted: Any) -> bytes:
    """What the CA says about the leaf of ``answered_by_two``."""
    here = world()
    leaf = leaf_of(here.ca, ocsp_urls=[OCSP, SECOND]).certificate
    return here.sign_response([Single(leaf, here.ca.certificate, AT, status, **wanted)])


def delegate(**wanted: Any) -> Issued:
    """A responder that the leaf's CA certified, with id-pkix-ocsp-nocheck unless told not to."""
    wanted.setdefault("key", key("delegate"))
    wanted.setdefault("serial", 0x2001)
    return world().ca.delegate("Vector Responder", **wanted)


def signed_by(
    signer: Issued, status: str = "good", *, sent: Sequence[x509.Certificate] | None = None, **how: Any
) -> bytes:
    """About the leaf, by a responder that is not the CA. ``sent``: certificates to send along, if not the signer's."""
    along = (signer.certificate,) if sent is None else sent
    single = world().single(status, **how.pop("single", {}))
    return ocsp_response([single], key=signer.key, responder=signer.certificate, certificates=along, **how)


def resigned(response: bytes, algorithm: bytes, sign: Callable[[bytes], bytes], *, unused: int = 0) -> bytes:
    """The same response with another signature, of any kind: ``algorithm`` is its AlgorithmIdentifier."""
    basic = _basic(response)
    data = bytes(basic[0].raw)
    certificates = b"".join(bytes(each.raw) for each in basic[3:])
    return wrapped(der.sequence(data, algorithm, der.bits(sign(data), unused), certificates))


def forged(response: bytes) -> bytes:
    """The same response with one bit of its signature turned."""
    basic = _basic(response)
    signature = bytearray(signature_of(response))
    signature[-1] ^= 1
    return resigned(response, bytes(basic[1].raw), lambda _data: bytes(signature))


def nonce_of(request: bytes) -> bytes | None:
    """What a request asks to be repeated."""
    try:
        found = ocsp.load_der_ocsp_request(request).extensions.get_extension_for_class(x509.OCSPNonce)
    except x509.ExtensionNotFound:
        return None
    return found.value.nonce


def nonce(value: bytes) -> bytes:
    """The extension with this nonce."""
    return der.extension(NONCE, der.octets(value))


@dataclasses.dataclass
class InTurn:
    """Pages one after the other; the last one stays."""

    pages: list[bytes]

    def __call__(self, _request: bytes) -> bytes:
        return self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]


def by_hash(*, sha256: bytes, sha1: bytes) -> Callable[[bytes], bytes]:
    """A responder that answers by the hash of the CertID it is asked with."""

    def answer(request: bytes) -> bytes:
        algorithm = ocsp.load_der_ocsp_request(request).hash_algorithm.name
        return sha256 if algorithm == "sha256" else sha1

    return answer


def basic_of(response: bytes) -> bytes:
    """The BasicOCSPResponse in a successful response."""
    return bytes(outline.sequence(response)[1].children()[0].children()[1].content)


def signature_of(response: bytes) -> bytes:
    return bytes(_basic(response)[2].content[1:])


def data_of(response: bytes) -> list[bytes]:
    """The members of the ResponseData: responderID, producedAt, responses."""
    return [bytes(each.raw) for each in _basic(response)[0].children()]


def _basic(response: bytes) -> list[outline.Element]:
    """Data, algorithm, signature and certificates of a successful response."""
    return outline.sequence(basic_of(response))
