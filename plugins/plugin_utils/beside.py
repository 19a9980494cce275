# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on values that come one after the other, done while more of them come.

Handshakes keep one processor busy, and so does judging what they showed. Threads would take turns at the interpreter's
lock, so where there is much to do and a processor to spare, a forked process does the work.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

_Value = TypeVar("_Value")
_Result = TypeVar("_Result")

_WORTH_A_PROCESS = 256
"""values; starting a process takes as long as working on some of them"""
_AT_ONCE = 16
"""What is being worked on waits for the network now and then."""
_PATIENCE = 0.02
"""seconds without anything done, after which it is the network that is waited for"""
_BATCH = 16
_RECEIVED_AT_ONCE = 1 << 18
_SIZE = struct.Struct(">I")


def beside(work: Callable[[_Value], _Result], expected: int) -> Here[_Value, _Result]:
    """Where ``work`` is best done on about so many values. To be used in a ``with`` block."""
    if expected >= _WORTH_A_PROCESS and _processors() > 1:
        return InAnotherProcess(work)
    return Here(work)


class Here(Generic[_Value, _Result]):
    """Done in this process, when all values are there. ``work`` runs in several threads."""

    def __init__(self, work: Callable[[_Value], _Result]) -> None:
        self._work = work
        self._values: list[_Value] = []

    def __enter__(self) -> Here[_Value, _Result]:
        return self

    def __exit__(self, *_exc: object) -> None:
        pass

    def give(self, value: _Value) -> None:
        """One more value."""
        self._values.append(value)

    def results(self) -> list[_Result]:
        """Those of all values, in their order; whatever ``work`` raises."""
        return self._done_here(self._values)

    def _done_here(self, values: Sequence[_Value]) -> list[_Result]:
        if not values:
            return []
        with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(values))) as pool:
            return list(pool.map(self._work, values))


class InAnotherProcess(Here[_Value, _Result]):
    """Begun at once in a forked process, which inherits all that ``work`` knows; only values and results are sent.

    It ends when this process closes the connection, also by being killed. What it leaves undone, because it was
    killed itself or ``work`` raised something, is done here.
    """

    def __init__(self, work: Callable[[_Value], _Result]) -> None:
        super().__init__(work)
        self._found: dict[int, list[_Result]] = {}
        self._sent = 0
        self._batches: list[int] = []
        self._to_send = bytearray()
        self._received = bytearray()
        self._ours, theirs = socket.socketpair()
        self._process = os.fork()
        if not self._process:
            self._ours.close()
            _serve(work, theirs)
        theirs.close()
        self._ours.setblocking(False)

    def __exit__(self, *_exc: object) -> None:
        self._ours.close()
        os.waitpid(self._process, 0)

    def give(self, value: _Value) -> None:
        super().give(value)
        # The first one goes alone: what all of them need is fetched for it, while the others are still to come.
        if len(self._values) - self._sent >= (_BATCH if self._sent else 1):
            self._send_batch()
            self._exchange(wait=False)

    def results(self) -> list[_Result]:
        if self._sent < len(self._values):
            self._send_batch()
        is_there = True
        while is_there and len(self._found) < len(self._batches):
            is_there = self._exchange(wait=True)
        self._ours.close()  # it may end while this process goes on
        ends = [*self._batches[1:], len(self._values)]
        return [
            result
            for start, end in zip(self._batches, ends, strict=False)
            for result in self._found.get(start) or self._done_here(self._values[start:end])
        ]

    def _send_batch(self) -> None:
        self._batches.append(self._sent)
        self._to_send += _message((self._sent, self._values[self._sent :]))
        self._sent = len(self._values)

    def _exchange(self, wait: bool) -> bool:
        """Send and receive what can be; False if the other process is gone."""
        if wait:
            select.select([self._ours], [self._ours] if self._to_send else [], [])
        try:
            if self._to_send:
                with contextlib.suppress(BlockingIOError):
                    del self._to_send[: self._ours.send(self._to_send)]
            with contextlib.suppress(BlockingIOError):
                data = self._ours.recv(_RECEIVED_AT_ONCE)
                self._received += data
                if not data:
                    return False
        except ConnectionError:
            return False
        self._found.update(_messages(self._received))
        return True


def _serve(work: Callable[[Any], Any], connection: socket.socket) -> None:
    """All that the other process does. It never returns into what its parent was about to do."""
    try:
        gc.freeze()
        workers = _Workers(work, connection)
        received = bytearray()
        while True:
            while not select.select([connection], [], [], _PATIENCE if workers.are_behind else None)[0]:
                workers.one_more_if_stuck()
            data = connection.recv(_RECEIVED_AT_ONCE)
            if not data:
                break
            received += data
            for batch in _messages(received):
                workers.put(batch)
            workers.one_more_if_stuck()
    finally:
        os._exit(0)


class _Workers:
    """One thread, and more only while it waits for the network: threads that compute only get in each other's way."""

    def __init__(self, work: Callable[[Any], Any], connection: socket.socket) -> None:
        self._work, self._connection = work, connection
        self._batches: queue.SimpleQueue[tuple[int, list[Any]]] = queue.SimpleQueue()
        self._answering = threading.Lock()
        self._further = threading.Semaphore(_AT_ONCE - 1)
        self._ahead_at = time.monotonic()
        threading.Thread(target=self._go, args=(self._serve_all,), daemon=True).start()

    def put(self, batch: tuple[int, list[Any]]) -> None:
        self._batches.put(batch)

    @property
    def are_behind(self) -> bool:
        """Whether there is a batch that nobody works on."""
        return not self._batches.empty()

    def one_more_if_stuck(self) -> None:
        """Work on another batch, if there is one and none has been done for a while."""
        now = time.monotonic()
        if not self.are_behind or now - self._ahead_at < _PATIENCE or not self._further.acquire(blocking=False):
            return
        self._ahead_at = now
        threading.Thread(target=self._go, args=(self._serve_one,), daemon=True).start()

    def _go(self, serve: Callable[[], None]) -> None:
        try:
            serve()
        except BaseException:
            # The parent finds out by the end of the connection, and does what is left.
            os._exit(1)

    def _serve_all(self) -> None:
        while True:
            self._do(self._batches.get())

    def _serve_one(self) -> None:
        with contextlib.suppress(queue.Empty):
            self._do(self._batches.get_nowait())
        self._further.release()

    def _do(self, batch: tuple[int, list[Any]]) -> None:
        start, values = batch
        answer = _message((start, [self._work(value) for value in values]))
        with self._answering:
            self._connection.sendall(answer)
        self._ahead_at = time.monotonic()


def _message(content: Any) -> bytes:
    data = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return _SIZE.pack(len(data)) + data


def _messages(received: bytearray) -> Iterator[tuple[int, list[Any]]]:
    """The complete messages at the beginning of ``received``, which are taken out of it."""
    position = 0
    while len(received) >= position + _SIZE.size:
        end = position + _SIZE.size + _SIZE.unpack_from(received, position)[0]
        if len(received) < end:
            break
        yield pickle.loads(memoryview(received)[position + _SIZE.size : end])
        position = end
    del received[:position]


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
