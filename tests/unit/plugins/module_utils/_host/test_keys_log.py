# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``keys.log``: appended to, readable after a power cut, closed to what could break its lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions
from ansible_collections.certops.rotation.plugins.module_utils._host.keys_log import (
    KeyFact,
    append_fact,
    read_keys_log,
)

FACT = KeyFact("2026-11-21T01:02:03Z", "a" * 64, "created", "20261121T010203Z-aaaaaa")


def test_facts_are_read_as_they_were_written(tmp_path: Path) -> None:
    revoked = KeyFact(FACT.at, FACT.spki_sha256, "revoked:keyCompromise", FACT.version)
    for fact in (FACT, revoked):
        append_fact(str(tmp_path), fact, FileOptions())
    assert read_keys_log(str(tmp_path)) == [FACT, revoked]


def test_no_log_is_no_facts(tmp_path: Path) -> None:
    assert read_keys_log(str(tmp_path)) == []


def test_line_torn_by_a_power_cut_swallows_no_other(tmp_path: Path) -> None:
    (tmp_path / "keys.log").write_text("2026-11-21T01:02:03Z aaaa")
    append_fact(str(tmp_path), FACT, FileOptions())
    assert read_keys_log(str(tmp_path)) == [FACT]


@pytest.mark.parametrize("fate", ["", "lost", "retired\n2026", "revoked:", "revoked:key compromise", "live live"])
def test_word_that_is_no_fate_is_refused(tmp_path: Path, fate: str) -> None:
    with pytest.raises(RotationError):
        append_fact(str(tmp_path), KeyFact(FACT.at, FACT.spki_sha256, fate, FACT.version), FileOptions())
    assert read_keys_log(str(tmp_path)) == []
