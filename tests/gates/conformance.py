# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tests/conformance`: each check of each suite counts; the line of each suite is shown, passed or not."""

from __future__ import annotations

import re

from tests.gates.command import COLLECTIONS, run, tool_environment
from tests.gates.outcome import Outcome
from tools.python_environments import DEV

RUNNER = "ansible_collections.certops.rotation.tests.conformance.run"
SUITE = re.compile(r"^\S+ (?P<passed>\d+)/(?P<total>\d+)$", re.MULTILINE)


def conformance() -> Outcome:
    environ = {**tool_environment(DEV.python), "PYTHONPATH": str(COLLECTIONS)}
    return read_report(*run([str(DEV.python), "-m", RUNNER], environ=environ))


def read_report(status: int, output: str) -> Outcome:
    """Counts from the lines of the suites; a run that ended badly without saying so is one failure more."""
    passed = failed = 0
    for suite in SUITE.finditer(output):
        passed += int(suite["passed"])
        failed += int(suite["total"]) - int(suite["passed"])
    if status and not failed:
        failed = 1
    return Outcome(passed, failed, output=output)
