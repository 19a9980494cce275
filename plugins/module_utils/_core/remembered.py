# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was made of something, kept while the next questions about it are likely."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Dict, Generic, Tuple, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_MOST = 128
"""objects whose values are kept: a chain at hand and the issuers that all chains have, not a whole fleet"""


Memory = Dict[int, Tuple[Any, _Value]]
"""By ``id``, of objects that are kept too: while they are alive, nothing else can have theirs."""


def remembered(make: Callable[[Any], _Value], memory: Memory[_Value] | None = None) -> Callable[[Any], _Value]:
    """``make`` for values that never change, called once for each object.

    By identity: a certificate's hash is made of all its bytes each time, which costs more than most of what is asked.

    :param memory: for who has some of the values from elsewhere, and puts them in with ``note``.
    """
    kept: Memory[_Value] = {} if memory is None else memory

    @functools.wraps(make)
    def remembering(thing: Any) -> _Value:
        found = kept.get(id(thing))
        return note(kept, thing, make(thing)) if found is None else found[1]

    return remembering


def note(memory: Memory[_Value], thing: Any, value: _Value) -> _Value:
    """``value``, which is that of ``thing`` from now on."""
    if len(memory) >= _MOST:
        memory.clear()
    memory[id(thing)] = (thing, value)
    return value


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
