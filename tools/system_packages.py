# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system packages of bindep.txt: which are wanted, which are missing, and how to get them.

Standard library only: this runs before there is a pip.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

# A package also counts as present when what we need of it is there by other means (nginx.org's build, pyenv's Python).
PROGRAM_OF = {
    "chromium": "chromium",
    "chromium-driver": "chromedriver",
    "git": "git",
    "iproute2": "ip",
    "mmdebstrap": "mmdebstrap",
    "nginx": "nginx",
    "openssh-client": "ssh",
    "openssl": "openssl",
    "systemd-container": "systemd-nspawn",
    "wrk": "wrk",
}
MODULE_OF = {"python3-venv": "ensurepip"}
# Debian keeps servers here, outside an ordinary user's PATH.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
RULE = re.compile(r"^(?P<name>[^\s\[]+)(?:\s+\[(?P<selectors>[^\]]*)\])?$")


class PackagesMissing(Exception):
    """Packages that we may not install; the message names them."""


def wanted_packages(bindep: str, profiles: Iterable[str]) -> list[str]:
    """Names in a bindep.txt for Debian and the given profiles; rules without a profile are always wanted."""
    chosen = set(profiles)
    names = []
    for line in bindep.splitlines():
        rule = RULE.match(line.split("#", 1)[0].strip())
        if not rule:
            continue
        selectors = (rule["selectors"] or "").split()
        platforms = {word for word in selectors if word.startswith("platform:")}
        wanted_by = set(selectors) - platforms
        if (not platforms or "platform:dpkg" in platforms) and (not wanted_by or wanted_by & chosen):
            names.append(rule["name"])
    return names


def is_present(package: str) -> bool:
    if package in MODULE_OF:
        return _run([sys.executable, "-c", f"import {MODULE_OF[package]}"]).returncode == 0
    if package in PROGRAM_OF:
        return shutil.which(PROGRAM_OF[package], path=SEARCH_PATH) is not None
    return _run(["dpkg-query", "--show", "--showformat", "${db:Status-Status}", package]).stdout == "installed"


def missing_packages(bindep: Path, profiles: Iterable[str]) -> list[str]:
    return [name for name in wanted_packages(bindep.read_text("utf-8"), profiles) if not is_present(name)]


def _root_prefix() -> list[str] | None:
    """What to put before a command that needs root; None where there is no way without a password."""
    if os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if shutil.which("sudo") and _run(["sudo", "-n", "true"]).returncode == 0 else None


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def install(packages: list[str]) -> None:
    """Install with apt, or raise PackagesMissing with the command that a person with root can run."""
    by_hand = f"as root: apt-get install --no-install-recommends {' '.join(packages)}"
    prefix = _root_prefix()
    if prefix is None or not shutil.which("apt-get"):
        raise PackagesMissing(f"missing system packages: {' '.join(packages)}\ninstall them, {by_hand}")
    print(f"setup: installing system packages: {' '.join(packages)}", flush=True)
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    # A stale or foreign list must not stop us: what matters is whether the install succeeds.
    _run([*apt, "update"])
    done = _run([*apt, "install", "-y", "--no-install-recommends", *packages])
    if done.returncode:
        raise PackagesMissing(f"{done.stdout}\napt-get failed for: {' '.join(packages)}\ninstall them, {by_hand}")
