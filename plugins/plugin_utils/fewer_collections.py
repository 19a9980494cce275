# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python's search for cyclic garbage, made rarer while much is built that stays."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

# New objects until the youngest are searched, searches of those until the next generation's, and so on.
_RARELY = (1_000_000, 20, 100)


@contextlib.contextmanager
def fewer_collections() -> Iterator[None]:
    """Thousands of rotations are millions of objects without a cycle; looking through them was a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        # Or all of it would be looked through at once now.
        gc.freeze()
        gc.set_threshold(*before)
