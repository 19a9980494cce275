# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as Ansible can carry them."""

from __future__ import annotations

import base64
import dataclasses
import enum
import functools
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text


def to_result(value: Any) -> Any:
    """Plain JSON types: dataclasses by field, words instead of enums, times as text, bytes in base64.

    A plain Enum in a result fails in Ansible; a ``str`` one prints differently from a module and from an action plugin.
    """
    kind: Any = type(value)
    return value if kind in _AS_THEY_ARE else _converter(kind)(value)


_AS_THEY_ARE = frozenset({str, bool, int, float, type(None)})


@functools.lru_cache(maxsize=None)
def _converter(kind: Any) -> Callable[[Any], Any]:
    """What converts values of this type: found out once, for results are thousands of values of a few types."""
    if issubclass(kind, enum.Enum) and issubclass(kind, str):
        return str.__str__
    if issubclass(kind, RotationError):
        return RotationError.as_result
    if dataclasses.is_dataclass(kind):
        shown = [field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")]
        return lambda value: {
            name: each if type(each := getattr(value, name)) in _AS_THEY_ARE else to_result(each) for name in shown
        }
    for kinds, convert in _CONVERTERS:
        if issubclass(kind, kinds):
            return convert
    return str


_CONVERTERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Mapping, lambda value: {str(to_result(key)): to_result(each) for key, each in value.items()}),
    ((list, tuple), lambda value: [to_result(each) for each in value]),
    ((set, frozenset), lambda value: sorted((to_result(each) for each in value), key=str)),
    (enum.Enum, lambda value: to_result(value.value)),
    (datetime, as_text),
    (timedelta, timedelta.total_seconds),
    ((bytes, bytearray, memoryview), lambda value: base64.b64encode(value).decode("ascii")),
    ((bool, int, float), lambda value: value),
)
