# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the gates of the given groups, or all of them: `python -m tests.gates.run [group ...]`.

A gate that fails does not stop the others. What could not run is named with its reason, and counted; the last line
is `N passed, N failed, N skipped`.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import time
import traceback
from collections.abc import Callable, Sequence

from tests.gates import lab, tools
from tests.gates.conformance import conformance
from tests.gates.outcome import Outcome, total
from tests.gates.pytest_gate import pytest_gate
from tests.gates.release import release_check
from tests.gates.sanity import sanity
from tools.python_environments import CORE_2_17, CORE_2_21, DEV, Environment


@dataclasses.dataclass(frozen=True)
class Gate:
    group: str
    title: str
    run: Callable[[], Outcome]


def _side_by_side(environment: Environment, folder: str, marker: str = "") -> Callable[[], Outcome]:
    waits = folder.startswith("tests/integration")
    return functools.partial(pytest_gate, environment, folder, side_by_side=True, waits=waits, marker=marker)


GATES = (
    Gate("lint", "ruff check", tools.ruff_check),
    Gate("lint", "ruff format", tools.ruff_format),
    Gate("types", "mypy", tools.mypy),
    Gate("units", "units on ansible-core 2.19", _side_by_side(DEV, "tests/unit")),
    Gate("units", "units on ansible-core 2.21", _side_by_side(CORE_2_21, "tests/unit")),
    Gate("units", "units on ansible-core 2.17", _side_by_side(CORE_2_17, "tests/unit")),
    Gate("conformance", "conformance of verdicts", conformance),
    Gate("lint", "ansible-lint", tools.ansible_lint),
    Gate("sanity", "ansible-test sanity", sanity),
    Gate("docs-lint", "antsibull-docs", tools.collection_docs),
    Gate("docs-lint", "antsibull-changelog", tools.changelog),
    Gate("docs-lint", "documentation site", tools.documentation_site),
    Gate("release-check", "a release would be made", release_check),
    Gate("integration", "integration: real servers", _side_by_side(DEV, "tests/integration")),
    Gate("integration", "integration on core 2.21", _side_by_side(CORE_2_21, "tests/integration/rotate", "each_core")),
    Gate("integration", "integration on core 2.17", _side_by_side(CORE_2_17, "tests/integration/rotate", "each_core")),
    Gate("lab-test", "the lab itself", functools.partial(pytest_gate, DEV, "tests/lab")),
    Gate("lab-test", "molecule in the lab", lab.molecule),
)


def run_gate(gate: Gate) -> Outcome:
    """Run one gate and print its line; what a failure printed comes below the line."""
    print(f"{gate.title:<28}", end="", flush=True)
    started = time.monotonic()
    try:
        outcome = gate.run()
    except Exception:  # a gate that breaks is a gate that failed; the others still run
        outcome = Outcome(failed=1, output=traceback.format_exc())
    counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
    print(f"{outcome.word:<8}{time.monotonic() - started:7.1f} s   {counts}", flush=True)
    if outcome.output:
        print("\n".join(f"    {line}" for line in outcome.output.rstrip().splitlines()), flush=True)
    return dataclasses.replace(outcome, left_out=tuple(f"{gate.title}: {text}" for text in outcome.left_out))


def main(groups: Sequence[str]) -> int:
    unknown = set(groups) - {gate.group for gate in GATES}
    if unknown:
        print(f"no such gates: {' '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [gate for gate in GATES if not groups or gate.group in groups]
    outcomes = {gate.title: run_gate(gate) for gate in chosen}
    sum_of_all = total(outcomes.values())
    print()
    for text in sum_of_all.left_out:
        print(f"skipped: {text}")
    for title, outcome in outcomes.items():
        if outcome.failed:
            print(f"failed: {title}")
    print(f"{sum_of_all.passed} passed, {sum_of_all.failed} failed, {sum_of_all.skipped} skipped")
    return 1 if sum_of_all.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
