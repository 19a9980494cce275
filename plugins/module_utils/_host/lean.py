# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a lean execution: what a host's Python runs instead of Ansible's wrapper around a module.

It is the first thing that arrives, alone: nothing of ours can be imported before ``Sources`` is in place. What follows
it is compressed: the sources of the step, then the request (decision 0007).
"""

from __future__ import annotations

import gc
import json
import os
import sys
import zlib
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Sources:
    """Imports from a dictionary of sources, each compiled only when something imports it."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources
        self._packages = {name[:at] for name in sources for at, sign in enumerate(name) if sign == "."}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name in self._sources:
            return ModuleSpec(name, self)  # type: ignore[arg-type]
        return ModuleSpec(name, self, is_package=True) if name in self._packages else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual kind of module."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name in self._sources:
            file_name = name.replace(".", "/") + ".py"
            exec(compile(self._sources[name], file_name, "exec", dont_inherit=True), module.__dict__)


def main(data: bytes) -> None:
    """Run the step of the request, and print its answer as one line behind the request's mark."""
    unpacking = zlib.decompressobj()
    sources = json.loads(unpacking.decompress(data))
    request = json.loads(zlib.decompress(unpacking.unused_data))
    note(request)
    sys.meta_path.insert(0, Sources(sources))
    answer = outcome(request)
    # A line of its own: a shell or a login message may have left one unfinished.
    sys.stdout.write("\n" + request["mark"] + json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # nothing is left to tidy up, and taking an interpreter down takes its time


def outcome(request: dict[str, Any]) -> dict[str, Any]:
    step = __import__(request["package"] + request["step"], fromlist=["carry_out"])
    outcome_of = __import__(request["package"] + "outcome", fromlist=["outcome_of"]).outcome_of
    gc.freeze()
    gc.enable()  # it was off while everything was loaded, which takes a tenth less time
    answer: dict[str, Any] = outcome_of(step.carry_out, request["params"], request["check_mode"])
    return answer


def note(request: dict[str, Any]) -> None:
    """Leave in the host's log what a module leaves there."""
    if request["log"]:
        import syslog

        syslog.openlog(request["log"]["name"], 0, getattr(syslog, request["log"]["facility"], syslog.LOG_USER))
        syslog.syslog(syslog.LOG_INFO, request["log"]["message"])
