# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CRL is worth, and what the answers of several sources make together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.crl import verify_crl
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_judgement import judge_crl
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    SourceKind,
)
from ansible_collections.certops.rotation.tests.support.pki import (
    DAY,
    HOUR,
    Authority,
    Issued,
    crl_points,
    issuing_point,
    key_usage,
    make_key,
)
from cryptography import x509
from cryptography.hazmat.primitives import serialization

URL = "http://crl.test/1.crl"
ROOT = Authority.root()
CA = ROOT.intermediate()
LEAF = CA.issue(crl_urls=[URL, "http://mirror.test/1.crl"])
AT = CA.at
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
ODD = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")


def judged(
    crl: bytes, certificate: x509.Certificate = LEAF.certificate, issuer: Authority = CA, **wanted: Any
) -> Finding:
    arguments: dict[str, Any] = {"at": AT, "policy": RevocationPolicy(), "source": Source(SourceKind.CRL, URL, "GET")}
    verified = verify_crl(crl, issuer=issuer.certificate)
    return judge_crl(verified, certificate=certificate, **{**arguments, **wanted})


def said(crl: bytes, *args: Any, **wanted: Any) -> tuple[RevocationStatus, tuple[Reason, ...]]:
    finding = judged(crl, *args, **wanted)
    return finding.status, finding.reasons


def refused(crl: bytes, issuer: Authority = CA) -> str:
    with pytest.raises(RotationError) as caught:
        verify_crl(crl, issuer=issuer.certificate)
    return Reason(caught.value.code).value


def test_absent_from_a_full_crl_is_good() -> None:
    finding = judged(CA.crl([1, 2, 3], number=7))
    assert (finding.status, finding.reasons) == (GOOD, ())
    evidence = finding.evidence
    assert (evidence.crl_number, evidence.this_update, evidence.next_update) == (7, AT - HOUR, AT + 7 * DAY)


def test_pem_is_read_too() -> None:
    crl = x509.load_der_x509_crl(CA.crl()).public_bytes(serialization.Encoding.PEM)
    assert said(crl) == (GOOD, ())


def test_listed_is_revoked_with_all_that_the_entry_says() -> None:
    invalid_since = AT - 9 * DAY
    crl = CA.crl(
        {LEAF.serial: x509.ReasonFlags.key_compromise},
        entry_extra=[(x509.InvalidityDate(invalid_since.replace(tzinfo=None)), False)],
    )
    finding = judged(crl)
    assert (finding.status, finding.reasons) == (REVOKED, (Reason.REVOKED,))
    assert (finding.revoked_at, finding.revocation_reason) == (AT - 2 * HOUR, "keyCompromise")
    assert finding.invalidity_date == invalid_since


def test_listed_without_reason_is_unspecified() -> None:
    assert judged(CA.crl([LEAF.serial])).revocation_reason == "unspecified"


def test_hold_is_revoked_and_says_so() -> None:
    assert said(CA.crl({LEAF.serial: x509.ReasonFlags.certificate_hold})) == (REVOKED, (Reason.ON_HOLD,))


def test_one_crl_judges_many_certificates() -> None:
    revoked = [CA.issue() for _time in range(5)]
    crl = verify_crl(CA.crl([one.serial for one in revoked]), issuer=CA.certificate)
    source = Source(SourceKind.CRL)
    for one, expected in [*((one, REVOKED) for one in revoked), (LEAF, GOOD)]:
        finding = judge_crl(crl, certificate=one.certificate, at=AT, policy=RevocationPolicy(), source=source)
        assert finding.status is expected


