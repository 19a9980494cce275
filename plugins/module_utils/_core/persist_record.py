# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of dns-persist-01 (draft-ietf-acme-dns-persist): set once, it lets an account order for a name for good.

``_validation-persist.shop.example.org. TXT "ca.example; accounturi=https://ca.example/acct/1; policy=wildcard"``
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._core.caa_issue_value import (
    IssueValue,
    canonical_domain,
    read_issue_value,
)

LABEL = "_validation-persist"


def record_name(identifier: str) -> str:
    """Where the record of a DNS name stands; that of a wildcard stands at its base."""
    return f"{LABEL}.{identifier[2:] if identifier.startswith('*.') else identifier}"


def record_value(issuer: str, account_uri: str, *, is_wildcard: bool) -> str:
    """The record to set."""
    return f"{issuer}; accounturi={account_uri}" + ("; policy=wildcard" if is_wildcard else "")


def authorizes(text: str, *, issuers: Collection[str], account_uri: str, is_wildcard: bool, at: datetime) -> bool:
    """Whether the record lets the account order for the name at that time. Unknown parameters do not matter."""
    written = read_issue_value(text)
    if not written.domain or written.domain not in {canonical_domain(one) for one in issuers}:
        return False
    parameters = _parameters(written)
    if parameters is None or parameters.get("accounturi") != account_uri:
        return False
    if is_wildcard and parameters.get("policy", "").lower() != "wildcard":
        return False
    until = parameters.get("persistuntil")
    return until is None or (until.isascii() and until.isdigit() and int(until[:12]) >= at.timestamp())


def _parameters(written: IssueValue) -> dict[str, str] | None:
    """By name; None if one is written twice or is none, which makes the record one to be ignored."""
    pairs = written.parameters
    found = dict(pairs or ())
    return None if pairs is None or len(found) < len(pairs) else found
