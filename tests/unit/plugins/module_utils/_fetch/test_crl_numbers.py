# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of CRL numbers."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._fetch import crl_numbers
from ansible_collections.certops.rotation.plugins.module_utils._fetch.crl_numbers import CrlNumbers

RAISES = """
import sys
from ansible_collections.certops.rotation.plugins.module_utils._fetch.crl_numbers import CrlNumbers
numbers = CrlNumbers(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    numbers.note("stream", number)
    print(number, flush=True)
"""


def raising(directory: Path, first: int, end: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RAISES, str(directory), str(first), str(end)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_later_runs_know_the_highest(tmp_path: Path) -> None:
    first = CrlNumbers(str(tmp_path))
    assert first.highest("a") is None
    for number in (5, 7, 6):
        first.note("a", number)
    first.note("b", 1)
    later = CrlNumbers(str(tmp_path))
    assert (later.highest("a"), later.highest("b"), later.highest("c")) == (7, 1, None)


def test_numbers_may_be_as_long_as_they_may_be(tmp_path: Path) -> None:
    CrlNumbers(str(tmp_path)).note("a", 2**159)
    assert CrlNumbers(str(tmp_path)).highest("a") == 2**159


def test_run_is_not_misled_by_what_others_see_meanwhile(tmp_path: Path) -> None:
    """Who began before another run saw number 7 may still be handed number 6 by a slower mirror."""
    CrlNumbers(str(tmp_path)).note("a", 5)
    mine, other = CrlNumbers(str(tmp_path)), CrlNumbers(str(tmp_path))
    other.note("a", 6)
    other.note("a", 7)
    assert mine.highest("a") == 5
    mine.note("a", 6)
    assert CrlNumbers(str(tmp_path)).highest("a") == 7


@pytest.mark.parametrize("damage", [b"", b"\0" * 90, b"x", b"0" * 5000])
def test_broken_note_is_none_and_is_replaced(tmp_path: Path, damage: bytes) -> None:
    CrlNumbers(str(tmp_path)).note("a", 5)
    [file] = (tmp_path / "numbers").iterdir()
    file.write_bytes(damage)
    numbers = CrlNumbers(str(tmp_path))
    assert numbers.highest("a") is None
    numbers.note("a", 3)
    assert CrlNumbers(str(tmp_path)).highest("a") == 3


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    CrlNumbers(str(tmp_path)).note("a", 5)
    [file] = (tmp_path / "numbers").iterdir()
    whole = file.read_bytes()
    for position in range(len(whole.rstrip())):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert CrlNumbers(str(tmp_path)).highest("a") is None, position


def test_what_no_run_has_seen_for_years_is_forgotten(tmp_path: Path) -> None:
    CrlNumbers(str(tmp_path)).note("old", 5)
    [file] = (tmp_path / "numbers").iterdir()
    line = json.dumps({"number": "5", "noted_at": time.time() - 4 * 365 * 86400, "before": None})
    file.write_text(f"{crl_numbers._digest(line)} {line}\n")
    assert CrlNumbers(str(tmp_path)).highest("old") == 5
    CrlNumbers(str(tmp_path)).note("new", 1)
    assert CrlNumbers(str(tmp_path)).highest("old") is None


def test_disk_that_cannot_be_used_remembers_nothing() -> None:
    numbers = CrlNumbers("/proc/nothing")
    numbers.note("a", 5)
    assert numbers.highest("a") is None


def test_kill_9_loses_nothing_that_was_noted(tmp_path: Path) -> None:
    chance = random.Random(9)
    said = 0
    for _round in range(8):
        process = raising(tmp_path, said + 1, said + 100_000)
        stdout = process.stdout
        if stdout is None:
            raise AssertionError("no output")
        said = int(stdout.readline())
        time.sleep(chance.uniform(0.0, 0.05))
        process.send_signal(signal.SIGKILL)
        rest = stdout.read().split()
        process.wait()
        stdout.close()
        said = max([said, *(int(word) for word in rest)])
        seen = CrlNumbers(str(tmp_path)).highest("stream")
        if seen is None:
            raise AssertionError("forgotten")
        assert said <= seen <= said + 1
        said = seen


def test_many_processes_end_with_the_highest(tmp_path: Path) -> None:
    processes = [raising(tmp_path, first, first + 40) for first in range(1, 9)]
    for process in processes:
        process.communicate(timeout=60)
    assert CrlNumbers(str(tmp_path)).highest("stream") == 47
