# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One collection out of the package `ansible`, for tests that need a collection of others: no other source is needed.

The package is got by pip like everything else, with its hash checked, once; only the collection is kept.

    folder = fetch("awx.awx", REPOSITORY / "build" / "awx")      # for ANSIBLE_COLLECTIONS_PATH
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP = ROOT / "build" / "venv" / "bootstrap" / "bin" / "pip"
REQUIREMENTS = ROOT / "tests" / "bench" / "peer" / "requirements.txt"
_MARKER = "made-from"


def is_there(folder: Path) -> bool:
    marker = folder / _MARKER
    return marker.exists() and marker.read_text() == REQUIREMENTS.read_text()


def fetch(collection: str, folder: Path) -> Path:
    """Make ``folder`` one for ANSIBLE_COLLECTIONS_PATH, with the collection as it is wanted now; one at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_there(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _extract(f"ansible_collections/{collection.replace('.', '/')}/", folder)
            (folder / _MARKER).write_text(REQUIREMENTS.read_text())
    return folder


def _extract(wanted: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        command = [str(PIP), "--quiet", "--disable-pip-version-check", "download", "--no-deps", "--require-hashes"]
        subprocess.run([*command, "--dest", place, "-r", str(REQUIREMENTS)], check=True, capture_output=True)
        [wheel] = Path(place).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(wanted)])
