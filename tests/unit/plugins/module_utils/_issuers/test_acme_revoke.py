# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of an ACME server's refusals to revoke, and which reasons are sent at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_errors import PREFIX, refusal
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_revoke import (
    REASON_CODES,
    USUAL_REASONS,
    accepted_reasons,
    explained,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import REVOCATION_REASONS
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, utc_now

ROOT = Authority.root("A Public CA")
VALID = ROOT.issue(["a.example.org"]).certificate
EXPIRED = ROOT.issue(["a.example.org"], not_before=utc_now() - 9 * DAY, not_after=utc_now() - DAY).certificate


def refused(kind: str, status: int = 403) -> RotationError:
    return refusal(
        {"type": PREFIX + kind, "detail": "Certificate is expired"}, url="https://ca.test/revoke", status=status
    )


def test_expired_certificate_is_told_from_one_that_may_not_be_revoked() -> None:
    error = explained(refused("unauthorized"), EXPIRED)
    assert error.code == "certificate_expired" and "Nothing is left to do" in error.remedy
    assert EXPIRED.not_valid_after_utc.strftime("%Y-%m-%d") in error.message
    assert int(error.facts["serial"], 16) == EXPIRED.serial_number


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("unauthorized", "acme_unauthorized", "authorize"),
        ("malformed", "acme_malformed", "revoke it at that CA"),
        ("somethingNew", "acme_refused", "revoke it at that CA"),
        ("badRevocationReason", "acme_bad_revocation_reason", "reason"),
        ("badSignatureAlgorithm", "acme_bad_signature_algorithm", ""),
        ("rateLimited", "acme_rate_limited", "Wait"),
        ("serverInternal", "acme_server_internal", "later"),
    ],
)
def test_refusals_keep_their_code_and_name_certificate_and_issuer(kind: str, code: str, said: str) -> None:
    error = explained(refused(kind), VALID)
    assert error.code == code and said in error.remedy
    assert "A Public CA" in error.message and error.facts["type"] == PREFIX + kind


def test_what_the_network_does_is_no_refusal() -> None:
    error = RotationError("acme_unreachable", "nobody is there", url="https://ca.test/")
    assert explained(error, EXPIRED) is error


def test_usual_reasons_are_those_that_lets_encrypt_takes() -> None:
    assert {REASON_CODES[one] for one in accepted_reasons(())} == {0, 1, 4, 5}
    assert accepted_reasons(["superseded"]) == {"superseded"} and accepted_reasons(()) == USUAL_REASONS
    assert set(REASON_CODES) == REVOCATION_REASONS
    with pytest.raises(RotationError) as unknown:
        accepted_reasons(["superseded", "boredom", "certificateHold"])
    assert unknown.value.code == "issuer_invalid" and "boredom" in unknown.value.message


def test_moments_are_compared_as_such() -> None:
    soon = ROOT.issue(["a.example.org"], not_after=utc_now() + timedelta(minutes=5)).certificate
    assert explained(refused("unauthorized"), soon).code == "acme_unauthorized"
