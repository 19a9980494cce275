# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether CAA records let a CA issue for a name (RFC 8659, RFC 8657), as far as that can be told from outside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ansible_collections.certops.rotation.plugins.module_utils._core.caa_issue_value import (
    IssueValue,
    canonical_domain,
    read_issue_value,
)

_KNOWN_TAGS = frozenset({"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"})
# Names under these are not looked up in public (RFC 6761, 6762, 8375, 9476), so no public CA looks for records there.
_PRIVATE_ENDS = frozenset(
    "localhost local localdomain test example invalid internal intranet lan home corp private arpa onion alt".split()
)


@dataclass(frozen=True)
class CaaRecord:
    """One record of the set that is relevant for a name."""

    flags: int
    tag: str
    value: str


def is_public(name: str) -> bool:
    """Whether a public CA would look for records of this DNS name."""
    labels = name.rstrip(".").split(".")
    return len(labels) > 1 and labels[-1].lower() not in _PRIVATE_ENDS


@dataclass(frozen=True)
class Applicant:
    """Who is going to ask for a certificate, and how the name will be validated (RFC 8657)."""

    identities: Collection[str]
    """``caaIdentities`` of the CA's directory"""
    account_uri: str | None = None
    method: str | None = None
    """``http-01``, ``dns-01``, …"""


def forbidding(records: Sequence[CaaRecord], applicant: Applicant, *, is_wildcard: bool) -> str | None:
    """Why the CA may not issue for the applicant; None if it may.

    RFC 8659 section 4: no record, or none with the tag that counts, allows everybody; a critical record that nobody
    knows allows nobody; issuewild, where there is one, counts alone for wildcards. RFC 8657: a record may be for one
    account and for some ways of validation only. One record that allows it is enough.
    """
    for record in records:
        if record.flags & 128 and record.tag.lower() not in _KNOWN_TAGS:
            return f"the critical CAA property {record.tag} is not known"
    tag = "issuewild" if is_wildcard and _with_tag(records, "issuewild") else "issue"
    relevant = [read_issue_value(record.value) for record in _with_tag(records, tag)]
    if not relevant:
        return None
    ours = {canonical_domain(one) for one in applicant.identities}
    about_us = [one for one in relevant if one.domain and one.domain in ours]
    if not about_us:
        allowed = sorted({one.domain for one in relevant if one.domain})
        return f"CAA allows only {', '.join(allowed) or 'nobody'}, and this CA is {', '.join(applicant.identities)}"
    objections = [_objection(one, applicant) for one in about_us]
    return None if None in objections else objections[0]


def _objection(value: IssueValue, applicant: Applicant) -> str | None:
    """What in a property about this CA is not fulfilled (RFC 8657 sections 3 and 4)."""
    if value.parameters is None:
        return f"the CAA property for {value.domain} is malformed, and allows nobody"
    accounts, lists = value.named("accounturi"), value.named("validationmethods")
    if len(accounts) > 1 or len(lists) > 1:
        return f"the CAA property for {value.domain} has a parameter twice, and allows nobody"
    if accounts and applicant.account_uri and accounts[0] != applicant.account_uri:
        return f"CAA allows {value.domain} only for the account {accounts[0]}, and this is {applicant.account_uri}"
    methods = [one.strip().lower() for one in lists[0].split(",")] if lists else []
    if methods and applicant.method and applicant.method not in methods:
        return f"CAA allows {value.domain} only by {', '.join(methods)}, and {applicant.method} is tried first"
    return None


def _with_tag(records: Sequence[CaaRecord], tag: str) -> list[CaaRecord]:
    return [record for record in records if record.tag.lower() == tag]
