# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates that are one tool with its settings file."""

from __future__ import annotations

from tests.gates.command import BUILD, COLLECTION, ROOT, one_check, run, tool_environment
from tests.gates.outcome import Outcome
from tools.python_environments import DEV

TYPED = ("plugins", "extensions", "tests", "demo", "tools")


def _dev_tool(*command: str) -> Outcome:
    return one_check(command, environ=tool_environment(DEV.python))


def ruff_check() -> Outcome:
    return _dev_tool("ruff", "check", "--quiet", "--output-format=concise")


def ruff_format() -> Outcome:
    return _dev_tool("ruff", "format", "--check", "--output-format=concise")


def mypy() -> Outcome:
    """By the path under build/collections, where each file has the name that Ansible imports it by."""
    folders = [str((COLLECTION / name).relative_to(ROOT)) for name in TYPED if (ROOT / name).is_dir()]
    status, output = run(
        ["mypy", f"--cache-dir={BUILD / 'mypy-cache'}", *folders],
        environ=tool_environment(DEV.python),
    )
    prefix = f"{COLLECTION.relative_to(ROOT)}/"
    return Outcome(passed=1) if status == 0 else Outcome(failed=1, output=output.replace(prefix, ""))


def ansible_lint() -> Outcome:
    return _dev_tool("ansible-lint", "--offline", "--profile=production", "--strict", "-q")


def collection_docs() -> Outcome:
    return _dev_tool("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", str(ROOT))


def changelog() -> Outcome:
    return _dev_tool("antsibull-changelog", "lint")


def documentation_site() -> Outcome:
    """Every warning of Sphinx is an error."""
    return _dev_tool(str(DEV.python), "-m", "tools.documentation")
