# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 8659, RFC 8657: which CA may issue for whom and how, as far as it can be told from outside."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.caa import (
    Applicant,
    CaaRecord,
    forbidding,
    is_public,
)

ACCOUNT = "https://ca.example/acct/1"
US = Applicant(["ca.example", "ca.test"], ACCOUNT, "http-01")


def records(*written: str) -> list[CaaRecord]:
    """``issue ca.example``, with ``!`` in front where it is critical."""
    return [CaaRecord(128 if one[0] == "!" else 0, *one.lstrip("!").split(" ", 1)) for one in written]


@pytest.mark.parametrize(
    ("written", "is_wildcard", "allowed"),
    [
        ([], False, True),
        (["iodef mailto:a@b"], False, True),
        (["issue ca.example"], False, True),
        (["issue CA.Example. ; "], False, True),
        (["issue other.example"], False, False),
        (["issue other.example", "issue ca.test"], False, True),
        (["issue ;"], False, False),
        (["issuewild ;"], False, True),
        (["issuewild ;"], True, False),
        (["issue other.example", "issuewild ca.example"], True, True),
        (["issue ca.example"], True, True),
        (["issue ca.example", "!tbs unknown"], False, False),
        (["issue ca.example", "tbs unknown"], False, True),
    ],
)
def test_what_records_allow(written: list[str], is_wildcard: bool, allowed: bool) -> None:
    assert (forbidding(records(*written), US, is_wildcard=is_wildcard) is None) is allowed


def test_who_is_allowed_instead_is_said() -> None:
    assert forbidding(records("issue other.example"), US, is_wildcard=False) == (
        "CAA allows only other.example, and this CA is ca.example, ca.test"
    )
    assert forbidding(records("issue ;"), US, is_wildcard=False) == (
        "CAA allows only nobody, and this CA is ca.example, ca.test"
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ([f"ca.example; accounturi={ACCOUNT}"], None),
        ([f"ca.example;AccountURI = {ACCOUNT} ; policy=x"], None),
        (["ca.example; accounturi=https://ca.example/acct/2"], "only for the account https://ca.example/acct/2"),
        # An account's address is compared as it is written.
        ([f"ca.example; accounturi={ACCOUNT.upper()}"], "only for the account"),
        ([f"ca.example; accounturi={ACCOUNT}; accounturi={ACCOUNT}"], "twice"),
        (["ca.example; validationmethods=dns-01,HTTP-01"], None),
        (
            ["ca.example; validationmethods=dns-01, ca-special"],
            "only by dns-01, ca-special, and http-01 is tried first",
        ),
        (["ca.example; validationmethods=http-01; validationmethods=dns-01"], "twice"),
        ([f"ca.example; accounturi={ACCOUNT}; validationmethods=dns-01"], "only by dns-01"),
        (["ca.example; what is this"], "malformed"),
        (["ca.example; =x"], "malformed"),
        # One that allows it is enough, and what is said to others does not matter.
        (["ca.example; validationmethods=dns-01", "ca.test"], None),
        (["other.example; validationmethods=dns-01", "ca.test; validationmethods=http-01"], None),
        (["ca.example; validationmethods=dns-01", "other.example"], "only by dns-01"),
        ([f"; accounturi={ACCOUNT}"], "only nobody"),
    ],
)
def test_one_account_and_some_ways_of_validation_may_be_all_that_is_allowed(
    written: list[str], said: str | None
) -> None:
    found = forbidding(records(*(f"issue {one}" for one in written)), US, is_wildcard=False)
    assert (found is None) if said is None else (found is not None and said in found)


def test_what_is_not_known_of_the_applicant_forbids_nothing() -> None:
    written = records("issue ca.example; accounturi=https://x.example/1; validationmethods=dns-01")
    assert forbidding(written, Applicant(["ca.example"]), is_wildcard=False) is None


@pytest.mark.parametrize(
    ("name", "public"),
    [("shop.example.org", True), ("*.example.org", True), ("shop", False), ("a.internal", False), ("a.test.", False)],
)
def test_only_public_names_are_looked_up(name: str, public: bool) -> None:
    assert is_public(name) is public
