# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversations with many peers at once, in one thread.

Threads that take turns at the interpreter's lock spend more on that than a handshake costs.
"""

from __future__ import annotations

import collections
import heapq
import itertools
import math
import select
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError

_Result = TypeVar("_Result")


class Wait(NamedTuple):
    """What a conversation yields: it goes on when ``descriptor`` is ready for ``event`` (``select.POLLIN``…)."""

    descriptor: int
    event: int
    doing: str
    """in words, for the error when time is up"""


@dataclass
class _Conversation:
    steps: Generator[Wait, None, Any]
    timeout: float
    done: Callable[[Any], None]
    wait: Wait | None = None
    is_over: bool = False


class _Timer(NamedTuple):
    moment: float
    number: int
    """of all timers, so that nothing behind it is ever compared"""
    call: Callable[[], None]
    conversation: _Conversation | None


class SideBySide:
    """Start conversations, then ``run`` until all of them, and what they started in turn, are over."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._waiting: dict[int, _Conversation] = {}
        self._timers: list[_Timer] = []
        self._numbers = itertools.count()
        # Not begun where they are started: one that ends at once may start the next, and so on without end.
        self._new: collections.deque[_Conversation] = collections.deque()

    def start(self, steps: Generator[Wait, None, _Result], *, timeout: float, done: Callable[[_Result], None]) -> None:
        """Begin, and call ``done`` with what ``steps`` returns. After ``timeout`` seconds it gets an OutOfTimeError."""
        self._new.append(_Conversation(steps, timeout, done))

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call after that many seconds."""
        self._at(time.monotonic() + seconds, call)

    def run(self) -> None:
        while self._new or self._next_timer() is not None:
            while self._new:
                self._begin(self._new.popleft())
            for descriptor, _event in self._poll.poll(self._patience()):
                conversation = self._waiting[descriptor]
                self._go_on(conversation, conversation.steps.__next__)
            while (timer := self._next_timer()) is not None and timer.moment <= time.monotonic():
                heapq.heappop(self._timers)
                timer.call()

    def _begin(self, conversation: _Conversation) -> None:
        self._at(time.monotonic() + conversation.timeout, lambda: self._end(conversation), conversation)
        self._go_on(conversation, conversation.steps.__next__)

    def _at(self, moment: float, call: Callable[[], None], conversation: _Conversation | None = None) -> None:
        heapq.heappush(self._timers, _Timer(moment, next(self._numbers), call, conversation))

    def _next_timer(self) -> _Timer | None:
        """The first that still matters; none means that nothing goes on any more, as whatever does has one."""
        while self._timers and (of := self._timers[0].conversation) is not None and of.is_over:
            heapq.heappop(self._timers)
        return self._timers[0] if self._timers else None

    def _patience(self) -> int:
        """Milliseconds until the next timer."""
        timer = self._next_timer()
        return max(0, math.ceil((timer.moment - time.monotonic()) * 1000)) if timer else 0

    def _end(self, conversation: _Conversation) -> None:
        doing = conversation.wait.doing if conversation.wait else ""
        self._go_on(conversation, lambda: conversation.steps.throw(OutOfTimeError(doing)))

    def _go_on(self, conversation: _Conversation, step: Callable[[], Wait]) -> None:
        try:
            wait = step()
        except StopIteration as end:
            conversation.is_over = True
            self._wait_for(conversation, None)
            conversation.done(end.value)
        else:
            self._wait_for(conversation, wait)

    def _wait_for(self, conversation: _Conversation, wait: Wait | None) -> None:
        before, conversation.wait = conversation.wait, wait
        if before is not None and (wait is None or wait.descriptor != before.descriptor):
            self._poll.unregister(before.descriptor)
            del self._waiting[before.descriptor]
        if wait is not None and wait != before:
            self._poll.register(wait.descriptor, wait.event)
            self._waiting[wait.descriptor] = conversation
