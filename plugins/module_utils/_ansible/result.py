# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as Ansible can carry them."""

from __future__ import annotations

import base64
import dataclasses
import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text


def to_result(value: Any) -> Any:
    """Plain JSON types: dataclasses by field, words instead of enums, times as text, bytes in base64.

    A plain Enum in a result fails in Ansible; a ``str`` one prints differently from a module and from an action plugin.
    """
    if isinstance(value, RotationError):
        return value.as_result()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = [field.name for field in dataclasses.fields(value) if not field.name.startswith("_")]
        return {name: to_result(getattr(value, name)) for name in shown}
    if isinstance(value, Mapping):
        return {str(to_result(key)): to_result(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_result(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted((to_result(each) for each in value), key=str)
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return to_result(value.value)
    if isinstance(value, datetime):
        return as_text(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)
