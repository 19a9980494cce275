# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From findings to a verdict. The rules in full are vectors: tests/conformance/vectors/merge_sources.py."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.conclude import conclude, conclude_chain
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Evidence,
    Finding,
    Note,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    SourceKind,
    Verdict,
)
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, Authority

GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
POLICY = RevocationPolicy()
ROOT = Authority.root()
LEAF = ROOT.issue().certificate
AT = ROOT.at


def finding(status: RevocationStatus, *reasons: Reason, made: datetime = AT, **facts: Any) -> Finding:
    return Finding(Evidence("01", Source(SourceKind.CRL), status, reasons, this_update=made), **facts)


def revoked(since: datetime, why: str = "unspecified", *reasons: Reason) -> Finding:
    return finding(REVOKED, *(reasons or (Reason.REVOKED,)), revoked_at=since, revocation_reason=why)


def verdict_of(*findings: Finding) -> Verdict:
    return conclude(findings, certificate=LEAF, at=AT, policy=POLICY)


def test_revoked_wins_in_any_order() -> None:
    findings = [finding(GOOD), revoked(AT - HOUR), finding(UNKNOWN, Reason.STALE)]
    assert {verdict_of(*order).status for order in itertools.permutations(findings)} == {REVOKED}


def test_of_several_revocations_the_earliest_time_and_the_gravest_reason_are_told() -> None:
    findings = [revoked(AT - HOUR, "keyCompromise"), revoked(AT - DAY), revoked(AT - HOUR, "superseded")]
    for order in itertools.permutations(findings):
        verdict = verdict_of(*order)
        assert (verdict.revoked_at, verdict.revocation_reason) == (AT - DAY, "keyCompromise")


def test_a_hold_is_told_only_where_nothing_is_final() -> None:
    hold = revoked(AT - DAY, "certificateHold", Reason.ON_HOLD)
    assert verdict_of(hold).reasons == (Reason.ON_HOLD,)
    both = verdict_of(hold, revoked(AT - HOUR, "superseded"))
    assert (both.reasons, both.revoked_at) == ((Reason.REVOKED,), AT - HOUR)


def test_a_good_answer_older_than_the_revocation_only_lags() -> None:
    since = AT - HOUR
    older, newer = finding(GOOD, made=since), finding(GOOD, made=since + HOUR / 2)
    assert verdict_of(older, revoked(since)).notes == (Note.PROPAGATION,)
    assert verdict_of(newer, revoked(since)).notes == (Note.SOURCES_DISAGREE,)
    assert set(verdict_of(newer, older, revoked(since)).notes) == set(Note)
    assert verdict_of(older, newer).notes == ()


def test_a_responder_that_does_not_know_a_good_certificate_is_noted() -> None:
    verdict = verdict_of(finding(UNKNOWN, Reason.RESPONDER_SAYS_UNKNOWN), finding(GOOD))
    assert (verdict.status, verdict.notes) == (GOOD, (Note.SOURCES_DISAGREE,))


def test_notes_about_an_issuer_reach_the_verdict_of_the_chain() -> None:
    own, issuer = verdict_of(finding(GOOD)), verdict_of(finding(GOOD, made=AT - DAY), revoked(AT - HOUR))
    verdict = conclude_chain(own, [issuer], policy=POLICY)
    assert (verdict.status, verdict.reasons) == (REVOKED, (Reason.ISSUER_REVOKED,))
    assert verdict.notes == (Note.PROPAGATION,)
