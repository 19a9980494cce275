# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""community.crypto as the benchmark's peer needs it: the collection below build/, and its library on the hosts.

The collection comes out of the package `ansible`, got by pip like everything else, with its hash checked. `make bench`
runs this file for it, because there is no network in a lab. Its modules need `cryptography` on each host, which the
lab's hosts don't have: they get a copy of this environment's.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))
from tests.support import from_ansible_package  # noqa: E402

COLLECTIONS = ROOT / "build" / "peer"
LIBRARIES = ("cryptography", "cffi", "_cffi_backend")
ON_HOST = Path("usr/lib/python3/dist-packages")


def is_there() -> bool:
    return from_ansible_package.is_there(COLLECTIONS)


def fetch() -> None:
    """Make COLLECTIONS a folder for ANSIBLE_COLLECTIONS_PATH, with the collection as it is wanted now."""
    from_ansible_package.fetch("community.crypto", COLLECTIONS)


def give_library(roots: Iterable[Path]) -> None:
    """Put `cryptography` where a host's Python (3.11, like this one's) looks for what its distribution brought."""
    for root in roots:
        for library in LIBRARIES:
            _copy(library, root / ON_HOST)


def _copy(library: str, target: Path) -> None:
    spec = find_spec(library)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{library} is not in this environment")
    origin = Path(spec.origin)
    if origin.name == "__init__.py":
        ignored = shutil.ignore_patterns("__pycache__", "*.pyi")
        shutil.copytree(origin.parent, target / library, dirs_exist_ok=True, ignore=ignored)
    else:
        shutil.copy2(origin, target / origin.name)


if __name__ == "__main__":
    fetch()
