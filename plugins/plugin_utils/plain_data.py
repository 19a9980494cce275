# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as Ansible hands them over, made plain.

ansible-core 2.17 marks strings as unsafe by a subclass; 2.19 and later tag every value and template containers lazily,
element by element. Neither survives ``copy.deepcopy``, ``json`` or a comparison of types unharmed, so an action makes
plain values of everything once, at the door.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

_AS_THEY_ARE = frozenset({str, bool, int, float, type(None)})


def plain(value: Any) -> Any:
    """A deep copy that consists of ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and ``None`` only.

    Dates (YAML makes them of unquoted ISO 8601 text) become text again. Anything else is a programming error.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is dict:
        return {
            key if type(key) in _AS_THEY_ARE else plain(key): each if type(each) in _AS_THEY_ARE else plain(each)
            for key, each in value.items()
        }
    if kind is list:
        return [each if type(each) in _AS_THEY_ARE else plain(each) for each in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(value[key]) for key in value}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    raise TypeError(f"cannot be plain data: {type(value).__name__}")
