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


class LiveLine:
    """Taken away before anything else is written, and put back behind it."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._text, self._is_shown, self._at = "", False, 0.0
        self.is_ended = False

    def show(self, text: str, *, is_one_of_many: bool = False) -> None:
        """:param is_one_of_many: so many come that one may be left out. The last of a few must not be."""
        self._text = text
        now = time.monotonic()
        if (now - self._at >= _PAUSE or not is_one_of_many) and not self.is_ended:
            self._at = now
            self._draw()

    def end(self) -> None:
        """Take it away for good."""
        self.take_away()
        self.is_ended = True

    def take_away(self) -> None:
        if self._is_shown:
            self._terminal.write(_CLEAR)
            self._is_shown = False

    def put_back(self) -> None:
        if self._text and not self.is_ended:
            self._draw()

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns - 1
        text = self._text if len(self._text) <= width else self._text[: max(0, width - 1)] + "…"
        self._terminal.write(f"{_CLEAR}{text}")
        self._terminal.flush()
        self._is_shown = True


class _Beside:
    """A stream to the same terminal as the line."""

    def __init__(self, stream: TextIO, line: LiveLine) -> None:
        self._stream, self._line = stream, line

    def write(self, text: str) -> int:
        self._line.take_away()
        written = self._stream.write(text)
        # A prompt ends without a newline, and whoever types must see it.
        if text.endswith("\n"):
            self._line.put_back()
        return written

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
