# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who imports what below plugins/, read from the syntax tree as Ansible's packer does: wherever an import stands."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = "ansible_collections.certops.rotation"


@dataclasses.dataclass(frozen=True)
class Import:
    path: Path
    line: int
    target: str
    names: tuple[str, ...] = ()

    @property
    def distribution(self) -> str:
        """The top-level name, or "" for an import of our own."""
        return "" if self.is_ours else self.target.partition(".")[0]

    @property
    def is_ours(self) -> bool:
        return self.target.startswith(f"{PACKAGE}.")


def imports_of(path: Path) -> Iterator[Import]:
    """Every import of a file; a relative one keeps its dots."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (Import(path, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            target = "." * node.level + (node.module or "")
            yield Import(path, node.lineno, target, tuple(alias.name for alias in node.names))


def files_meant(found: Import, plugins: Path) -> Iterator[Path]:
    """The files below plugins/ that an import of ours loads."""
    if not found.is_ours:
        return
    place = plugins.parent.joinpath(*found.target.removeprefix(f"{PACKAGE}.").split("."))
    for candidate in (place.with_suffix(".py"), *(place / f"{name}.py" for name in found.names)):
        if candidate.is_file():
            yield candidate


def closure(files: Iterable[Path], plugins: Path) -> list[Path]:
    """The files and all files of ours that they load, directly or not."""
    known: dict[Path, None] = {}
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        if path not in known:
            known[path] = None
            waiting.extend(target for found in imports_of(path) for target in files_meant(found, plugins))
    return sorted(known)


def dotted_name(path: Path, plugins: Path) -> str:
    return ".".join([PACKAGE, *path.relative_to(plugins.parent).with_suffix("").parts])
