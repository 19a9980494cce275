# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OCSP response is worth, right ones and each kind of wrong one."""

from __future__ import annotations

import base64
import hashlib
import time
import urllib.parse
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core import der as outline
from ansible_collections.certops.rotation.plugins.module_utils._core import ocsp as judge
from ansible_collections.certops.rotation.plugins.module_utils._core import ocsp_request
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    SourceKind,
)
from ansible_collections.certops.rotation.tests.conformance import der_writer
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT as VECTOR_AT
from ansible_collections.certops.rotation.tests.conformance.hierarchy import hierarchy
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import forged, resigned
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import ocsp_response
from ansible_collections.certops.rotation.tests.support.pki import (
    DAY,
    HOUR,
    Authority,
    Issued,
    der,
    key_usage,
    make_key,
    ocsp_error,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

CA = Authority.root().intermediate()
LEAF = CA.issue()
AT = CA.at
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
ODD = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")


def judged(response: bytes, **wanted: Any) -> Finding:
    arguments: dict[str, Any] = {
        "leaf": LEAF.certificate,
        "issuer": CA.certificate,
        "at": AT,
        "policy": RevocationPolicy(),
        "source": Source(SourceKind.OCSP, "http://ocsp.test/", "GET"),
    }
    return judge.judge_ocsp(response, **{**arguments, **wanted})


def said(response: bytes, **wanted: Any) -> tuple[RevocationStatus, tuple[Reason, ...]]:
    finding = judged(response, **wanted)
    return finding.status, finding.reasons


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384()])
def test_good_in_any_hash_of_the_cert_id(algorithm: Any) -> None:
    assert said(CA.ocsp(LEAF.certificate, algorithm=algorithm)) == (GOOD, ())


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_good_from_a_delegate(by_name: bool, kind: str) -> None:
    signer = CA.delegate(key=make_key(kind))
    assert said(CA.ocsp(LEAF.certificate, signer=signer, by_name=by_name)) == (GOOD, ())


def test_good_carries_its_evidence() -> None:
    evidence = judged(CA.ocsp(LEAF.certificate)).evidence
    assert (evidence.this_update, evidence.next_update) == (AT - HOUR, AT + 4 * DAY)
    assert evidence.produced_at is not None and evidence.sha256 is not None
    assert evidence.signer == "CN=Test Issuing CA,O=certops tests"


def test_revoked_with_time_and_reason() -> None:
    finding = judged(CA.ocsp(LEAF.certificate, "revoked", reason=x509.ReasonFlags.key_compromise))
    assert (finding.status, finding.reasons) == (REVOKED, (Reason.REVOKED,))
    assert (finding.revoked_at, finding.revocation_reason) == (AT - 2 * HOUR, "keyCompromise")


def test_revoked_without_reason_is_unspecified() -> None:
    assert judged(CA.ocsp(LEAF.certificate, "revoked")).revocation_reason == "unspecified"


def test_hold_is_revoked_and_says_so() -> None:
    response = CA.ocsp(LEAF.certificate, "revoked", reason=x509.ReasonFlags.certificate_hold)
    assert said(response) == (REVOKED, (Reason.ON_HOLD,))


def test_non_issued_certificates_are_told_apart() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    response = CA.ocsp(LEAF.certificate, "revoked", reason=x509.ReasonFlags.certificate_hold, revoked_at=epoch)
    assert said(response) == (REVOKED, (Reason.REVOKED, Reason.NOT_ISSUED))


def test_unknown_is_unknown() -> None:
    assert said(CA.ocsp(LEAF.certificate, "unknown")) == (UNKNOWN, (Reason.RESPONDER_SAYS_UNKNOWN,))


@pytest.mark.parametrize("status", ["malformed_request", "internal_error", "try_later", "sig_required", "unauthorized"])
def test_unsigned_errors_prove_nothing(status: str) -> None:
    finding = judged(ocsp_error(status))
    assert (finding.status, finding.reasons) == (UNKNOWN, (Reason.RESPONDER_ERROR,))
    assert status in finding.evidence.detail


