# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python environments under build/venv: one per ansible-core, each made from a lock file in requirements/.

Standard library only: this runs before there is a pip.
"""

from __future__ import annotations

import dataclasses
import glob
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / "build" / "venv"
STAMP = ".made-from"


@dataclasses.dataclass(frozen=True)
class Environment:
    """One environment: its lock file and the Python versions it may be made with, the preferred one first."""

    name: str
    pythons: tuple[str, ...]
    purpose: str
    optional: bool = False

    @property
    def folder(self) -> Path:
        return VENVS / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def lock(self) -> Path:
        return ROOT / "requirements" / f"{self.name}.txt"

    @property
    def lock_digest(self) -> str:
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()

    @property
    def is_ready(self) -> bool:
        """Made from today's lock file, and its interpreter is still on the machine."""
        stamp = self.folder / STAMP
        return os.access(self.python, os.X_OK) and stamp.is_file() and stamp.read_text("utf-8") == self.lock_digest


BOOTSTRAP = Environment("bootstrap", (), "uv, which makes the others")
DEMO = Environment("demo", ("3.11", "3.12", "3.13"), "ansible-core 2.19 and what the control node needs")
DEV = Environment("dev", ("3.11", "3.12", "3.13"), "the demo environment and all tools")
RELEASE = Environment("release", ("3.11", "3.12"), "galaxy-importer, whose old flake8 keeps it apart")
CORE_2_21 = Environment("core-2.21", ("3.12", "3.13", "3.14"), "units on ansible-core 2.21", optional=True)
CORE_2_17 = Environment("core-2.17", ("3.11", "3.12"), "units on ansible-core 2.17", optional=True)


class NoPython(Exception):
    """None of the Python versions that an environment may use is on this machine."""


def _candidates(version: str) -> Iterator[str]:
    home = os.path.expanduser("~")
    yield sys.executable
    yield from filter(None, [shutil.which(f"python{version}")])
    yield from filter(None, [shutil.which(f"python{version}", path="/usr/local/bin:/usr/bin")])
    pyenv = os.environ.get("PYENV_ROOT", f"{home}/.pyenv")
    yield from sorted(glob.glob(f"{pyenv}/versions/{version}*/bin/python{version}"), reverse=True)
    yield from sorted(glob.glob(f"{home}/.local/share/uv/python/*/bin/python{version}"), reverse=True)


def find_python(version: str) -> str | None:
    """Path of an interpreter that really is `version`: a pyenv shim may be on PATH and still refuse to run."""
    question = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys._base_executable or sys.executable)"
    for candidate in dict.fromkeys(_candidates(version)):
        asked = subprocess.run(
            [candidate, "-I", "-c", question], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        answer = asked.stdout.split("\n")
        if asked.returncode == 0 and answer[0] == version:
            return answer[1]
    return None


def make(environment: Environment) -> bool:
    """Bring one environment up to its lock file; False when it already was. Raises NoPython."""
    if environment.is_ready:
        return False
    python = next(filter(None, map(find_python, environment.pythons)), None)
    if python is None:
        versions = " or ".join(environment.pythons)
        raise NoPython(f"no Python {versions} found for the environment {environment.name} ({environment.purpose})")
    uv = _bootstrap()
    print(f"setup: making build/venv/{environment.name} ({environment.purpose}) with {python}", flush=True)
    shutil.rmtree(environment.folder, ignore_errors=True)
    _run([uv, "venv", "--quiet", "--no-python-downloads", "--python", python, str(environment.folder)])
    _install(uv, environment)
    return True


def _install(uv: str, environment: Environment) -> None:
    _run(
        [uv, "pip", "install", "--quiet", "--no-deps", "--python", str(environment.python), "-r", str(environment.lock)]
    )
    (environment.folder / STAMP).write_text(environment.lock_digest, "utf-8")


def _bootstrap() -> str:
    """Path of our own uv."""
    uv = str(BOOTSTRAP.folder / "bin" / "uv")
    if not BOOTSTRAP.is_ready:
        print("setup: making build/venv/bootstrap", flush=True)
        shutil.rmtree(BOOTSTRAP.folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(BOOTSTRAP.folder)])
        pip = [str(BOOTSTRAP.python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        _run([*pip, "-r", str(BOOTSTRAP.lock)])
        (BOOTSTRAP.folder / STAMP).write_text(BOOTSTRAP.lock_digest, "utf-8")
    return uv


def _run(command: list[str]) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    subprocess.run(command, stdin=subprocess.DEVNULL, env=environ, check=True)