@pytest.mark.parametrize(
    "garbage", [b"", b"<html>", b"\x30\x00", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----"]
)
def test_garbage_is_unreadable(garbage: bytes) -> None:
    assert refused(garbage) == "unreadable"


def test_crl_of_another_ca() -> None:
    assert refused(Authority.root("Other Root").crl()) == "issuer_mismatch"


def test_crl_of_a_twin_with_another_key() -> None:
    twin = ROOT.intermediate()
    assert refused(twin.crl()) == "issuer_mismatch"
    assert refused(twin.crl(aki=False)) == "signature_invalid"


def test_crl_without_aki_is_enough_when_the_signature_holds() -> None:
    assert said(CA.crl(aki=False)) == (GOOD, ())


def test_forged_crl() -> None:
    crl = CA.crl()
    assert refused(crl[:-1] + bytes([crl[-1] ^ 1])) == "signature_invalid"
    assert refused(CA.crl(key=make_key())) == "signature_invalid"


def test_ca_that_may_not_sign_crls() -> None:
    silent = ROOT.intermediate(usage=key_usage("key_cert_sign"))
    assert refused(silent.crl(), silent) == "signer_not_authorised"


def test_rsa_signature() -> None:
    rsa = Authority.root(key=make_key("rsa"))
    assert said(rsa.crl(), rsa.issue().certificate, rsa) == (GOOD, ())


def test_expired() -> None:
    assert said(CA.crl(this_update=AT - 9 * DAY, next_update=AT - DAY)) == (UNKNOWN, (Reason.STALE,))


def test_not_yet_valid() -> None:
    assert said(CA.crl(this_update=AT + HOUR)) == (UNKNOWN, (Reason.FROM_THE_FUTURE,))


def test_older_than_the_policy_wants() -> None:
    policy = RevocationPolicy(max_age=DAY)
    assert said(CA.crl(this_update=AT - 2 * DAY), policy=policy) == (UNKNOWN, (Reason.STALE,))


def test_clocks_may_differ_by_the_tolerance() -> None:
    assert said(CA.crl(this_update=AT + timedelta(minutes=1)))[0] is GOOD


def test_revoked_in_an_expired_crl_stays_revoked() -> None:
    crl = CA.crl([LEAF.serial], this_update=AT - 9 * DAY, next_update=AT - DAY, revoked_at=AT - 10 * DAY)
    assert said(crl) == (REVOKED, (Reason.REVOKED, Reason.STALE))


def test_hold_in_an_expired_crl_proves_nothing() -> None:
    crl = CA.crl({LEAF.serial: x509.ReasonFlags.certificate_hold}, this_update=AT - 9 * DAY, next_update=AT - DAY)
    assert said(crl) == (UNKNOWN, (Reason.STALE,))


def test_scope_of_the_certificates_own_point() -> None:
    assert said(CA.crl(point=issuing_point(URL, only_contains_user_certs=True))) == (GOOD, ())


def test_other_shard_proves_nothing() -> None:
    """Otherwise anyone on the way could answer with a shard in which the certificate is never found."""
    assert said(CA.crl(point=issuing_point("http://crl.test/2.crl"))) == (UNKNOWN, (Reason.SCOPE_MISMATCH,))


def test_revoked_in_another_shard_is_revoked_all_the_same() -> None:
    crl = CA.crl([LEAF.serial], point=issuing_point("http://crl.test/2.crl"))
    assert said(crl)[0] is REVOKED


def test_shard_for_a_certificate_without_any_point() -> None:
    crl = CA.crl(point=issuing_point(URL))
    assert said(crl, CA.issue().certificate) == (UNKNOWN, (Reason.SCOPE_MISMATCH,))


def test_crl_for_cas_only_says_nothing_about_a_leaf() -> None:
    crl = CA.crl(point=issuing_point(only_contains_ca_certs=True))
    assert said(crl) == (UNKNOWN, (Reason.SCOPE_MISMATCH,))


def test_crl_for_leaves_only_says_nothing_about_a_ca() -> None:
    crl = ROOT.crl(point=issuing_point(only_contains_user_certs=True))
    assert said(crl, CA.certificate, ROOT) == (UNKNOWN, (Reason.SCOPE_MISMATCH,))


def test_crl_for_attribute_certificates_says_nothing() -> None:
    crl = CA.crl(point=issuing_point(only_contains_attribute_certs=True))
    assert said(crl) == (UNKNOWN, (Reason.SCOPE_MISMATCH,))


def test_some_reasons_only_is_never_good() -> None:
    some = frozenset({x509.ReasonFlags.key_compromise})
    point = issuing_point(URL, only_some_reasons=some)
    assert said(CA.crl(point=point)) == (UNKNOWN, (Reason.PARTIAL_REASONS,))
    assert said(CA.crl([LEAF.serial], point=point))[0] is REVOKED


def test_point_for_some_reasons_only_is_never_good() -> None:
    name = x509.UniformResourceIdentifier(URL)
    some = frozenset({x509.ReasonFlags.key_compromise})
    points = x509.CRLDistributionPoints([x509.DistributionPoint([name], None, some, None)])
    leaf = CA.issue(extra=[(points, False)])
    assert said(CA.crl(point=issuing_point(URL)), leaf.certificate) == (UNKNOWN, (Reason.PARTIAL_REASONS,))
    assert said(CA.crl(), leaf.certificate) == (UNKNOWN, (Reason.PARTIAL_REASONS,))


def test_delta_crl_without_its_base_is_never_good() -> None:
    extra = [(x509.DeltaCRLIndicator(1), True)]
    assert said(CA.crl(extra=extra)) == (UNKNOWN, (Reason.BASE_MISSING,))
    assert said(CA.crl([LEAF.serial], extra=extra))[0] is REVOKED


def test_entry_that_lifts_a_hold_is_not_revoked() -> None:
    crl = CA.crl({LEAF.serial: x509.ReasonFlags.remove_from_crl}, extra=[(x509.DeltaCRLIndicator(1), True)])
    assert said(crl) == (UNKNOWN, (Reason.BASE_MISSING,))
    misplaced = CA.crl({LEAF.serial: x509.ReasonFlags.remove_from_crl})
    assert said(misplaced) == (UNKNOWN, (Reason.MISPLACED_ENTRY,))


def test_indirect_crl_of_the_issuer_itself_is_as_good_as_a_direct_one() -> None:
    point = issuing_point(URL, indirect_crl=True)
    assert said(CA.crl(point=point)) == (GOOD, ())
    assert said(CA.crl([LEAF.serial], point=point)) == (REVOKED, (Reason.REVOKED,))


def test_indirect_crl_of_whom_the_certificate_does_not_name_says_nothing() -> None:
    point = issuing_point(URL, indirect_crl=True)
    crl = ROOT.crl(point=point)
    assert said(crl, LEAF.certificate, ROOT) == (UNKNOWN, (Reason.ISSUER_MISMATCH,))


def test_unknown_critical_extension_keeps_good_away_but_not_revoked() -> None:
    assert said(CA.crl(extra=[(ODD, True)])) == (UNKNOWN, (Reason.CRITICAL_EXTENSION,))
    assert said(CA.crl(extra=[(ODD, False)])) == (GOOD, ())
    assert said(CA.crl([LEAF.serial], extra=[(ODD, True)]))[0] is REVOKED


def test_unknown_critical_extension_of_any_entry_spoils_the_crl() -> None:
    """RFC 5280 5.3: it may change whom the entries after it are about."""
    assert said(CA.crl([1], entry_extra=[(ODD, True)])) == (UNKNOWN, (Reason.CRITICAL_EXTENSION,))
    assert said(CA.crl([LEAF.serial], entry_extra=[(ODD, True)])) == (UNKNOWN, (Reason.CRITICAL_EXTENSION,))
    assert said(CA.crl([1], entry_extra=[(ODD, False)])) == (GOOD, ())


def test_bytes_that_only_look_like_a_critical_extension_do_no_harm() -> None:
    assert said(CA.crl([0x0101FF0101FF])) == (GOOD, ())


def test_large_crl_is_indexed() -> None:
    builder = x509.CertificateRevocationListBuilder().issuer_name(CA.subject).last_update(AT).next_update(AT + DAY)
    entry = x509.RevokedCertificateBuilder().revocation_date(AT)
    serials = [*range(10**30, 10**30 + 20_000), LEAF.serial]
    builder._revoked_certificates = [entry.serial_number(serial).build() for serial in serials]  # adding is quadratic
    from cryptography.hazmat.primitives import hashes

    crl = verify_crl(
        builder.sign(CA.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER), issuer=CA.certificate
    )
    assert len(crl) == 20_001
    assert len(crl.entries(LEAF.serial, CA.subject)) == 1 and not crl.entries(5, CA.subject)


@pytest.mark.parametrize("step", range(8))
def test_no_flipped_bit_yields_good(step: int) -> None:
    crl = CA.crl([1])
    for position in range(step, len(crl), 8):
        flipped = bytearray(crl)
        flipped[position] ^= 1 << step
        with pytest.raises(RotationError):
            verify_crl(bytes(flipped), issuer=CA.certificate)


def test_points_of_the_certificate_are_read() -> None:
    leaf: Issued = CA.issue(extra=[(crl_points([URL]), True)])
    assert said(CA.crl(point=issuing_point(URL)), leaf.certificate) == (GOOD, ())
