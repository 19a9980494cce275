# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holding the conversation of ``starttls`` on a socket, up to the moment when TLS may begin."""

from __future__ import annotations

import select
import socket
from collections.abc import Generator

from ansible_collections.certops.rotation.plugins.module_utils._fetch.side_by_side import Wait
from ansible_collections.certops.rotation.plugins.module_utils._fetch.starttls import (
    Asking,
    StarttlsError,
    Turn,
    ask_for_tls,
)

_MOST_BYTES = 32768


def exchange(sock: socket.socket, protocol: str, name: str) -> Generator[Wait, None, None]:
    """Ask on a connected socket that does not block.

    :raises StarttlsError: also for anything that comes between the go-ahead and TLS. It was not protected, and who
        takes it for what was said inside TLS has been fooled (CVE-2011-0411 and its successors).
    """
    line = _Line(sock, protocol)
    dialogue = ask_for_tls(protocol, Asking(name, str(sock.getsockname()[0]).partition("%")[0]))
    try:
        turn = next(dialogue)
        while True:
            yield from line.say(turn.say)
            turn = dialogue.send((yield from line.hear(turn)))
    except StopIteration:
        line.must_be_silent()


class _Line:
    def __init__(self, sock: socket.socket, protocol: str) -> None:
        self._sock = sock
        self._doing = f"asking for TLS in {protocol}"
        self._heard = bytearray()
        self._left = _MOST_BYTES

    def say(self, data: bytes) -> Generator[Wait, None, None]:
        while data:
            try:
                data = data[self._sock.send(data) :]
            except BlockingIOError:
                yield Wait(self._sock.fileno(), select.POLLOUT, self._doing)
            except OSError as exc:
                raise _broken(exc) from exc

    def hear(self, turn: Turn) -> Generator[Wait, None, bytes]:
        while (length := self._length_of(turn)) is None:
            try:
                more = self._sock.recv(4096)
            except BlockingIOError:
                yield Wait(self._sock.fileno(), select.POLLIN, self._doing)
                continue
            except OSError as exc:
                raise _broken(exc) from exc
            if not more:
                raise StarttlsError("closed", "the peer closed the connection before TLS")
            self._left -= len(more)
            if self._left < 0:
                raise StarttlsError(
                    "starttls_protocol_error", f"the peer says more than {_MOST_BYTES} bytes before TLS"
                )
            self._heard += more
        heard = bytes(self._heard[:length])
        del self._heard[:length]
        return heard

    def _length_of(self, turn: Turn) -> int | None:
        """How many bytes answer this turn; None as long as they are not all there."""
        if not turn.until:
            return turn.length if len(self._heard) >= turn.length else None
        end = self._heard.find(turn.until)
        return end + len(turn.until) if end >= 0 else None

    def must_be_silent(self) -> None:
        """In TLS the client speaks first, so nothing may be there now."""
        if not self._heard:
            try:
                if not self._sock.recv(1, socket.MSG_PEEK):
                    raise StarttlsError("closed", "the peer closed the connection before TLS")
            except BlockingIOError:
                return
            except OSError as exc:
                raise _broken(exc) from exc
        raise StarttlsError("starttls_protocol_error", "the peer goes on talking after the go-ahead for TLS")


def _broken(error: OSError) -> StarttlsError:
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return StarttlsError("reset", "the peer reset the connection before TLS")
    return StarttlsError("unreachable", f"the connection broke before TLS: {error.strerror}")
