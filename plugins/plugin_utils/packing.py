# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as one text a host, on their way from task to task.

Ansible walks through every value of a result several times: it tags it, copies it for the callbacks, evaluates it when
the next task takes it. The rotations of twenty hosts are some hundred thousand values, and that walk took longer than
most steps. A text is one value. Every step reads both forms.

The text is compressed, to a quarter: the control node keeps what every step registered, and each task on each host is a
fork of that process, which takes the longer the more memory it has.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain

# What a step builds has no circles; looking for them takes a fifth of the time.
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)
# A text that began with a bracket would be taken for a Python literal by Ansible before 2.19.
_MARK = "rotations/2 "


def pack(rotations: list[dict[str, Any]]) -> str:
    """The rotations of a host as text."""
    text = _ENCODER.encode(rotations).encode("ascii")
    return _MARK + base64.b64encode(zlib.compress(text, 1)).decode("ascii")


def unpack(given: Any) -> Any:
    """The rotations of a host, from text or as they are. RotationError ``arguments_invalid``."""
    if not isinstance(given, str):
        return plain(given)
    text = str.__str__(given)
    try:
        if not text.startswith(_MARK):
            raise ValueError("no rotations")
        return json.loads(zlib.decompress(base64.b64decode(text[len(_MARK) :], validate=True)))
    except (ValueError, zlib.error) as exc:
        raise RotationError(
            "arguments_invalid", "rotations must be what a step returned, or a list of dictionaries."
        ) from exc
