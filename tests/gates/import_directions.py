# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports go one way: modules, action -> plugin_utils -> _ansible -> _issuers -> _fetch, _host -> _core.

A room may use what is listed for it and nothing else. The core judges bytes at a given time, so it may not even name
what reads a file, a clock, a socket or the environment.
"""

from __future__ import annotations

import ast
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.certops.rotation.tests.gates.collection_imports import (
    PACKAGE,
    Import,
    imports_of,
)


@dataclasses.dataclass(frozen=True)
class Room:
    """What the files of one folder may import: rooms of ours, and distributions beside the standard library."""

    rooms: frozenset[str]
    libraries: frozenset[str] = frozenset()


def _room(rooms: str = "", libraries: str = "") -> Room:
    return Room(frozenset(rooms.split()), frozenset(libraries.split()))


ROOMS = {
    "_core": _room("", "cryptography"),
    "_host": _room("_core"),
    "_fetch": _room("_core", "ansible cryptography OpenSSL dns"),
    "_issuers": _room("_core _fetch", "cryptography acme josepy requests"),
    "_ansible": _room("_core _fetch _issuers", "ansible cryptography"),
    "plugin_utils": _room("_core _fetch _issuers _ansible", "ansible cryptography crossplane jinja2"),
    "modules": _room("_core _host _fetch _issuers _ansible", "ansible"),
    # From modules an action takes the argument spec that its documentation stands beside.
    "action": _room("_core _fetch _issuers _ansible plugin_utils modules", "ansible cryptography"),
    "callback": _room("_core _ansible plugin_utils", "ansible"),
    "filter": _room("_core _ansible plugin_utils", "ansible"),
    "doc_fragments": _room(),
}
# What a host gets of the core: the errors, which need no library.
HOST_MAY_USE = f"{PACKAGE}.plugins.module_utils._core.errors"
IMPURE_MODULES = frozenset(
    "asyncio ctypes glob http io logging multiprocessing os pathlib platform random secrets select shutil signal "
    "socket socketserver sqlite3 ssl subprocess tempfile threading time urllib uuid".split()
)
# Parts of those that only compute on what they are given.
PURE_PARTS = frozenset({"urllib.parse"})
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval"})
CLOCKS = frozenset({"now", "utcnow", "today"})


def violations(plugins: Path) -> list[str]:
    """One line a violation: file:line: what is wrong."""
    return [text for path in sorted(plugins.rglob("*.py")) for text in _violations_of(path, plugins)]


def room_of(path: Path, plugins: Path) -> str:
    parts = path.relative_to(plugins).parts
    return parts[1] if parts[0] == "module_utils" and len(parts) > 2 else parts[0]


def _violations_of(path: Path, plugins: Path) -> Iterator[str]:
    shown = path.relative_to(plugins.parent)
    if path.name == "__init__.py":
        if path.read_text("utf-8").strip():
            yield f"{shown}:1: __init__.py is not empty, so it is sent to every host with all that it imports"
        return
    name = room_of(path, plugins)
    if name not in ROOMS:
        yield f"{shown}:1: {name} is no room of this collection"
        return
    for found in imports_of(path):
        yield from (f"{shown}:{found.line}: {text}" for text in _wrong_with(found, name))
    if name == "_core":
        yield from (f"{shown}:{line}: {text}" for line, text in _impurities(path))


def _wrong_with(found: Import, room: str) -> Iterator[str]:
    if found.target.startswith("."):
        yield f"relative import of {found.target}"
    elif found.is_ours or found.target == PACKAGE:
        yield from _wrong_with_ours(found, room)
    elif found.distribution == "ansible_collections":
        yield f"{found.target} is another collection"
    elif found.distribution not in sys.stdlib_module_names | ROOMS[room].libraries:
        yield f"{room} may not import {found.target}"
    elif room == "_core" and found.distribution in IMPURE_MODULES and found.target not in PURE_PARTS:
        yield f"_core is pure and may not import {found.target}"


def _wrong_with_ours(found: Import, room: str) -> Iterator[str]:
    parts = found.target.removeprefix(PACKAGE).split(".")[1:]
    if parts[:1] != ["plugins"] or len(parts) < 3:
        yield f"plugins may not import {found.target}"
        return
    target = parts[2] if parts[1] == "module_utils" else parts[1]
    if target != room and target not in ROOMS[room].rooms:
        yield f"{room} may not import from {target}: {found.target}"
    elif room == "_host" and target == "_core" and found.target != HOST_MAY_USE:
        yield f"_host may use nothing of _core but errors: {found.target}"


def _impurities(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            yield node.lineno, f"_core is pure and may not call {node.func.id}()"
        elif isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield node.lineno, f"time is an argument of _core: {node.func.attr}() asks the clock"