@pytest.mark.parametrize(
    "garbage", [b"", b"<html>", b"\x30\x03\x0a\x01\x00", CA.crl()], ids=["empty", "page", "no-response", "crl"]
)
def test_garbage_is_unreadable(garbage: bytes) -> None:
    assert said(garbage) == (UNKNOWN, (Reason.UNREADABLE,))


def test_expired() -> None:
    response = CA.ocsp(LEAF.certificate, this_update=AT - 5 * DAY, next_update=AT - DAY)
    assert said(response) == (UNKNOWN, (Reason.STALE,))


def test_not_yet_valid() -> None:
    response = CA.ocsp(LEAF.certificate, this_update=AT + HOUR)
    assert said(response) == (UNKNOWN, (Reason.FROM_THE_FUTURE,))


def test_produced_later_than_the_time_judged_for() -> None:
    assert Reason.FROM_THE_FUTURE in said(CA.ocsp(LEAF.certificate), at=AT - 30 * timedelta(minutes=1))[1]


def test_clocks_may_differ_by_the_tolerance() -> None:
    minute = timedelta(minutes=1)
    early = CA.ocsp(LEAF.certificate, this_update=AT + minute)
    late = CA.ocsp(LEAF.certificate, this_update=AT - DAY, next_update=AT - minute)
    assert said(early)[0] is GOOD and said(late)[0] is GOOD
    strict = RevocationPolicy(tolerance=timedelta(0))
    assert said(early, policy=strict)[0] is UNKNOWN and said(late, policy=strict)[0] is UNKNOWN


def test_missing_next_update_is_refused() -> None:
    assert said(CA.ocsp(LEAF.certificate, no_next_update=True)) == (UNKNOWN, (Reason.NEXT_UPDATE_MISSING,))


def test_older_than_the_policy_wants() -> None:
    response = CA.ocsp(LEAF.certificate, this_update=AT - 2 * DAY)
    assert said(response, policy=RevocationPolicy(max_age=DAY)) == (UNKNOWN, (Reason.STALE,))


def test_expired_revoked_stays_revoked() -> None:
    response = CA.ocsp(
        LEAF.certificate, "revoked", this_update=AT - 5 * DAY, next_update=AT - DAY, revoked_at=AT - 6 * DAY
    )
    assert said(response) == (REVOKED, (Reason.REVOKED, Reason.STALE))


def test_expired_hold_proves_nothing() -> None:
    response = CA.ocsp(
        LEAF.certificate,
        "revoked",
        reason=x509.ReasonFlags.certificate_hold,
        this_update=AT - 5 * DAY,
        next_update=AT - DAY,
        revoked_at=AT - 6 * DAY,
    )
    assert said(response) == (UNKNOWN, (Reason.STALE,))


def test_not_revoked_before_it_was_revoked() -> None:
    assert said(CA.ocsp(LEAF.certificate, "revoked"), at=AT - DAY)[0] is UNKNOWN


def test_other_certificate() -> None:
    assert said(CA.ocsp(CA.issue().certificate)) == (UNKNOWN, (Reason.OTHER_CERTIFICATE,))


def test_same_serial_of_another_ca_is_another_certificate() -> None:
    other = Authority.root("Other Root")
    response = CA.ocsp(LEAF.certificate, issuer=other.certificate)
    assert said(response) == (UNKNOWN, (Reason.OTHER_CERTIFICATE,))


def test_same_name_with_another_key_is_another_issuer() -> None:
    twin = Authority.root("Test Issuing CA")
    assert said(CA.ocsp(LEAF.certificate, issuer=twin.certificate)) == (UNKNOWN, (Reason.OTHER_CERTIFICATE,))


def test_forged_signature() -> None:
    response = CA.ocsp(LEAF.certificate)
    assert said(response[:-1] + bytes([response[-1] ^ 1])) == (UNKNOWN, (Reason.SIGNATURE_INVALID,))


