# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``report.json`` as text: a line for each certificate, so that tools for lines, and people, find their way in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def entry_lines(report: Mapping[str, Any]) -> list[str]:
    """Each entry of the report as one line of ASCII."""
    return [json.dumps(entry) for entry in report["rotations"]]


def report_text(report: Mapping[str, Any], lines: Sequence[str]) -> str:
    """The whole file; ``lines`` are those of its entries."""
    parts = [f"{json.dumps(name)}: {_value(value)}" for name, value in report.items() if name != "rotations"]
    parts.append(f'"rotations": {_list(lines)}')
    return "{\n  " + ",\n  ".join(parts) + "\n}\n"


def _value(value: Any) -> str:
    is_table = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    return _list([json.dumps(each) for each in value]) if is_table else json.dumps(value)


def _list(lines: Sequence[str]) -> str:
    return "[\n    " + ",\n    ".join(lines) + "\n  ]" if lines else "[]"
