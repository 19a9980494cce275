# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that `make demo` or `make test` needs, on a machine that has git, make and python3 alone.

Looks first and installs only what is missing; a second run takes a fraction of a second.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tools import python_environments, system_packages
from tools.python_environments import CORE_2_17, CORE_2_21, DEMO, DEV, RELEASE, ROOT

COLLECTION = ROOT / "build" / "collections" / "ansible_collections" / "certops" / "rotation"


def link_collection() -> None:
    """Ansible finds a collection by its path only, so give this work tree one under build/collections."""
    target = os.path.relpath(ROOT, COLLECTION.parent)
    if COLLECTION.is_symlink() and os.readlink(COLLECTION) == target:
        return
    COLLECTION.parent.mkdir(parents=True, exist_ok=True)
    COLLECTION.unlink(missing_ok=True)
    COLLECTION.symlink_to(target)


def install_if_possible(profile: str) -> None:
    """Packages that a few tests need, and that are named as missing where they cannot be had."""
    missing = system_packages.missing_packages(ROOT / "bindep.txt", [profile])
    try:
        if missing:
            system_packages.install(missing)
    except system_packages.PackagesMissing as absent:
        print(f"setup: left out: {absent}")


def main(purpose: str) -> int:
    profiles = {"demo": ["demo"], "test": ["test"]}[purpose]
    # The lab needs root anyway, so nobody else is asked for its packages.
    if purpose == "test" and os.geteuid() == 0:
        profiles.append("lab")
    try:
        missing = system_packages.missing_packages(ROOT / "bindep.txt", profiles)
        if missing:
            system_packages.install(missing)
        if purpose == "test":
            install_if_possible("browser")
        link_collection()
        for environment in [DEMO] if purpose == "demo" else [DEV, RELEASE, CORE_2_21, CORE_2_17]:
            try:
                python_environments.make(environment)
            except python_environments.NoPython as absent:
                if not environment.optional:
                    raise
                print(f"setup: left out: {absent}")
    except (system_packages.PackagesMissing, python_environments.NoPython) as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        print(f"setup: failed with status {failure.returncode}: {' '.join(failure.cmd)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "test"))
