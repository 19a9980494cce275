# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-test sanity`, on a real copy of the work tree and with a home directory of its own.

ansible-test refuses a collection path that is a symlink, and keeps virtual environments and downloads in the
home directory; both are given to it below build/sanity, where the environments are found again by the next run.
"""

from __future__ import annotations

import configparser
import fcntl
import os
import re
import shutil
from pathlib import Path

from tests.gates.command import BUILD, ROOT, run, tool_environment
from tests.gates.outcome import Outcome
from tools.python_environments import DEV, find_python
from tools.release import source

PLACE = BUILD / "sanity"
HOME = PLACE / "home"
COPY = PLACE / "ansible_collections" / "certops" / "rotation"
PYTHONS = PLACE / "pythons"
# All that this ansible-core supports on hosts; those that the machine has are used.
TARGET_PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
# ansible-test wants this file from its own server, to put a pip into an empty environment; Python has one with it.
PIP_STAND_IN = """\
import runpy, sys
sys.argv = ["ensurepip", "--upgrade", "--default-pip"]
runpy.run_module("ensurepip", run_name="__main__")
"""
RAN = re.compile(r'^Running sanity test "', re.MULTILINE)
# Not tests of ours: some Python that this machine has not got, or a program such as pwsh.
SKIPPED = re.compile(r'^WARNING: Skipping sanity test "(?P<test>[^"]+)"(?: on (?P<python>Python \S+))?', re.MULTILINE)
ISSUES = re.compile(r"^ERROR: Found \d+ .* issue", re.MULTILINE)
FAILED = re.compile(r"^FATAL: The (?P<count>\d+) sanity test\(s\) listed below", re.MULTILINE)


def _stand_in_for_get_pip() -> None:
    """One file for each version of pip that this ansible-test asks for."""
    source = next(DEV.folder.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"))
    for version in set(re.findall(r"pip='([0-9.]+)'", source.read_text("utf-8"))):
        script = HOME / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(PIP_STAND_IN, "utf-8")


def _offer_pythons() -> None:
    """Links to the interpreters that ansible-test may use; it takes any python3.x on PATH, working or not."""
    shutil.rmtree(PYTHONS, ignore_errors=True)
    PYTHONS.mkdir(parents=True)
    for version in TARGET_PYTHONS:
        path = find_python(version)
        if path:
            (PYTHONS / f"python{version}").symlink_to(path)


def _settings_of_pip() -> None:
    """ansible-test hands on neither PIP_ variables nor the user's home: both go into a file of the home it gets."""
    settings = configparser.ConfigParser(interpolation=None)
    user_home = Path.home()
    settings.read([user_home / ".pip" / "pip.conf", user_home / ".config" / "pip" / "pip.conf"])
    by_variable = {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE"
    }
    ours = {"quiet": "2", "cache-dir": str(user_home / ".cache" / "pip"), **by_variable}
    settings.read_dict({"global": ours})
    place = HOME / ".config" / "pip" / "pip.conf"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w", encoding="utf-8") as file:
        settings.write(file)


def _environment() -> dict[str, str]:
    environ = tool_environment(DEV.python)
    folders = [folder for folder in environ["PATH"].split(os.pathsep) if Path(folder).name != "shims"]
    environ["PATH"] = os.pathsep.join([folders[0], str(PYTHONS), *folders[1:]])
    environ["HOME"] = str(HOME)
    return environ


def read_report(status: int, output: str) -> Outcome:
    """Counts from what ansible-test printed; one test on one Python is one count."""
    failed = sum(int(match["count"]) for match in FAILED.finditer(output))
    if status and not failed:  # it broke before its summary
        failed = len(ISSUES.findall(output)) + 1
    not_run: dict[str, list[str]] = {}
    for match in SKIPPED.finditer(output):
        not_run.setdefault(match["python"] or "a program it needs", []).append(match["test"])
    return Outcome(
        passed=max(len(RAN.findall(output)) - failed, 0),
        failed=failed,
        skipped=sum(map(len, not_run.values())),
        left_out=tuple(f"{' and '.join(tests)}: {what} is not on this machine" for what, tests in not_run.items()),
        output=output if failed else "",
    )


def sanity() -> Outcome:
    """Every sanity test of this ansible-core that applies to a collection."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs in one checkout would pull the copy from under each other
        source.copy_tree(ROOT, COPY)
        _settings_of_pip()
        _stand_in_for_get_pip()
        _offer_pythons()
        command = [str(DEV.folder / "bin" / "ansible-test"), "sanity", "--color", "no"]
        return read_report(*run(command, environ=_environment(), cwd=COPY))
