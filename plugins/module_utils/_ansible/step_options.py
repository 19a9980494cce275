# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the steps share, documented in the fragment ``steps``. Read on hosts too: Python 3.8."""

from __future__ import annotations

from typing import Any

# Steps over all hosts in one task.
FLEET_STEP_SPEC: dict[str, dict[str, Any]] = {
    "rotations": {"type": "dict", "default": {}},
    "collect": {"type": "str"},
    "keep_going": {"type": "bool", "default": False},
    "packed": {"type": "bool", "default": False},
}

# Whom to trust, and how long to wait for answers.
TRUST_SPEC: dict[str, dict[str, Any]] = {
    "issuers": {"type": "dict", "default": {}, "no_log": True},
    "trust_anchors": {"type": "list", "elements": "path", "default": []},
    "timeout": {"type": "float", "default": 10.0},
    "cache_dir": {"type": "path"},
    "at": {"type": "str"},
}

# Host modules that can be given rotations; only their action plugins read these.
HOST_STEP_SPEC: dict[str, dict[str, Any]] = {
    "rotations": {"type": "raw"},
    "keep_going": {"type": "bool", "default": False},
    "packed": {"type": "bool", "default": False},
}