@pytest.mark.parametrize("step", range(8))
def test_no_flipped_bit_yields_good(step: int) -> None:
    response = CA.ocsp(LEAF.certificate)
    for position in range(step, len(response), 8):
        flipped = bytearray(response)
        flipped[position] ^= 1 << step
        assert said(bytes(flipped))[0] is UNKNOWN, position


def test_delegate_without_the_purpose() -> None:
    """Any leaf of the CA could vouch otherwise."""
    signer = CA.delegate(eku=[ExtendedKeyUsageOID.SERVER_AUTH])
    assert said(CA.ocsp(LEAF.certificate, signer=signer)) == (UNKNOWN, (Reason.RESPONDER_NOT_AUTHORISED,))


def test_delegate_for_any_purpose_is_not_enough() -> None:
    signer = CA.delegate(eku=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    assert said(CA.ocsp(LEAF.certificate, signer=signer)) == (UNKNOWN, (Reason.RESPONDER_NOT_AUTHORISED,))


def test_the_certificate_cannot_vouch_for_itself() -> None:
    assert said(CA.ocsp(LEAF.certificate, signer=LEAF)) == (UNKNOWN, (Reason.RESPONDER_NOT_AUTHORISED,))


def test_delegate_of_another_ca() -> None:
    signer = Authority.root("Other Root").delegate()
    assert said(CA.ocsp(LEAF.certificate, signer=signer)) == (UNKNOWN, (Reason.RESPONDER_NOT_AUTHORISED,))


def test_delegate_of_the_root_is_not_the_issuers() -> None:
    root = Authority.root()
    issuing = root.intermediate()
    leaf = issuing.issue()
    response = issuing.ocsp(leaf.certificate, signer=root.delegate())
    reasons = said(response, leaf=leaf.certificate, issuer=issuing.certificate)[1]
    assert reasons == (Reason.RESPONDER_NOT_AUTHORISED,)


def test_delegate_whose_key_is_not_for_signatures() -> None:
    signer = CA.delegate(usage=key_usage("key_encipherment"))
    assert said(CA.ocsp(LEAF.certificate, signer=signer)) == (UNKNOWN, (Reason.RESPONDER_NOT_AUTHORISED,))


@pytest.mark.parametrize("dates", [(-9, -1), (1, 9)])
def test_delegate_outside_its_dates(dates: tuple[int, int]) -> None:
    signer = CA.delegate(not_before=AT + dates[0] * DAY, not_after=AT + dates[1] * DAY)
    assert said(CA.ocsp(LEAF.certificate, signer=signer)) == (UNKNOWN, (Reason.RESPONDER_EXPIRED,))


def test_delegate_that_is_not_sent_along() -> None:
    response = CA.ocsp(LEAF.certificate, signer=CA.delegate(), include_signer=False)
    assert said(response) == (UNKNOWN, (Reason.RESPONDER_NOT_AUTHORISED,))


def test_delegate_whose_name_is_used_by_another_key() -> None:
    response = CA.ocsp(LEAF.certificate, signer=CA.delegate(), send_along=CA.delegate(), by_name=True)
    assert said(response) == (UNKNOWN, (Reason.SIGNATURE_INVALID,))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (GOOD, (GOOD, ())),
        (REVOKED, (UNKNOWN, (Reason.RESPONDER_REVOKED,))),
        (UNKNOWN, (UNKNOWN, (Reason.RESPONDER_STATUS_UNKNOWN,))),
    ],
)
def test_delegate_without_nocheck_needs_a_status_of_its_own(status: RevocationStatus, expected: object) -> None:
    response = CA.ocsp(LEAF.certificate, signer=CA.delegate(nocheck=False))
    assert said(response, delegate_status=lambda _delegate: status) == expected


def test_unknown_critical_extension_of_the_response() -> None:
    assert said(CA.ocsp(LEAF.certificate, extra=[(ODD, True)])) == (UNKNOWN, (Reason.CRITICAL_EXTENSION,))
    assert said(CA.ocsp(LEAF.certificate, extra=[(ODD, False)])) == (GOOD, ())


