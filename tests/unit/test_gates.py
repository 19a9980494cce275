# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates themselves: what is left out somewhere has nothing to find there, and a gate that fails is a failure."""

from __future__ import annotations

import ast
import functools
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.gates import command, run
from tests.gates.command import ROOT, one_check, tool_environment
from tests.gates.outcome import Outcome
from tests.gates.pytest_gate import pytest_gate
from tests.gates.units import ABOUT_FILES, ROOMS_WITHOUT_ANSIBLE, WITHOUT_ANSIBLE
from tools.python_environments import Environment


def imports_of_ansible(path: Path) -> list[str]:
    """Modules of Ansible, which are not those of collections."""
    named: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            named += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            named.append(node.module or "")
    return [name for name in named if name.partition(".")[0] == "ansible"]


@pytest.mark.parametrize("room", ROOMS_WITHOUT_ANSIBLE)
def test_what_does_not_run_on_each_core_has_nothing_of_ansible(room: str) -> None:
    code = [*(ROOT / "plugins/module_utils" / room).rglob("*.py")]
    tests = [*(ROOT / "tests/unit/plugins/module_utils" / room).rglob("*.py")]
    assert code and tests
    for path in (*code, *tests):
        assert imports_of_ansible(path) == [], path


def test_about_files_do_not_ask_ansible() -> None:
    assert set(ABOUT_FILES) < set(WITHOUT_ANSIBLE)
    for name in ABOUT_FILES:
        assert imports_of_ansible(ROOT / name) == [], name


PASSES = run.Gate("g", "passes", lambda: Outcome(passed=2, left_out=("one thing",)), True)
FAILS = run.Gate("g", "fails", lambda: Outcome(passed=1, failed=1, output="what was wrong"), True)
BREAKS = run.Gate("h", "breaks", lambda: Outcome(passed=1 // 0), False)


def test_gates_beside_each_other_all_count(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(run, "GATES", (PASSES, FAILS, BREAKS))
    assert run.main([]) == 1
    said = capsys.readouterr().out
    assert said.endswith("failed: fails\nfailed: breaks\n3 passed, 2 failed, 0 skipped\n")
    assert "    what was wrong\n" in said and "ZeroDivisionError" in said and "skipped: passes: one thing" in said
    monkeypatch.setattr(run, "GATES", (PASSES,))
    assert run.main(["g"]) == 0 and run.main(["h"]) == 2


def test_gates_on_one_processor_run_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=20)

    def meet() -> Outcome:
        together.wait()
        return Outcome(passed=1)

    ended = run.run_beside_each_other([run.Gate("g", "one", meet, True), run.Gate("g", "other", meet, True)])
    assert [outcome.failed for outcome in ended.values()] == [0, 0]


def test_interrupted_run_leaves_no_tool_behind() -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    outcomes: list[Outcome] = []

    def long() -> Outcome:
        outcomes.append(one_check(sleep, environ=tool_environment(Path(sys.executable))))
        return outcomes[-1]

    def interrupt() -> Outcome:
        while not command._running:
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run_beside_each_other([run.Gate("g", "long", long, True), run.Gate("g", "stopped", interrupt, True)])
    assert [outcome.failed for outcome in outcomes] == [1]


def test_failing_test_fails_its_gate_and_what_is_left_out_is_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "test_wrong.py").write_text("def test_it(): assert False\n")
    (tmp_path / "test_right.py").write_text("def test_it(): pass\n")

    class Here(Environment):
        is_ready = True
        python = Path(sys.executable)

    gate = functools.partial(pytest_gate, Here("here", (), ""), str(tmp_path))
    outcome = gate()
    assert (outcome.passed, outcome.failed) == (1, 1) and "test_wrong.py" in outcome.output
    outcome = gate(left_out=[str(tmp_path / "test_wrong.py")])
    assert (outcome.passed, outcome.failed) == (1, 0)
    assert gate(left_out=[str(tmp_path / "test_lost.py")]).failed == 1
