# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing a thing once for everyone who asks, also when they ask at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Once(Generic[_Key, _Value]):
    """Remembers what was made for a key, failures included: what is down is waited for once, not a thousand times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: dict[_Key, Future[_Value]] = {}

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        """The value for ``key``; the first who asks makes it, the others wait. ``make`` must not ask for its key."""
        future = self._futures.get(key)
        if future is None:
            with self._lock:
                future = self._futures.get(key)
                mine = future is None
                if future is None:
                    future = self._futures[key] = Future()
            if mine:
                try:
                    future.set_result(make())
                except BaseException as exc:
                    future.set_exception(exc)
        return future.result()