@pytest.mark.parametrize("status", ["malformed_request", "internal_error", "try_later", "sig_required", "unauthorized"])
def test_the_error_of_a_response(status: str) -> None:
    assert judge.error_status(ocsp_error(status)) == status


@pytest.mark.parametrize("response", [CA.ocsp(LEAF.certificate), b"", b"<html>"], ids=["good", "empty", "page"])
def test_no_error_but_a_response_or_garbage(response: bytes) -> None:
    assert judge.error_status(response) is None


@pytest.mark.parametrize(
    "response",
    [
        CA.ocsp(LEAF.certificate),
        CA.ocsp(LEAF.certificate, signer=LEAF),
        ocsp_error("unauthorized"),
        b"garbage",
        bytes((1 << 20) + 1),
    ],
    ids=["good", "refused", "error", "unreadable", "too-large"],
)
def test_the_bytes_are_identified_whatever_they_are(response: bytes) -> None:
    evidence = judged(response).evidence
    assert (evidence.sha256, evidence.size) == (hashlib.sha256(response).hexdigest(), len(response))
    assert (evidence.source.method, evidence.source.url) == ("GET", "http://ocsp.test/")


def test_the_signer_is_named() -> None:
    assert judged(CA.ocsp(LEAF.certificate, signer=CA.delegate())).evidence.signer == "CN=Test OCSP,O=certops tests"


def test_archive_cutoff_is_shown() -> None:
    """RFC 6960 4.4.4: since when the responder keeps what it knows of expired certificates."""
    world, cutoff = hierarchy(), der_writer.generalized_time(VECTOR_AT - 365 * DAY)
    archive = der_writer.extension("1.3.6.1.5.5.7.48.1.6", cutoff)
    finding = judged(
        world.response(extensions=(archive,)),
        leaf=world.leaf.certificate,
        issuer=world.ca.certificate,
        at=VECTOR_AT,
    )
    assert finding.evidence.archive_cutoff == VECTOR_AT - 365 * DAY
    assert finding.evidence.produced_at == VECTOR_AT - HOUR


def test_a_faulty_answer_says_what_is_wrong_with_it() -> None:
    detail = judged(CA.ocsp(LEAF.certificate, no_next_update=True, extra=[(ODD, True)])).evidence.detail
    assert detail == (
        "the responder says good, but it does not say until when (no nextUpdate) "
        "and it has a critical extension unknown here"
    )


def test_missing_nonce_is_noted() -> None:
    finding = judged(CA.ocsp(LEAF.certificate), nonce=b"n" * 32)
    assert finding.status is GOOD and "does not repeat the nonce" in finding.evidence.detail


def test_repeated_nonce_is_nothing_to_talk_about() -> None:
    finding = judged(CA.ocsp(LEAF.certificate, extra=[(x509.OCSPNonce(b"n" * 32), False)]), nonce=b"n" * 32)
    assert (finding.status, finding.evidence.detail) == (GOOD, "the responder says good")


def test_another_nonce_is_refused() -> None:
    response = CA.ocsp(LEAF.certificate, extra=[(x509.OCSPNonce(b"m" * 32), False)])
    assert said(response, nonce=b"n" * 32) == (UNKNOWN, (Reason.NONCE_MISMATCH,))


@pytest.mark.parametrize("salt", [0, 20, 32])
@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_rsa_pss(salt: int, algorithm: Any) -> None:
    ca = Authority.root("RSA Root", key=make_key("rsa"))
    leaf = ca.issue()
    pkcs1 = CA.ocsp(leaf.certificate, issuer=ca.certificate, signer=Issued(ca.certificate, ca.key))
    identifier = x509.load_der_x509_csr(
        der(
            x509.CertificateSigningRequestBuilder(subject_name=ca.subject).sign(
                ca.key, algorithm, rsa_padding=padding.PSS(padding.MGF1(algorithm), salt)
            )
        )
    )
    scheme = padding.PSS(padding.MGF1(algorithm), salt)
    parameters = outline.sequence(der(identifier))[1].raw
    response = resigned(pkcs1, bytes(parameters), lambda data: bytes(ca.key.sign(data, scheme, algorithm)))
    assert said(response, leaf=leaf.certificate, issuer=ca.certificate) == (GOOD, ())
    assert said(forged(response), leaf=leaf.certificate, issuer=ca.certificate)[1] == (Reason.SIGNATURE_INVALID,)


