# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a host module as Ansible does: its real ``main()`` in a process of its own, JSON in, JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PACKAGE = "ansible_collections.certops.rotation.plugins.modules"


class HostModules:
    """Calls modules against one root. ``before`` is put before the command, such as ``strace`` or ``nsenter``."""

    def __init__(self, root: Path, python: str = sys.executable, library: str | None = None) -> None:
        self.root = root
        self.python = python
        self.before: list[str] = []
        self.library = library or library_of_this_python()
        self.outputs: list[str] = []

    def run(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """The result; ``failed`` is in it if it failed. AssertionError if the module did not end in JSON."""
        process = self.start(module, check=check, **options)
        output, errors = process.communicate(timeout=120)
        return self.parse(output, errors)

    def start(self, module: str, *, check: bool = False, **options: Any) -> subprocess.Popen[str]:
        """The running process, which has been given its options."""
        if module != "service_reload":
            options.setdefault("root", str(self.root))
        arguments = dict(options, _ansible_check_mode=check, _ansible_diff=True)
        process = subprocess.Popen(
            [*self.before, self.python, "-m", f"{_PACKAGE}.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        process.stdin.close()
        process.stdin = None
        return process

    def parse(self, output: str, errors: str) -> dict[str, Any]:
        self.outputs.append(output + errors)
        try:
            result: dict[str, Any] = json.loads(output)
        except ValueError as exc:
            raise AssertionError(f"no JSON: {output!r} {errors}") from exc
        assert "Traceback" not in output + errors, output + errors
        return result

    def environment(self) -> Mapping[str, str]:
        collections = Path(__file__).resolve().parents[2] / "build" / "collections"
        return {
            "PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin",
            "PYTHONPATH": os.pathsep.join([str(collections), self.library]),
            "LC_ALL": "C.UTF-8",
            "HOME": os.environ.get("HOME", "/"),
        }


def library_of_this_python() -> str:
    """The folder that holds the ``ansible`` package of the tests."""
    import ansible

    return str(Path(ansible.__file__).parents[1])
