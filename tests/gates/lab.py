# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenarios, inside the lab of tests/lab; it needs root."""

from __future__ import annotations

import os

from tests.gates.command import BUILD, ROOT, run, tool_environment
from tests.gates.outcome import Outcome, total
from tests.gates.pytest_gate import read_report
from tests.support.own_cache import own_cache
from tools.python_environments import DEV

LAB = [str(DEV.python), str(ROOT / "tests" / "lab" / "lab.py")]
SCENARIOS = ROOT / "extensions" / "molecule"


def scenarios() -> list[str]:
    return sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml"))


def molecule() -> Outcome:
    """Every scenario from create to destroy; one scenario is one count, unless it runs tests that have a report."""
    names = scenarios()
    if not names:
        return Outcome(failed=1, output="extensions/molecule holds no scenario")
    environ = tool_environment(DEV.python) | own_cache(BUILD / "cache")
    status, why_not = run([*LAB, "check"], environ=environ, timeout=60)
    if status:
        reason = why_not.strip().splitlines()[-1]
        return Outcome(skipped=len(names), left_out=tuple(f"scenario {name}: {reason}" for name in names))
    return total(_scenario(name, environ) for name in names)


def _scenario(name: str, environ: dict[str, str]) -> Outcome:
    inside = ["molecule", "test", "--scenario-name", name]
    command = [*LAB, "with", "--quiet", "--name", f"molecule{os.getpid()}", "--hosts", "0", "--", *inside]
    report = BUILD / "reports" / f"molecule-{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    status, output = run(command, environ=environ, cwd=ROOT)
    if report.is_file():
        return read_report(report, status, output)
    return Outcome(passed=1) if status == 0 else Outcome(failed=1, output=output)
