# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several CRLs about one certificate: what the evidence shows, and what numbers seen before mean.

The rules themselves are vectors: tests/conformance/vectors/crl_*.py.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.crl import VerifiedCrl, verify_crl
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_judgement import (
    CrlJudge,
    SourcedCrl,
    judge_crl,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    SourceKind,
)
from ansible_collections.certops.rotation.tests.support.pki import Authority, issuing_point
from cryptography import x509

CA = Authority.root()
LEAF = CA.issue(crl_urls=["http://crl.test/1.crl"])
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
FIRST = frozenset({x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise})
REST = frozenset(
    flag for flag in x509.ReasonFlags if flag.value not in ("unspecified", "removeFromCRL") and flag not in FIRST
)


def crl(*args: Any, **wanted: Any) -> VerifiedCrl:
    return verify_crl(CA.crl(*args, **wanted), issuer=CA.certificate)


def delta(*args: Any, base: int = 1, **wanted: Any) -> VerifiedCrl:
    return crl(*args, extra=[(x509.DeltaCRLIndicator(base), True)], **wanted)


def sourced(one: VerifiedCrl, name: str = "file", **wanted: Any) -> SourcedCrl:
    return SourcedCrl(one, Source(SourceKind.CRL, name), **wanted)


def judged(one: VerifiedCrl, **wanted: Any) -> Finding:
    policy, source = RevocationPolicy(), Source(SourceKind.CRL)
    return judge_crl(one, certificate=LEAF.certificate, at=CA.at, policy=policy, source=source, **wanted)


def test_partial_coverage_is_shown_by_each() -> None:
    judge = CrlJudge(LEAF.certificate, CA.at, RevocationPolicy())
    one = judge.finding(sourced(crl(point=issuing_point(only_some_reasons=FIRST))))
    other = judge.finding(sourced(crl(point=issuing_point(only_some_reasons=REST))))
    assert (one.status, one.reasons) == (UNKNOWN, (Reason.PARTIAL_REASONS,))
    assert one.evidence.reasons_covered == ("cACompromise", "keyCompromise")
    assert (other.status, other.reasons) == (GOOD, ())
    assert other.evidence.reasons_covered is not None and len(other.evidence.reasons_covered) == 6


def test_a_full_crl_shows_no_coverage() -> None:
    assert judged(crl()).evidence.reasons_covered is None


def test_the_delta_is_in_the_evidence() -> None:
    newer = delta([LEAF.serial], number=2)
    finding = judged(crl(), deltas=[sourced(newer, "delta.crl")])
    assert finding.status is REVOKED
    shown = finding.evidence.delta
    assert shown is not None
    assert (shown.source.url, shown.crl_number, shown.sha256) == ("delta.crl", 2, newer.claims.sha256)
    assert finding.evidence.crl_number == 1


def test_a_number_that_went_back_is_never_good() -> None:
    finding = judged(crl(number=4), seen_number=5)
    assert (finding.status, finding.reasons) == (UNKNOWN, (Reason.CRL_NUMBER_WENT_BACK,))
    assert judged(crl(number=5), seen_number=5).status is GOOD
    assert judged(crl(number=6), seen_number=5).status is GOOD
    assert judged(crl(number=None), seen_number=None).status is GOOD


def test_revoked_in_a_crl_whose_number_went_back_stays_revoked() -> None:
    finding = judged(crl([LEAF.serial], number=4), seen_number=5)
    assert (finding.status, finding.reasons) == (REVOKED, (Reason.REVOKED, Reason.CRL_NUMBER_WENT_BACK))


def test_a_hold_in_a_crl_whose_number_went_back_proves_nothing() -> None:
    hold = {LEAF.serial: x509.ReasonFlags.certificate_hold}
    assert judged(crl(hold, number=4), seen_number=5).status is UNKNOWN


def test_a_delta_whose_number_went_back_lifts_nothing() -> None:
    base = crl({LEAF.serial: x509.ReasonFlags.certificate_hold})
    lifted = delta({LEAF.serial: x509.ReasonFlags.remove_from_crl}, number=2)
    assert judged(base, deltas=[sourced(lifted)]).status is GOOD
    assert judged(base, deltas=[sourced(lifted, seen_number=3)]).reasons == (Reason.ON_HOLD,)


def test_streams_of_numbers_differ_by_scope_key_and_kind() -> None:
    renewed = verify_crl((other := Authority.root()).crl(), issuer=other.certificate)
    kinds = [crl(), crl(point=issuing_point("http://crl.test/2.crl")), delta(number=2), renewed]
    assert len({one.stream for one in kinds}) == 4
    assert crl(number=8).stream == crl([1], number=9).stream


def test_what_remains_of_deltas() -> None:
    judge = CrlJudge(LEAF.certificate, CA.at, RevocationPolicy())
    base, hold = sourced(crl(number=3)), {LEAF.serial: x509.ReasonFlags.certificate_hold}
    assert judge.remaining([sourced(delta(hold, number=2))], [base]) == []
    assert [one.reasons for one in judge.remaining([sourced(delta(hold, number=5, base=4))], [base])] == [
        (Reason.ON_HOLD,)
    ]
    assert [one.reasons for one in judge.remaining([sourced(delta(number=2))], [])] == [(Reason.BASE_MISSING,)]
