# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 8659: which CA may issue, as far as it can be told from outside."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.caa import CaaRecord, forbidding, is_public

OURS = ["ca.example", "ca.test"]


def records(*written: str) -> list[CaaRecord]:
    """``issue ca.example``, with ``!`` in front where it is critical."""
    return [CaaRecord(128 if one[0] == "!" else 0, *one.lstrip("!").split(" ", 1)) for one in written]


@pytest.mark.parametrize(
    ("written", "is_wildcard", "allowed"),
    [
        ([], False, True),
        (["iodef mailto:a@b"], False, True),
        (["issue ca.example"], False, True),
        (["issue CA.Example. ; accounturi=x"], False, True),
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
    assert (forbidding(records(*written), OURS, is_wildcard=is_wildcard) is None) is allowed


def test_who_is_allowed_instead_is_said() -> None:
    assert forbidding(records("issue other.example"), OURS, is_wildcard=False) == "CAA allows only other.example"
    assert forbidding(records("issue ;"), OURS, is_wildcard=False) == "CAA allows only nobody"


@pytest.mark.parametrize(
    ("name", "public"),
    [("shop.example.org", True), ("*.example.org", True), ("shop", False), ("a.internal", False), ("a.test.", False)],
)
def test_only_public_names_are_looked_up(name: str, public: bool) -> None:
    assert is_public(name) is public
