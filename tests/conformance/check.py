# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that a suite checks. Suites are modules with a function ``checks``, listed in ``registry.py``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True)
class Check:
    """``run`` returns what is wrong, nothing if nothing is; an exception is wrong too."""

    name: str
    description: str
    """what must hold; the first line is printed when it does not"""
    run: Callable[[], Sequence[str]]
