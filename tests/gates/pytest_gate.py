# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of pytest tests in one of the environments, counted test by test."""

from __future__ import annotations

import collections
import os
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.gates.command import BUILD, ROOT, run, tool_environment
from tests.gates.outcome import Outcome
from tools.python_environments import Environment

# More would only wait for each other.
MOST_AT_ONCE = 8


def pytest_gate(
    environment: Environment,
    folder: str,
    *,
    side_by_side: bool = False,
    waits: bool = False,
    marker: str = "",
    left_out: Sequence[str] = (),
) -> Outcome:
    """The tests of a folder, those with the marker alone if one is given.

    :param waits: they wait for processes more than they work, so that there is room for half as many again.
    :param left_out: files and folders below it that have run elsewhere.

    A folder that is missing fails: a part of the project has been lost.
    """
    if not environment.is_ready:
        return Outcome.absent(f"none of Python {', '.join(environment.pythons)} is on this machine")
    for name in (folder, *left_out):
        if not (ROOT / name).exists():
            return Outcome(failed=1, output=f"{name} does not exist")
    report = BUILD / "reports" / f"{folder.replace('/', '-')}-{environment.name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [str(environment.python), "-m", "pytest", "-q", "--no-header", f"--junit-xml={report}", folder]
    command += [f"--ignore={name}" for name in left_out]
    if marker:
        command += ["-m", marker]
    if side_by_side:
        # File by file: what the tests of a file share is set up once.
        processors = os.cpu_count() or 1
        at_once = min(MOST_AT_ONCE, processors * 3 // 2 if waits else processors)
        command += [f"--numprocesses={at_once}", "--dist=loadfile"]
    status, output = run(command, environ=tool_environment(environment.python))
    return read_report(report, status, output)


def read_report(report: Path, status: int, output: str) -> Outcome:
    """Counts from pytest's XML; a run that ended badly without saying so is one failure more."""
    failed = skipped = passed = 0
    reasons: collections.Counter[str] = collections.Counter()
    for case in ElementTree.parse(report).iter("testcase") if report.is_file() else ():
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif skip is not None:
            skipped += 1
            reasons[re.sub(r"\s+", " ", skip.get("message", ""))] += 1
        else:
            passed += 1
    if status and not failed:
        failed = 1
    left_out = tuple(f"{count} × {reason}" if count > 1 else reason for reason, count in reasons.items())
    return Outcome(passed, failed, skipped, left_out, output if failed else "")