def test_a_forger_cannot_make_us_ask_for_the_status_of_a_delegate() -> None:
    """Asking costs requests, so the signature is checked before."""
    asked: list[x509.Certificate] = []

    def status(delegate: x509.Certificate) -> RevocationStatus:
        asked.append(delegate)
        return GOOD

    response = CA.ocsp(LEAF.certificate, signer=CA.delegate(nocheck=False))
    assert said(forged(response), delegate_status=status)[0] is UNKNOWN and asked == []
    assert said(response, delegate_status=status)[0] is GOOD and len(asked) == 1


def test_a_delegate_certified_with_sha1_is_weak() -> None:
    """The CA's own signature on the delegate's certificate counts as much as that on the response."""
    signer = CA.delegate()
    parts = outline.sequence(der(signer.certificate))
    tbs = parts[0].children()
    tbs[2] = outline.read(memoryview(der_writer.signature_algorithm(CA.key, hashes.SHA1())))[0]
    weak = der_writer.signed(der_writer.sequence(*(bytes(each.raw) for each in tbs)), CA.key, hashes.SHA1())
    response = CA.ocsp(
        LEAF.certificate, signer=signer, send_along=Issued(x509.load_der_x509_certificate(weak), signer.key)
    )
    assert said(response) == (UNKNOWN, (Reason.SIGNATURE_WEAK,))


def test_work_is_bounded_whatever_the_response_carries() -> None:
    """Thousands of certificates of the responder's name: only the first few cost signature checks."""
    fake = Authority.root("Test OCSP").delegate("Test OCSP").certificate
    response = ocsp_response(
        [hierarchy().single()], key=make_key(), responder=fake, certificates=[fake] * 1500, by_name=True
    )
    world = hierarchy()
    started = time.monotonic()
    reasons = said(response, leaf=world.leaf.certificate, issuer=world.ca.certificate, at=VECTOR_AT)[1]
    assert reasons == (Reason.RESPONDER_NOT_AUTHORISED,)
    assert time.monotonic() - started < 1  # the library alone takes longer to decode them all


def test_nonce_that_nobody_asked_for_is_ignored() -> None:
    assert said(CA.ocsp(LEAF.certificate, extra=[(x509.OCSPNonce(b"n" * 32), False)])) == (GOOD, ())


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_request_is_one_unsigned_question_without_extensions(algorithm: str) -> None:
    asked = ocsp.load_der_ocsp_request(ocsp_request.build_request(LEAF.certificate, CA.certificate, algorithm))
    assert (asked.serial_number, asked.hash_algorithm.name) == (LEAF.serial, algorithm)
    assert len(asked.extensions) == 0


def test_request_with_a_nonce_has_nothing_else() -> None:
    asked = ocsp.load_der_ocsp_request(ocsp_request.build_request(LEAF.certificate, CA.certificate, nonce=b"n" * 32))
    assert [each.value for each in asked.extensions] == [x509.OCSPNonce(b"n" * 32)]


def test_get_url_is_appended_and_escaped() -> None:
    request = ocsp_request.build_request(LEAF.certificate, CA.certificate, "sha1")
    url = ocsp_request.get_url("http://ocsp.test/ca/", request)
    assert url is not None and url.startswith("http://ocsp.test/ca/M") and "+" not in url and "=" not in url
    path = url[len("http://ocsp.test/ca/") :]
    assert "/" not in path and base64.b64decode(urllib.parse.unquote(path)) == request


def test_url_of_more_than_255_bytes_means_post() -> None:
    request = b"x" * 150
    longest = "http://ocsp.test/" + "a" * (255 - len("http://ocsp.test/") - 1 - len(base64.b64encode(request)))
    assert len(ocsp_request.get_url(longest, request) or "") == 255
    assert ocsp_request.get_url(longest + "a", request) is None
