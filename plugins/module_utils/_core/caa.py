# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether CAA records let a CA issue for a name (RFC 8659), as far as that can be told from outside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

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


def forbidding(records: Sequence[CaaRecord], identities: Collection[str], *, is_wildcard: bool) -> str | None:
    """Why the CA with these identities (``caaIdentities`` of its directory) may not issue; None if it may.

    RFC 8659 section 4: no record, or none with the tag that counts, allows everybody; a critical record that nobody
    knows allows nobody; issuewild, where there is one, counts alone for wildcards.
    """
    for record in records:
        if record.flags & 128 and record.tag.lower() not in _KNOWN_TAGS:
            return f"the critical CAA property {record.tag} is not known"
    tag = "issuewild" if is_wildcard and _with_tag(records, "issuewild") else "issue"
    relevant = _with_tag(records, tag)
    if not relevant:
        return None
    allowed = {issuer_domain(record.value) for record in relevant}
    if allowed & {one.lower().rstrip(".") for one in identities}:
        return None
    return f"CAA allows only {', '.join(sorted(filter(None, allowed))) or 'nobody'}"


def issuer_domain(value: str) -> str:
    """The domain in the value of an issue property; what follows the semicolon are parameters."""
    return value.partition(";")[0].strip().lower().rstrip(".")


def _with_tag(records: Sequence[CaaRecord], tag: str) -> list[CaaRecord]:
    return [record for record in records if record.tag.lower() == tag]
