# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a commit of the work tree holds, and a copy of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tools.release.refusal import Refused


def _git(root: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    ).stdout


def must_be_clean(root: Path) -> None:
    changed = _git(root, "status", "--porcelain")
    if changed:
        raise Refused(f"the work tree is not clean: commit or remove\n{changed}")


def tracked_files(root: Path) -> list[str]:
    """What a commit of the work tree as it is would hold."""
    listing = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return [name for name in dict.fromkeys(listing.split("\0")) if name and (root / name).is_file()]


def copy_tree(root: Path, destination: Path) -> None:
    """Only what a commit would hold: nothing that lies about in the work tree gets into an artifact."""
    shutil.rmtree(destination, ignore_errors=True)
    for name in tracked_files(root):
        copied = destination / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copied, follow_symlinks=False)
    # Tools that ask git what is ignored would otherwise ask the repository around the copy, which ignores all of it.
    _git(destination, "init", "--quiet")
