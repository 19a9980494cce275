# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that all steps of a rotation share. Shipped to hosts: standard library and Python 3.8."""

from __future__ import annotations

from typing import Any, Dict

FLEET_STEP_SPEC: Dict[str, Any] = {
    "rotations": {"type": "dict", "default": {}},
    "collect": {"type": "str"},
    "keep_going": {"type": "bool", "default": False},
}
HOST_STEP_SPEC: Dict[str, Any] = {
    "rotations": {"type": "list", "elements": "dict"},
    "keep_going": {"type": "bool", "default": False},
}
