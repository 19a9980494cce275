# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are kept for later runs, and when a kept one may stand for asking.

Only what was verified is kept. A kept answer is used without asking while HTTP says that it may be; else the server is
asked whether it is the same still. Where the server gives no answer, the kept one is what it always was: evidence until
its nextUpdate.
"""

from __future__ import annotations

import dataclasses
import time
from datetime import datetime, timedelta, timezone
from typing import Callable, Mapping

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.cache import DiskCache, Entry
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetched
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http_freshness import freshness_of

_SILENCE = frozenset({"timeout", "unreachable", "name_not_resolved"})
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclasses.dataclass(frozen=True)
class Span:
    """The time that verified information speaks for."""

    this_update: datetime
    next_update: datetime

    def includes(self, moment: datetime) -> bool:
        return self.this_update - _CLOCKS_DIFFER <= moment < self.next_update


Ask = Callable[[Mapping[str, str]], Fetched]
"""Asks the server, with these headers more."""
Check = Callable[[bytes], "Span | None"]
"""Verifies what was received, whenever that was. None, or a RotationError, for what may not be kept for other runs."""


@dataclasses.dataclass(frozen=True)
class Keeper:
    """Thread-safe."""

    cache: DiskCache
    always_ask: bool = False
    """for who needs the latest: no kept answer is used unless the server says now that it is the same still"""
    patience: float = 15.0
    """seconds to wait for another process that asks the same"""

    def answer(self, key: str, ask: Ask, check: Check, *, past_caches: bool = False) -> Fetched:
        """The server's answer, or a kept one that ``check`` accepts.

        :param past_caches: what is kept is of no use, but what comes is kept.
        :raises RotationError: as ``ask`` does.
        """
        inquiry = _Inquiry(self.cache, key, ask, check, self.always_ask, past_caches, _now(), time.monotonic())
        found = inquiry.without_asking()
        if found is None:
            with self.cache.locked(key, patience=self.patience):
                found = inquiry.without_asking() or inquiry.by_asking()
        return found


@dataclasses.dataclass(frozen=True)
class _Inquiry:
    cache: DiskCache
    key: str
    ask: Ask
    check: Check
    always_ask: bool
    past_caches: bool
    begun_at: datetime
    begun: float

    def without_asking(self) -> Fetched | None:
        """What may be used as it is: fresh, or received by another process while this one waited for it."""
        entry = self._entry()
        if entry is None:
            return None
        # Who needs the latest accepts only what was asked for after it was needed.
        is_new = (entry.requested_at if self.always_ask else entry.received_at) >= self.begun_at
        is_fresh = not self.always_ask and entry.http.is_fresh(entry.received_at, _now())
        return self._kept(entry, "fresh") if is_new or is_fresh else None

    def by_asking(self) -> Fetched:
        entry = self._entry()
        requested_at = _now()
        try:
            fetched = self.ask({} if entry is None else entry.http.conditions())
        except RotationError as error:
            kept = self._despite(error, entry)
            if kept is None:
                raise
            return kept
        if fetched.status != 304 or entry is None:
            self._keep(fetched, requested_at)
            return fetched
        return self._unchanged(entry, fetched, requested_at) or self._asked_again()

    def _unchanged(self, entry: Entry, fetched: Fetched, requested_at: datetime) -> Fetched | None:
        found = self._kept(entry, "revalidated")
        if found is None:
            return None
        received_at = _now()
        later = freshness_of(fetched.headers, received_at=received_at, delay=fetched.seconds)
        http = entry.http.continued(later)
        if http.lifetime > 0 and http.may_be_stored:
            entry = dataclasses.replace(entry, requested_at=requested_at, received_at=received_at, http=http)
            self.cache.write(self.key, entry, found.body)
        return found

    def _asked_again(self) -> Fetched:
        """The kept answer broke between the question and the server's "it is the same"."""
        self.cache.remove(self.key)
        requested_at = _now()
        fetched = self.ask({})
        self._keep(fetched, requested_at)
        return fetched

    def _despite(self, error: RotationError, entry: Entry | None) -> Fetched | None:
        """What is kept, for a server that is silent. One that says "gone" is not."""
        status = int(error.facts.get("status") or 0)
        is_silent = error.code in _SILENCE or status >= 500 or status == 429
        if entry is None or not is_silent or self.always_ask or entry.http.must_revalidate:
            return None
        return self._kept(entry, "source_silent")

    def _keep(self, fetched: Fetched, requested_at: datetime) -> None:
        received_at = _now()
        http = freshness_of(fetched.headers, received_at=received_at, delay=fetched.seconds)
        span = self._span(fetched.body) if http.may_be_stored else None
        if span is not None and span.includes(received_at):
            entry = Entry(
                fetched.url, fetched.method, span.this_update, span.next_update, requested_at, received_at, http
            )
            self.cache.write(self.key, entry, fetched.body)

    def _entry(self) -> Entry | None:
        entry = None if self.past_caches else self.cache.entry(self.key)
        return entry if entry is not None and entry.next_update > _now() else None

    def _kept(self, entry: Entry, state: str) -> Fetched | None:
        body = self.cache.body(self.key, entry)
        span = None if body is None else self._span(body)
        if body is None or span is None or not span.includes(_now()):
            return None
        return Fetched(entry.url, entry.method, body, {}, time.monotonic() - self.begun, cached=state)

    def _span(self, body: bytes) -> Span | None:
        try:
            return self.check(body)
        except RotationError:
            return None


def _now() -> datetime:
    return datetime.now(timezone.utc)
