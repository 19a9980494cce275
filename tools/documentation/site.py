# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site: a folder of static files in build/docs, made from the code and docs/ without a network.

site = ensure()   # its folder; built anew only if something it is made from has changed
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.documentation import collected
from tools.python_environments import ROOT

SITE = ROOT / "build" / "docs"
PAGES = ROOT / "build" / "docs-pages"
STAMP = ".made-from"
COLLECTIONS = ROOT / "build" / "collections"
# What the site is made from, below the repository.
SOURCES = (
    "changelogs", "docs", "extensions/eda", "galaxy.yml", "meta", "playbooks", "plugins", "README.md", "roles",
    "tools/documentation",
)  # fmt: skip


class NotBuilt(Exception):
    """A tool has refused a page; the message is what it said."""


def ensure() -> Path:
    """The site as of now. Two processes that ask at once get one site, built once."""
    PAGES.parent.mkdir(exist_ok=True)
    with open(PAGES.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, now = SITE / STAMP, digest_of_sources()
        if not stamp.is_file() or stamp.read_text("utf-8") != now:
            build(SITE)
            stamp.write_text(now, "utf-8")
    return SITE


def digest_of_sources() -> str:
    digest = hashlib.sha256()
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def build(site: Path) -> None:
    """Every warning is an error, and so is a reference that leads nowhere."""
    shutil.rmtree(PAGES, ignore_errors=True)
    # antsibull-docs refuses a folder that others may write to.
    reference = PAGES / "collection"
    reference.mkdir(mode=0o755, parents=True)
    _run(
        "antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error",
        "--dest-dir", str(reference), "certops.rotation",
    )  # fmt: skip
    collected.collect(ROOT, PAGES)
    shutil.rmtree(site, ignore_errors=True)
    _run(
        "sphinx-build", "--builder", "html", "--nitpicky", "--fail-on-warning", "--quiet", "--jobs", "auto",
        "--doctree-dir", str(PAGES / ".doctrees"), str(PAGES), str(site),
    )  # fmt: skip
    # What Sphinx would need for the next build, and nobody reads.
    (site / ".buildinfo").unlink(missing_ok=True)


def _run(tool: str, *arguments: str) -> None:
    programs = Path(sys.executable).parent
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environ.update(
        ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
        LC_ALL="C.UTF-8",
        PATH=os.pathsep.join([str(programs), environ.get("PATH", os.defpath)]),
    )
    ended = subprocess.run(
        [str(programs / tool), *arguments], cwd=ROOT, env=environ, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise NotBuilt(f"{tool}: {ended.stdout.strip()}")
