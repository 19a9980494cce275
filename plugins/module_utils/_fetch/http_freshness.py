# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long HTTP allows an answer to be used without asking again (RFC 9111), by its headers.

Without a word from the server that is not at all: a guess would hide a revocation that a CA has just published.
"""

from __future__ import annotations

import dataclasses
import email.utils
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

_DIRECTIVE = re.compile(r'\s*([a-zA-Z-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;"]*)))?\s*(?:,|$)')
_LONGEST = 10 * 365 * 86400  # what is more, is a mistake or an overflow
# Two changes within one second have one Last-Modified, and one ETag on servers that make it of time and size.
_SETTLED = timedelta(seconds=60)


@dataclasses.dataclass(frozen=True)
class HttpFreshness:
    """What the headers of one answer say."""

    age: float = 0.0
    """seconds that it had spent in caches when it arrived"""
    lifetime: float = 0.0
    """seconds from its origin for which it may be used without asking"""
    must_revalidate: bool = False
    """not even where the server does not answer may it be used after that"""
    may_be_stored: bool = True
    etag: str | None = None
    last_modified: str | None = None

    def is_fresh(self, received_at: datetime, now: datetime) -> bool:
        """False, too, where the clock went back since it was received."""
        resident = (now - received_at).total_seconds()
        return resident >= 0 and self.age + resident < self.lifetime

    def conditions(self) -> dict[str, str]:
        """Headers that make the server answer 304 if nothing has changed."""
        found = {}
        if self.etag is not None:
            found["If-None-Match"] = self.etag
        elif self.last_modified is not None:
            found["If-Modified-Since"] = self.last_modified
        return found

    def continued(self, later: HttpFreshness) -> HttpFreshness:
        """After a 304, whose headers replace those that it has (RFC 9111 section 4.3.4)."""
        has_validator = later.etag is not None or later.last_modified is not None
        validators = later if has_validator else self
        return dataclasses.replace(later, etag=validators.etag, last_modified=validators.last_modified)


def freshness_of(headers: Mapping[str, str], *, received_at: datetime, delay: float) -> HttpFreshness:
    """:param headers: with names in lower case. :param delay: seconds that the request took."""
    control = _directives(headers.get("cache-control", ""))
    if "cache-control" not in headers and "no-cache" in headers.get("pragma", "").lower():
        control["no-cache"] = ""
    date = _moment(headers.get("date")) or received_at
    apparent = max(0.0, (received_at - date).total_seconds())
    age = max(apparent, (_seconds(headers.get("age")) or 0.0) + delay)
    modified = _moment(headers.get("last-modified"))
    is_settled = modified is None or date - modified >= _SETTLED
    varies = headers.get("vary", "").strip() == "*"
    return HttpFreshness(
        age=age,
        lifetime=0.0 if varies or "no-cache" in control else _lifetime(control, headers, date),
        must_revalidate="must-revalidate" in control or "no-cache" in control,
        may_be_stored="no-store" not in control,
        etag=headers.get("etag") if is_settled else None,
        last_modified=headers.get("last-modified") if is_settled and modified is not None else None,
    )


def _lifetime(control: Mapping[str, str], headers: Mapping[str, str], date: datetime) -> float:
    if "max-age" in control:
        return _seconds(control["max-age"]) or 0.0
    expires = _moment(headers.get("expires"))  # "0" and what else is no date means that it has expired
    return 0.0 if expires is None else min(max(0.0, (expires - date).total_seconds()), float(_LONGEST))


def _directives(text: str) -> dict[str, str]:
    """Of Cache-Control; of a directive that is there twice, the first (RFC 9111 section 4.2.1)."""
    found: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(text):
        found.setdefault(name.lower(), quoted or plain)
    return found


def _seconds(text: str | None) -> float | None:
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return float(min(int(text[:19]), _LONGEST))


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment
