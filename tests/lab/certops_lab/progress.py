# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab is doing and how long it took, on standard error, so that output stays for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Prints one line per finished step with its seconds; a quiet one prints nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        outcome = "failed after"
        try:
            yield
            outcome = ""
        finally:
            self.say(f"{what}: {outcome}{' ' if outcome else ''}{time.monotonic() - started:.1f} s")

    def say(self, text: str) -> None:
        if not self._quiet:
            print(f"lab: {text}", file=sys.stderr, flush=True)
