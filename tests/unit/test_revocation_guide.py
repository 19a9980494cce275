# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide about verdicts explains every word that a verdict can say, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Note, Reason

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "guide_revocation.rst"
ROW = re.compile(
    r"^   \* - ``(?P<word>\w+)``\n     - (?P<meaning>\S.*\n(?:       .*\n)*)     - (?P<step>\S.*\n)", re.MULTILINE
)


def test_each_reason_and_note_stands_once_with_meaning_and_next_step() -> None:
    words = [row["word"] for row in ROW.finditer(GUIDE.read_text("utf-8"))]
    assert sorted(words) == sorted(word.value for word in (*Reason, *Note))
