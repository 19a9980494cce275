# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretch of work that a cut connection must not stop half-way."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_DEAF_TO = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hang-up, terminate and interrupt are passed over inside.

    When the control node or its ssh connection goes away between the switch and the reload, the way back must still be
    there. Handlers that do nothing, not SIG_IGN: programs started inside get the default behaviour back at exec.
    (Python ignores SIGPIPE already.)
    """
    before = {number: signal.signal(number, _pass_over) for number in _DEAF_TO}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _pass_over(number: int, frame: FrameType | None) -> None:
    """Do nothing."""
