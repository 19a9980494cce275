# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host step as a lean execution sends it: its sources, packed once, and one request (decision 0007).

Packed where an action's file is imported: that is the parent process, so that no fork does it again.
"""

from __future__ import annotations

import json
import re
import shlex
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PACKAGE = "ansible_collections.certops.rotation.plugins.module_utils"
_UTILS = Path(__file__).resolve().parents[1] / "module_utils"
# Written by ruff and by us, imports are absolute and begin a line; a test compares with the syntax tree.
_IMPORT = re.compile(rf"^\s*from {re.escape(_PACKAGE)}\.([\w.]+) import ", re.MULTILINE)
# Isolated, and UTF-8 whatever the locale. What is read here must be readable for any Python.
_FLAGS = "-I -S -X utf8"
_START = (
    "import sys,gc;gc.disable();data=sys.stdin.buffer.read();"
    "sys.version_info>=(3,8) or sys.exit('Python 3.8 or newer is needed here, this is '+sys.version.split()[0]);"
    "import zlib;first=zlib.decompressobj();program={'__name__':'certops_lean'};"
    "exec(compile(first.decompress(data),'lean.py','exec'),program);program['main'](first.unused_data)"
)


@dataclass(frozen=True)
class LeanStep:
    """The step of one module. ``program`` is everything that is the same for each host."""

    module: str
    argument_spec: Mapping[str, Any]
    program: bytes

    def command(self, interpreter: str, environment: str) -> str:
        """What the host's shell runs; it holds nothing of the request, as it is shown to whoever asks for details."""
        return f"{environment} {shlex.quote(interpreter)} {_FLAGS} -c {shlex.quote(_START)}".strip()

    def input(self, request: Mapping[str, Any]) -> bytes:
        """What that Python reads: program, sources, request."""
        whole = {"package": f"{_PACKAGE}._host.", "step": f"step_{self.module}", **request}
        return self.program + zlib.compress(json.dumps(whole).encode("ascii"), 1)


def lean_step(module: str, argument_spec: Mapping[str, Any]) -> LeanStep:
    """The step of the module, whose options are ``argument_spec``."""
    sources = dict(sources_of(f"_host.step_{module}", "_host.outcome"))
    start = (_UTILS / "_host" / "lean.py").read_bytes()
    return LeanStep(module, argument_spec, zlib.compress(start) + zlib.compress(json.dumps(sources).encode("ascii")))


def sources_of(*names: str) -> Iterator[tuple[str, str]]:
    """(dotted name, source) of each file that these import, directly or not."""
    waiting, known = list(names), set(names)
    while waiting:
        name = waiting.pop()
        source = _UTILS.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8")
        yield f"{_PACKAGE}.{name}", source
        found = set(_IMPORT.findall(source)) - known
        known |= found
        waiting.extend(sorted(found))
