# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line that stays the last one on a terminal, whoever else writes there."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any, TextIO

_CLEAR = "\r\x1b[K"
# More often than this nobody can read it, and a terminal over ssh would slow the run down.
_PAUSE = 0.1
# A terminal is asked for its width again after this long; asking costs as much as drawing.
_WIDTH_HOLDS = 0.5


class LiveLine:
    """Taken away before anything else is written, and put back behind it."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._text, self._is_shown, self._at = "", False, 0.0
        self._width, self._width_at = 0, -_WIDTH_HOLDS
        self.is_ended = False

    def show(self, text: str, *, is_one_of_many: bool = False) -> None:
        """:param is_one_of_many: so many come that one may be left out. The last of a few must not be."""
        if self._is_shown and text == self._text:
            return
        self._text = text
        now = time.monotonic()
        if (now - self._at >= _PAUSE or not is_one_of_many) and not self.is_ended:
            self._at = now
            self._write(self._drawn())

    def end(self) -> None:
        """Take it away for good."""
        self._write(self.without())
        self.is_ended = True

    def put_around(self, text: str) -> str:
        """What to write instead of ``text`` by others to the same terminal, so that the line stays the last one.

        In one piece, because each piece with a carriage return is a system call.
        """
        # A prompt ends without a newline, and whoever types must see it.
        return self.without() + text + (self._drawn() if text.endswith("\n") else "")

    def without(self) -> str:
        """What takes the line away."""
        cleared = _CLEAR if self._is_shown else ""
        self._is_shown = False
        return cleared

    def _drawn(self) -> str:
        """What draws the line; nothing where there is none."""
        if not self._text or self.is_ended:
            return ""
        self._is_shown = True
        width = self._columns() - 1
        text = self._text if len(self._text) <= width else self._text[: max(0, width - 1)] + "…"
        return f"{_CLEAR}{text}"

    def _write(self, text: str) -> None:
        if text:
            self._terminal.write(text)
            self._terminal.flush()

    def _columns(self) -> int:
        now = time.monotonic()
        if now - self._width_at >= _WIDTH_HOLDS:
            self._width, self._width_at = shutil.get_terminal_size().columns, now
        return self._width


class _Beside:
    """A stream to the same terminal as the line."""

    def __init__(self, stream: TextIO, line: LiveLine) -> None:
        self._stream, self._line = stream, line

    def write(self, text: str) -> int:
        self._stream.write(self._line.put_around(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def live_line() -> LiveLine:
    """A line below all that this process writes to its terminal from now on."""
    line = LiveLine(sys.stdout)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream.isatty():
            setattr(sys, name, _Beside(stream, line))
    return line
