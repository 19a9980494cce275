# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responders that answer over HTTP as they should, with what they should not."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from ansible_collections.certops.rotation.tests.conformance.faults.server import Answer, Asked, broken, fault
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, hierarchy, root_ca
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import NULL_VALUE, ODD, forged, nonce, nonce_of
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import Single, ocsp_response
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, Issued, ocsp_error
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

OCSP_TYPE = {"Content-Type": "application/ocsp-response"}
WITH_NONCE = RevocationPolicy(nonce=True)


def single(asked: Asked, status: str = "good", **how: Any) -> Single:
    return Single(asked.leaf.certificate, asked.ca.certificate, AT, status, **how)


def response(asked: Asked, status: str = "good", *, extensions: tuple[bytes, ...] = (), **how: Any) -> bytes:
    """The CA's own answer about the certificate that points here."""
    return signed(asked, [single(asked, status, **how)], extensions=extensions)


def signed(asked: Asked, singles: list[Single], **how: Any) -> bytes:
    return ocsp_response(singles, key=asked.ca.key, responder=asked.ca.certificate, **how)


def by_delegate(asked: Asked, signer: Issued, **how: Any) -> bytes:
    along = (signer.certificate,)
    return ocsp_response([single(asked)], key=signer.key, responder=signer.certificate, certificates=along, **how)


def delegate(asked: Asked, **wanted: Any) -> Issued:
    return asked.ca.delegate("Fault Responder", key=key("delegate"), serial=0x2001, **wanted)


def answer(body: bytes) -> Answer:
    return Answer(body, headers=OCSP_TYPE)


def algorithm_of(asked: Asked) -> str:
    return ocsp.load_der_ocsp_request(asked.request).hash_algorithm.name


@fault
def ocsp_nothing_wrong(asked: Asked) -> Answer:
    """For comparison: a good response."""
    return answer(response(asked))


@fault
def ocsp_revoked(asked: Asked) -> Answer:
    """For comparison: a response that says revoked."""
    return answer(response(asked, "revoked", reason=1))


@fault
def ocsp_malformed_request(asked: Asked) -> Answer:
    """malformedRequest, to whatever is asked."""
    return answer(ocsp_error("malformed_request"))


@fault
def ocsp_internal_error(asked: Asked) -> Answer:
    """internalError."""
    return answer(ocsp_error("internal_error"))


@fault
def ocsp_try_later(asked: Asked) -> Answer:
    """tryLater, the responder is busy."""
    return answer(ocsp_error("try_later"))


@fault
def ocsp_sig_required(asked: Asked) -> Answer:
    """sigRequired, although nobody signs requests."""
    return answer(ocsp_error("sig_required"))


@fault
def ocsp_unauthorized(asked: Asked) -> Answer:
    """unauthorized, no record of the certificate under any hash."""
    return answer(ocsp_error("unauthorized"))


@fault
def ocsp_unknown(asked: Asked) -> Answer:
    """A signed "unknown"."""
    return answer(response(asked, "unknown"))


@fault
def ocsp_sha1_only(asked: Asked) -> Answer:
    """unauthorized for SHA-256, good for SHA-1."""
    return answer(response(asked, algorithm="sha1") if algorithm_of(asked) == "sha1" else ocsp_error("unauthorized"))


@fault
def ocsp_sha256_is_a_bad_request(asked: Asked) -> Answer:
    """HTTP status 400 for SHA-256, good for SHA-1."""
    return answer(response(asked, algorithm="sha1")) if algorithm_of(asked) == "sha1" else Answer(status=400)


@fault
def ocsp_expired(asked: Asked) -> Answer:
    """nextUpdate was yesterday, whoever asks."""
    return answer(response(asked, this_update=AT - 3 * DAY, next_update=AT - DAY))


@fault
def ocsp_expired_in_a_cache(asked: Asked) -> Answer:
    """Expired, unless asked with ``Cache-Control: no-cache``."""
    if asked.headers.get("cache-control") == "no-cache":
        return answer(response(asked))
    return answer(response(asked, this_update=AT - 3 * DAY, next_update=AT - DAY))


@fault
def ocsp_from_the_future(asked: Asked) -> Answer:
    """thisUpdate is tomorrow."""
    return answer(response(asked, this_update=AT + DAY, next_update=AT + 2 * DAY))


@fault
def ocsp_produced_in_the_future(asked: Asked) -> Answer:
    """producedAt is tomorrow."""
    return answer(signed(asked, [single(asked)], produced_at=AT + DAY))


@fault
def ocsp_no_next_update(asked: Asked) -> Answer:
    """No nextUpdate, good for ever."""
    return answer(response(asked, no_next_update=True))


@fault
def ocsp_wrong_serial(asked: Asked) -> Answer:
    """About another certificate of the CA."""
    return answer(response(asked, serial=0x1002))


@fault
def ocsp_wrong_issuer(asked: Asked) -> Answer:
    """The hashes of the root in the CertID."""
    other = Single(asked.leaf.certificate, hierarchy().root.certificate, AT)
    return answer(signed(asked, [other]))


@fault
def ocsp_about_many(asked: Asked) -> Answer:
    """Answers about a hundred certificates; the one that was asked about is the last, and revoked."""
    others = [single(asked, serial=0x5000 + number) for number in range(99)]
    return answer(signed(asked, [*others, single(asked, "revoked")]))


@fault
def ocsp_foreign_signer(asked: Asked) -> Answer:
    """Signed by a root that has nothing to do with it, and says so."""
    other = root_ca("Foreign Root", key_name="stranger", serial=0x0C)
    return answer(by_delegate(asked, Issued(other.certificate, other.key)))


