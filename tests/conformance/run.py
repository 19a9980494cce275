# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make conformance`: one line a suite, ``name passed/total``; what failed stands below its line.

    PYTHONPATH=build/collections python -m ansible_collections.certops.rotation.tests.conformance.run \
        [suite ...] [-k WORD] [--list] [--write-digests]

Suites run beside each other in processes of their own. The status is 1 if anything failed, or a suite is missing or
has fewer checks than its floor.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import importlib
import sys
import time
import traceback
import warnings
from collections.abc import Sequence

from ansible_collections.certops.rotation.tests.conformance.check import Check
from ansible_collections.certops.rotation.tests.conformance.registry import SUITES, Suite

AT_ONCE = 2


@dataclasses.dataclass(frozen=True)
class Report:
    """What one suite gave."""

    suite: str
    passed: int
    total: int
    seconds: float
    failures: tuple[str, ...]

    def lines(self) -> list[str]:
        shown = [f"{self.suite} {self.passed}/{self.total}"]
        return shown + [f"    {line}" for failure in self.failures for line in failure.splitlines()]


def checks_of(suite: Suite, word: str = "") -> list[Check]:
    module = importlib.import_module(suite.module)
    return [check for check in module.checks() if word in check.name]


def run_suite(suite: Suite, word: str = "") -> Report:
    """Never raises: what cannot be run is a failure. ``word`` chooses checks by name, and then no floor holds."""
    warnings.simplefilter("ignore")  # negative serials and the like are in what we judge on purpose
    started = time.monotonic()
    failures: list[str] = []
    total = 0
    try:
        # One by one: a suite may hold a server open as long as it yields.
        for check in importlib.import_module(suite.module).checks():
            if word in check.name:
                total += 1
                failures += _failure_of(check)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == suite.module
        failures.append("the suite is missing" if missing else traceback.format_exc())
        return Report(suite.name, total - len(failures) + 1, total, time.monotonic() - started, tuple(failures))
    passed = total - len(failures)
    if total < suite.floor and not word:
        failures.append(f"{total} checks, but there were at least {suite.floor}: some have been lost")
    return Report(suite.name, passed, total, time.monotonic() - started, tuple(failures))


def _failure_of(check: Check) -> list[str]:
    try:
        found = list(check.run())
    except Exception as error:
        where = traceback.format_tb(error.__traceback__)[-1]
        found = "".join([*traceback.format_exception_only(error), where]).splitlines()
    if not found:
        return []
    headline = f"{check.name}: {check.description.splitlines()[0] if check.description else ''}"
    return ["\n".join([headline, *(f"    {line}" for line in found)])]


def run_suites(suites: Sequence[Suite], word: str) -> list[Report]:
    with concurrent.futures.ProcessPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run_suite, suites, [word] * len(suites)))


def list_checks(suites: Sequence[Suite], word: str) -> None:
    for suite in suites:
        for check in checks_of(suite, word):
            print(f"{suite.name} {check.name}: {check.description}\n")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="conformance", description="judges the judge")
    parser.add_argument("suites", nargs="*", choices=[[], *(suite.name for suite in SUITES)])
    parser.add_argument("-k", dest="word", default="", help="only checks (topics of digests) with this in their name")
    parser.add_argument("--list", action="store_true", help="print the checks with their descriptions instead")
    parser.add_argument("--write-digests", action="store_true", help="take today's bytes of the vectors as right")
    options = parser.parse_args(arguments)
    suites = [suite for suite in SUITES if not options.suites or suite.name in options.suites]
    if options.write_digests:
        module = next(suite.module for suite in SUITES if suite.name == "vectors")
        importlib.import_module(module).write_digests(options.word)
        return 0
    if options.list:
        list_checks(suites, options.word)
        return 0
    reports = run_suites(suites, options.word)
    for report in reports:
        print("\n".join(report.lines()))
    return 1 if any(report.failures for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
