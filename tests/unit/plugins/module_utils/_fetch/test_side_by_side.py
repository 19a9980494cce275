# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversations in one thread: none waits for another, and time is up for each by itself."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Generator

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.side_by_side import SideBySide, Wait
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshakes
from ansible_collections.certops.rotation.tests.support.tls_server import closed_port


def hearing(sock: socket.socket) -> Generator[Wait, None, str]:
    try:
        yield Wait(sock.fileno(), select.POLLIN, "hearing")
    except OutOfTimeError as exc:
        return f"{exc} took too long"
    return sock.recv(100).decode()


def silent() -> Generator[Wait, None, str]:
    yield from ()
    return "at once"


def test_each_has_its_own_time_and_result() -> None:
    together = SideBySide()
    heard: list[str] = []
    pairs = [socket.socketpair() for _number in range(3)]
    started = time.monotonic()
    for number, (near, _far) in enumerate(pairs):
        together.start(hearing(near), timeout=(0.2, 5, 5)[number], done=heard.append)
    together.later(0.05, lambda: pairs[1][1].sendall(b"second"))
    together.later(0.4, lambda: pairs[2][1].sendall(b"third"))
    together.run()
    assert heard == ["second", "hearing took too long", "third"]
    assert 0.4 <= time.monotonic() - started < 2
    for near, far in pairs:
        near.close()
        far.close()


def test_what_is_over_at_once_keeps_nobody_waiting() -> None:
    together = SideBySide()
    ended: list[str] = []
    started = time.monotonic()
    together.start(silent(), timeout=60, done=ended.append)
    together.later(0, lambda: together.start(silent(), timeout=0, done=ended.append))
    together.run()
    assert ended == ["at once", "at once"]
    assert time.monotonic() - started < 1


def test_one_may_start_the_next_for_ever() -> None:
    together, ended = SideBySide(), 0

    def again(_result: str) -> None:
        nonlocal ended
        ended += 1
        if ended < 5000:
            together.start(silent(), timeout=5, done=again)

    together.start(silent(), timeout=5, done=again)
    together.run()
    assert ended == 5000


def test_mistake_in_a_conversation_is_not_hidden() -> None:
    def wrong() -> Generator[Wait, None, str]:
        yield from ()
        raise ZeroDivisionError

    together = SideBySide()
    done: Callable[[str], None] = print
    together.start(wrong(), timeout=5, done=done)
    with pytest.raises(ZeroDivisionError):
        together.run()


def test_thousands_that_are_refused() -> None:
    refused = handshakes([Endpoint("127.0.0.1", closed_port())] * 3000, timeout=5, concurrency=8)
    assert {one.error.code for one in refused if one.error} == {"connection_refused"}
    assert len(refused) == 3000
