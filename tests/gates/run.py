# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the gates of the given groups, or all of them: `python -m tests.gates.run [group ...]`.

Gates that keep one processor busy come first and run beside each other, the others use all of them and run one by one.
A gate that fails does not stop the others. What could not run is named with its reason, and counted; the last line
is `N passed, N failed, N skipped`.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence

from tests.gates import lab, tools
from tests.gates.command import end_running
from tests.gates.conformance import conformance
from tests.gates.outcome import Outcome, total
from tests.gates.pytest_gate import pytest_gate
from tests.gates.release import release_check
from tests.gates.sanity import sanity
from tests.gates.units import ABOUT_FILES, WITHOUT_ANSIBLE
from tools.python_environments import CORE_2_17, CORE_2_21, DEV, Environment


@dataclasses.dataclass(frozen=True)
class Gate:
    """:param one_processor: it keeps no more than one busy, so that others of its kind can run beside it."""

    group: str
    title: str
    run: Callable[[], Outcome]
    one_processor: bool = False


def _side_by_side(
    environment: Environment, folder: str, marker: str = "", left_out: Sequence[str] = ()
) -> Callable[[], Outcome]:
    waits = folder.startswith("tests/integration")
    return functools.partial(
        pytest_gate, environment, folder, side_by_side=True, waits=waits, marker=marker, left_out=left_out
    )


# Those on one processor come first, longest first.
GATES = (
    Gate("lint", "ruff check", tools.ruff_check, True),
    Gate("lint", "ruff format", tools.ruff_format, True),
    Gate("sanity", "ansible-test sanity", sanity, True),
    Gate("docs-lint", "documentation site", tools.documentation_site, True),
    Gate("release-check", "a release would be made", release_check, True),
    Gate("lint", "ansible-lint", tools.ansible_lint, True),
    Gate("docs-lint", "antsibull-docs", tools.collection_docs, True),
    Gate("types", "mypy", tools.mypy, True),
    Gate("docs-lint", "antsibull-changelog", tools.changelog, True),
    Gate("units", "units on ansible-core 2.19", _side_by_side(DEV, "tests/unit")),
    Gate("units", "units on ansible-core 2.21", _side_by_side(CORE_2_21, "tests/unit", left_out=ABOUT_FILES)),
    Gate("units", "units on ansible-core 2.17", _side_by_side(CORE_2_17, "tests/unit", left_out=WITHOUT_ANSIBLE)),
    Gate("conformance", "conformance of verdicts", conformance),
    Gate("integration", "integration: real servers", _side_by_side(DEV, "tests/integration")),
    Gate("integration", "integration on core 2.21", _side_by_side(CORE_2_21, "tests/integration/rotate", "each_core")),
    Gate("integration", "integration on core 2.17", _side_by_side(CORE_2_17, "tests/integration/rotate", "each_core")),
    Gate("lab-test", "the lab itself", functools.partial(pytest_gate, DEV, "tests/lab")),
    Gate("lab-test", "molecule in the lab", lab.molecule),
)


def run_gate(gate: Gate) -> tuple[Outcome, float]:
    """How it ended, and the seconds it took."""
    started = time.monotonic()
    try:
        outcome = gate.run()
    except Exception:  # a gate that breaks is a gate that failed; the others still run
        outcome = Outcome(failed=1, output=traceback.format_exc())
    left_out = tuple(f"{gate.title}: {text}" for text in outcome.left_out)
    return dataclasses.replace(outcome, left_out=left_out), time.monotonic() - started


def show(gate: Gate, outcome: Outcome, seconds: float, before: str) -> None:
    """The gate's line, behind what stands in it already; what a failure printed comes below."""
    counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
    print(f"{before}{outcome.word:<8}{seconds:7.1f} s   {counts}", flush=True)
    if outcome.output:
        print("\n".join(f"    {line}" for line in outcome.output.rstrip().splitlines()), flush=True)


def run_beside_each_other(gates: Sequence[Gate]) -> dict[str, Outcome]:
    """As many at once as there are processors; each is shown when it has ended."""
    outcomes: dict[str, Outcome] = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            running = {pool.submit(run_gate, gate): gate for gate in gates}
            for ended in concurrent.futures.as_completed(running):
                gate = running[ended]
                outcomes[gate.title], seconds = ended.result()
                show(gate, outcomes[gate.title], seconds, f"{gate.title:<28}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            end_running()
            raise
    return outcomes


def run_one_by_one(gates: Sequence[Gate]) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    for gate in gates:
        print(f"{gate.title:<28}", end="", flush=True)
        outcomes[gate.title], seconds = run_gate(gate)
        show(gate, outcomes[gate.title], seconds, "")
    return outcomes


def main(groups: Sequence[str]) -> int:
    unknown = set(groups) - {gate.group for gate in GATES}
    if unknown:
        print(f"no such gates: {' '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [gate for gate in GATES if not groups or gate.group in groups]
    outcomes = run_beside_each_other([gate for gate in chosen if gate.one_processor])
    outcomes |= run_one_by_one([gate for gate in chosen if not gate.one_processor])
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
