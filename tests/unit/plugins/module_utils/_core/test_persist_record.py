# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of dns-persist-01: which one lets an account order for a name."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.persist_record import (
    authorizes,
    record_name,
    record_value,
)

AT = datetime(2026, 11, 21, tzinfo=timezone.utc)
URI = "https://ca.example/acct/1"


@pytest.mark.parametrize(
    ("text", "plain", "wildcard"),
    [
        (f"ca.example; accounturi={URI}", True, False),
        (f"CA.example.;AccountURI={URI} ; policy=Wildcard", True, True),
        (f"ca.example; accounturi={URI}; policy=other; future=x", True, False),
        (f"other.example; accounturi={URI}", False, False),
        (f"ca.example; accounturi={URI}0", False, False),
        ("ca.example", False, False),
        (f"ca.example; accounturi={URI}; accounturi={URI}", False, False),
        (f"ca.example; nonsense; accounturi={URI}", False, False),
        (f"ca.example; accounturi={URI}; persistUntil={int(AT.timestamp())}", True, False),
        (f"ca.example; accounturi={URI}; persistUntil={int(AT.timestamp()) - 1}", False, False),
        (f"ca.example; accounturi={URI}; persistUntil=soon", False, False),
        ("", False, False),
    ],
)
def test_what_a_record_allows(text: str, plain: bool, wildcard: bool) -> None:
    found = [
        authorizes(text, issuers=["ca.example"], account_uri=URI, is_wildcard=is_wildcard, at=AT)
        for is_wildcard in (False, True)
    ]
    assert found == [plain, wildcard]


def test_the_record_to_set_is_one_that_counts() -> None:
    for is_wildcard in (False, True):
        text = record_value("ca.example", URI, is_wildcard=is_wildcard)
        assert authorizes(text, issuers=["ca.example"], account_uri=URI, is_wildcard=is_wildcard, at=AT)
    assert record_name("*.example.org") == record_name("example.org") == "_validation-persist.example.org"