@fault
def ocsp_bad_signature(asked: Asked) -> Answer:
    """One bit of the signature is wrong."""
    return answer(forged(response(asked)))


@fault
def ocsp_sha1_signature(asked: Asked) -> Answer:
    """Signed with ecdsa-with-SHA1."""
    return answer(signed(asked, [single(asked)], algorithm=hashes.SHA1()))


@fault
def ocsp_delegate(asked: Asked) -> Answer:
    """For comparison: a delegate in order."""
    return answer(by_delegate(asked, delegate(asked)))


@fault
def ocsp_delegate_without_purpose(asked: Asked) -> Answer:
    """A delegate without id-kp-OCSPSigning."""
    return answer(by_delegate(asked, delegate(asked, eku=[ExtendedKeyUsageOID.SERVER_AUTH])))


@fault
def ocsp_delegate_expired(asked: Asked) -> Answer:
    """A delegate whose certificate has expired."""
    return answer(by_delegate(asked, delegate(asked, not_before=AT - 9 * DAY, not_after=AT - HOUR)))


@fault
def ocsp_delegate_not_yet_valid(asked: Asked) -> Answer:
    """A delegate whose certificate begins tomorrow."""
    return answer(by_delegate(asked, delegate(asked, not_before=AT + DAY)))


@fault
def ocsp_delegate_of_another_ca(asked: Asked) -> Answer:
    """A delegate of an unrelated CA."""
    other = root_ca("Foreign Root", key_name="stranger", serial=0x0C)
    signer = other.delegate("Fault Responder", key=key("delegate"), serial=0x2001)
    return answer(by_delegate(asked, signer))


@fault
def ocsp_delegate_of_the_root(asked: Asked) -> Answer:
    """A delegate of the root, for a certificate of the CA below it."""
    signer = hierarchy().root.delegate("Fault Responder", key=key("delegate"), serial=0x2001)
    return answer(by_delegate(asked, signer))


@fault
def ocsp_delegate_without_nocheck(asked: Asked) -> Answer:
    """A delegate without id-pkix-ocsp-nocheck, and without a pointer to what would clear it."""
    return answer(by_delegate(asked, delegate(asked, nocheck=False)))


@fault
def ocsp_delegate_cleared(asked: Asked) -> Answer:
    """Without nocheck, but its CRL is to be had."""
    signer = delegate(asked, nocheck=False, crl_urls=[asked.server.url("crl_nothing_wrong")])
    return answer(by_delegate(asked, signer))


@fault
def ocsp_delegate_revoked(asked: Asked) -> Answer:
    """A delegate that is in the CA's CRL."""
    signer = delegate(asked, nocheck=False, crl_urls=[asked.server.url("crl_with_the_delegate")])
    return answer(by_delegate(asked, signer))


@fault
def crl_with_the_delegate(asked: Asked) -> Answer:
    """The CRL that lists the delegate; the certificate that points here is not in it."""
    return Answer(asked.ca.crl([0x2001]))


@broken(WITH_NONCE)
def ocsp_nonce_repeated(asked: Asked) -> Answer:
    """For comparison: the nonce as it was asked."""
    return answer(response(asked, extensions=(nonce(nonce_of(asked.request) or b"none"),)))


@broken(WITH_NONCE)
def ocsp_nonce_missing(asked: Asked) -> Answer:
    """No nonce in the response, although one was asked."""
    return answer(response(asked))


@broken(WITH_NONCE)
def ocsp_nonce_of_another(asked: Asked) -> Answer:
    """The nonce of somebody else."""
    return answer(response(asked, extensions=(nonce(b"another nonce of thirty-two octet"),)))


@broken(WITH_NONCE)
def ocsp_nonce_too_long(asked: Asked) -> Answer:
    """The nonce, and 97 octets more."""
    return answer(response(asked, extensions=(nonce((nonce_of(asked.request) or b"") + bytes(97)),)))


@broken(WITH_NONCE)
def ocsp_nonce_is_malformed(asked: Asked) -> Answer:
    """malformedRequest for whoever sends a nonce."""
    return answer(ocsp_error("malformed_request") if nonce_of(asked.request) else response(asked))


@fault
def ocsp_critical_extension(asked: Asked) -> Answer:
    """An unknown critical extension of the response."""
    return answer(response(asked, extensions=(der.extension(ODD, NULL_VALUE, critical=True),)))


@fault
def ocsp_critical_extension_of_the_answer(asked: Asked) -> Answer:
    """An unknown critical extension of the SingleResponse."""
    odd = single(asked, extensions=(der.extension(ODD, NULL_VALUE, critical=True),))
    return answer(signed(asked, [odd]))


@fault
def ocsp_mirror(asked: Asked) -> Answer:
    """Sends the request back."""
    return answer(asked.request)


@fault
def ocsp_wrong_content_type(asked: Asked) -> Answer:
    """A good response as ``text/plain``: the bytes count, they are signed."""
    return Answer(response(asked), headers={"Content-Type": "text/plain"})


@fault
def ocsp_get_is_not_allowed(asked: Asked) -> Answer:
    """HTTP status 405 for GET, which responders must support (RFC 9919 6); good for POST."""
    return answer(response(asked)) if asked.method == "POST" else Answer(status=405)


@broken(urls=lambda server: [server.url("ocsp_try_later"), server.url("ocsp_second_of_two")])
def ocsp_second_of_two(asked: Asked) -> Answer:
    """The first responder is busy, the second is not."""
    return answer(response(asked))


@broken(urls=lambda server: [server.url("ocsp_long_url") + "/" + "x" * 120])
def ocsp_long_url(asked: Asked) -> Answer:
    """A responder whose URL leaves no room for a GET; it answers to POST only."""
    return answer(response(asked)) if asked.method == "POST" else Answer(status=500)
