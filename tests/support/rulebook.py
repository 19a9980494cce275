# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real ansible-rulebook, with the rulebook of this collection, as a process of its own.

with Rulebook(place, inventory, variables) as rulebook:
    rulebook.polled(2)          # two polls have ended since it began
    rulebook.polls[-1]          # (places with news, places)
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.kill import kill

_POLLED = re.compile(r"(\d+) of (\d+) places looked at have news")


def why_no_rulebook() -> str | None:
    """Why it can't run here."""
    if not Path(playbook.command("ansible-rulebook")).exists():
        return "ansible-rulebook is not installed"
    if not shutil.which("java"):
        return "there is no Java, which ansible-rulebook needs"
    return None


class Rulebook:
    """``certops.rotation.rotate_revoked``; ended by ``with``, with all that it has started."""

    def __init__(self, place: Path, inventory: Path, variables: Mapping[str, Any]) -> None:
        self.place, self.inventory = place, inventory
        self.variables = place / "rulebook.json"
        self.log = place / "rulebook.log"
        self.variables.write_text(json.dumps(dict(variables)))
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def start(self) -> Self:
        command = [playbook.command("ansible-rulebook"), "--rulebook", "certops.rotation.rotate_revoked", "--verbose"]
        command += ["--inventory", str(self.inventory), "--vars", str(self.variables), "--print-events"]
        # It looks for ansible-playbook and ansible-galaxy there.
        path = f"{Path(playbook.command()).parent}{os.pathsep}{os.environ['PATH']}"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                command, cwd=self.place, env=playbook.environment(PATH=path), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, text=True, start_new_session=True,
            )  # fmt: skip
        return self

    def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None:
            kill(self._process)
            self._process = None

    @property
    def output(self) -> str:
        return self.log.read_text()

    @property
    def polls(self) -> list[tuple[int, int]]:
        """(places with news, places) of each poll so far."""
        return [(int(news), int(places)) for news, places in _POLLED.findall(self.output)]

    def polled(self, times: int = 1) -> None:
        """Wait until so many polls more have ended."""
        wanted = len(self.polls) + times
        self.wait(lambda: len(self.polls) >= wanted, f"{times} polls")

    def wait(self, is_so: Any, what: str, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no {what}: {self.output[-20000:]}")
            time.sleep(0.1)
