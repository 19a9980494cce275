# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-playbook` of the Python that runs this, as a process of its own, on the collection of this checkout."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTIONS = REPOSITORY / "build" / "collections"


@dataclasses.dataclass(frozen=True)
class Run:
    """How a playbook ended, and what it printed."""

    returncode: int
    output: str

    @property
    def changed(self) -> dict[str, int]:
        return self._recap("changed")

    @property
    def failed(self) -> dict[str, int]:
        return self._recap("failed")

    def _recap(self, word: str) -> dict[str, int]:
        recap = self.output.partition("PLAY RECAP")[2]
        lines = [line for line in recap.splitlines() if " : ok=" in line]
        return {line.split()[0]: int(line.partition(f"{word}=")[2].split()[0]) for line in lines}


def command(name: str = "ansible-playbook") -> str:
    return str(Path(sys.executable).parent / name)


def environment(**more: str) -> dict[str, str]:
    """The variables of this process, without what would make a run depend on the machine's user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_PIPELINING": "1",
        **more,
    }


def start(
    playbook: str | Path, inventory: str | Path, arguments: Sequence[str] = (), *, cwd: Path, **more: str
) -> subprocess.Popen[str]:
    """Start a playbook in a process group of its own; the caller ends it."""
    return subprocess.Popen(
        [command(), "-i", str(inventory), str(playbook), *arguments],
        cwd=cwd, env=environment(**more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def run(
    playbook: str | Path,
    inventory: str | Path,
    arguments: Sequence[str] = (),
    *,
    cwd: Path,
    timeout: float = 180,
    **more: str,
) -> Run:
    """Run a playbook (a path, or a name of the collection's) to its end."""
    with start(playbook, inventory, arguments, cwd=cwd, **more) as process:
        try:
            output, _nothing = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Run(process.returncode, output)


def write_inventory(path: Path, hosts: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any]) -> Path:
    """An inventory file; JSON is YAML."""
    path.write_text(json.dumps({"all": {"hosts": dict(hosts), "vars": dict(variables)}}, indent=2))
    return path
