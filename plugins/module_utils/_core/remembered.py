# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was made of something, kept while the next questions about it are likely."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_MOST = 128
"""objects whose values are kept: a chain at hand and the issuers that all chains have, not a whole fleet"""


def remembered(make: Callable[[Any], _Value]) -> Callable[[Any], _Value]:
    """``make`` for values that never change, called once for each object.

    By identity: a certificate's hash is made of all its bytes each time, which costs more than most of what is asked.
    """
    kept: dict[int, tuple[Any, _Value]] = {}

    @functools.wraps(make)
    def remembering(thing: Any) -> _Value:
        found = kept.get(id(thing))
        # Whoever is kept is alive, so that nothing else can have its id.
        if found is None:
            if len(kept) >= _MOST:
                kept.clear()
            found = kept[id(thing)] = (thing, make(thing))
        return found[1]

    return remembering


class Kept(Generic[_Key, _Value]):
    """The same for what is equal, by a key that is cheap to compare."""

    def __init__(self, most: int) -> None:
        """:param most: how many values are kept; all are dropped before there would be one more."""
        self._most = most
        self._values: dict[_Key, _Value] = {}

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        try:
            return self._values[key]
        except KeyError:
            value = make()
        if len(self._values) >= self._most:
            self._values.clear()
        self._values[key] = value
        return value
