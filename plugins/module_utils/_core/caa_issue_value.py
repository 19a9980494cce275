# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The value of a CAA issue property (RFC 8659 section 4.2), which is also how dns-persist-01 writes its record.

``ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01``
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IssueValue:
    """Who is meant, and what else is said."""

    domain: str
    """In lower case; empty where nobody is meant."""
    parameters: tuple[tuple[str, str], ...] | None
    """As written, names in lower case; None where one of them is malformed."""

    def named(self, name: str) -> list[str]:
        """The values of all parameters with that name."""
        return [value for each, value in self.parameters or () if each == name]


def canonical_domain(text: str) -> str:
    """A domain as it can be compared."""
    return text.strip().lower().rstrip(".")


def read_issue_value(text: str) -> IssueValue:
    """Whatever the text is; it never fails."""
    domain, *rest = text.split(";")
    pairs = [part.partition("=") for part in rest if part.strip()]
    is_sound = all(equals and name.strip() for name, equals, _value in pairs)
    parameters = tuple((name.strip().lower(), value.strip()) for name, _equals, value in pairs)
    return IssueValue(canonical_domain(domain), parameters if is_sound else None)
