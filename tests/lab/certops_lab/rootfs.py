# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root file system all hosts share read-only: built once by mmdebstrap, then taken from the cache."""

from __future__ import annotations

import os
from pathlib import Path

from certops_lab import apt, recipe
from certops_lab.command import run
from certops_lab.errors import LabError
from certops_lab.lock import locked_file
from certops_lab.progress import Progress

BUILD_SECONDS = 900


def cache_directory() -> Path:
    """CERTOPS_LAB_CACHE, or certops-lab below the user's cache directory."""
    override = os.environ.get("CERTOPS_LAB_CACHE")
    if override:
        return Path(override).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "certops-lab"


def rootfs_path() -> Path:
    return cache_directory() / recipe.digest()


def is_built() -> bool:
    return rootfs_path().is_dir()


def ensure_rootfs(progress: Progress) -> Path:
    """Path of the finished rootfs; builds it if this recipe has none yet."""
    path = rootfs_path()
    if is_built():
        return path
    _refuse_inside_git(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked_file(path.parent / "lock"), progress.step(f"build rootfs {path} (once)"):
        if not is_built():  # else another lab built it while this one waited
            _build(path)
    return path


def _build(path: Path) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    _delete_tree(unfinished)
    try:
        run(_mmdebstrap(unfinished), text="\n".join(apt.sources_for(recipe.SUITE)), timeout=BUILD_SECONDS)
        _finish(unfinished)
    except BaseException:
        _delete_tree(unfinished)
        raise
    unfinished.rename(path)


def _mmdebstrap(target: Path) -> list[str]:
    command = ["mmdebstrap", "--quiet", "--mode=root", "--format=directory", "--variant=apt"]
    command.append(f"--include={','.join(recipe.PACKAGES)}")
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.EXCLUDED_PATHS]
    command += [f"--aptopt={line}" for line in apt.settings()]
    command += [recipe.SUITE, str(target)]
    if apt.sources_for(recipe.SUITE):
        command.append("-")  # the sources come by standard input; without them mmdebstrap takes Debian's own mirror
    return command


def _finish(root: Path) -> None:
    for pattern in recipe.REMOVED:
        for path in root.glob(pattern):
            path.unlink()
    for name, content in recipe.FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # may be a link to a file that exists on this machine
        path.write_text(content)
    for unit in recipe.MASKED_UNITS:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")


def _delete_tree(path: Path) -> None:
    if not path.exists():
        return
    # A killed build could have left something of this machine mounted in there.
    run(["rm", "-rf", "--one-file-system", "--", str(path)])


def _refuse_inside_git(path: Path) -> None:
    for parent in path.parents:
        if (parent / ".git").exists():
            raise LabError(f"the cache {path.parent} is inside the git tree {parent}: set CERTOPS_LAB_CACHE elsewhere")
