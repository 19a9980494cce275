# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work done in a second process, and what happens when one of the two is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.plugin_utils import beside as module
from ansible_collections.certops.rotation.plugins.plugin_utils.beside import Here, InAnotherProcess, beside

HERE = os.getpid()
COLLECTIONS = Path(module.__file__).parents[5]


def results(work: Callable[[Any], Any], values: list[Any]) -> list[Any]:
    with InAnotherProcess(work) as other:
        for value in values:
            other.give(value)
        return other.results()


def test_all_is_done_in_the_other_process_and_comes_back_in_order() -> None:
    found = results(lambda value: (value, os.getpid()), list(range(1000)))
    assert [value for value, _pid in found] == list(range(1000))
    assert len({pid for _value, pid in found}) == 1
    assert found[0][1] != HERE


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17])
def test_any_number_of_values(count: int) -> None:
    assert results(str, list(range(count))) == [str(number) for number in range(count)]


def test_more_than_fits_into_the_connection_in_either_direction() -> None:
    values = [bytes([number % 256]) * 50_000 for number in range(300)]
    assert results(lambda value: value * 2, values) == [value * 2 for value in values]


def test_waiting_for_one_value_holds_up_no_other() -> None:
    started = time.monotonic()
    results(lambda _value: time.sleep(0.2), list(range(160)))
    assert time.monotonic() - started < 160 * 0.2 / 4


def test_what_a_killed_process_left_undone_is_done_here() -> None:
    def work(value: int) -> tuple[int, bool]:
        if value == 500 and os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return value, os.getpid() == HERE

    found = results(work, list(range(1000)))
    assert [value for value, _here in found] == list(range(1000))
    assert found[500] == (500, True)


def test_what_work_raises_is_raised_here() -> None:
    def work(value: int) -> int:
        if value == 20:
            raise ValueError("no such number")
        return value

    with pytest.raises(ValueError, match="no such number"):
        results(work, list(range(100)))


def test_other_process_is_gone_when_the_block_is_left() -> None:
    started = time.monotonic()
    other: InAnotherProcess[int, None] = InAnotherProcess(lambda _value: time.sleep(60))
    with pytest.raises(KeyboardInterrupt), other:
        for value in range(100):
            other.give(value)
        raise KeyboardInterrupt
    assert time.monotonic() - started < 10
    with pytest.raises(ChildProcessError):
        os.waitpid(other._process, os.WNOHANG)


def test_other_process_ends_with_a_killed_one() -> None:
    program = (
        "import time\n"
        "from ansible_collections.certops.rotation.plugins.plugin_utils.beside import InAnotherProcess\n"
        "other = InAnotherProcess(time.sleep)\n"
        "for number in range(32): other.give(60)\n"
        "print(other._process, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        other = int(process.stdout.readline())
        process.kill()
    deadline = time.monotonic() + 20
    while is_running(other) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(other)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # nobody may be there to take note of its end


def test_few_values_or_one_processor_need_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not isinstance(beside(str, 10), InAnotherProcess)
    monkeypatch.setattr(module, "_processors", lambda: 1)
    assert not isinstance(beside(str, 10_000), InAnotherProcess)
    monkeypatch.setattr(module, "_processors", lambda: 2)
    with beside(str, 10_000) as other:
        assert isinstance(other, InAnotherProcess)


def test_here_waits_for_several_at_a_time() -> None:
    together = threading.Barrier(4, timeout=10)
    here: Here[int, bool] = Here(lambda _value: together.wait() >= 0)
    for value in range(4):
        here.give(value)
    assert here.results() == [True] * 4
