# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once


def test_what_was_made_is_made_once_failures_included() -> None:
    made: list[str] = []
    once: Once[str, int] = Once()

    def make() -> int:
        made.append("x")
        raise ValueError("down")

    for _time in range(3):
        with pytest.raises(ValueError, match="down"):
            once.get("key", make)
    assert made == ["x"]
