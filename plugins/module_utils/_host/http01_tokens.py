# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to single http-01 challenges as files in a web server's folder, for servers that answer in no other way."""

from __future__ import annotations

import os
import re
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import (
    read_file,
    remove_if_there,
    write_file,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions

# RFC 8555 section 8.1: base64url. It becomes the name of a file.
_TOKEN = r"[A-Za-z0-9_-]{1,256}"
_CONTENT = r"[A-Za-z0-9_-]{1,256}\.[A-Za-z0-9_-]{43}"


def put(tokens: list[dict[str, Any]], options: FileOptions, check_mode: bool) -> list[str]:
    """Write what is not there yet; returns the paths."""
    missing = [(path, text) for path, text in _files(tokens) if _content(path) != text]
    for path, text in [] if check_mode else missing:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        write_file(path, text, options)
    return [path for path, _text in missing]


def withdraw(tokens: list[dict[str, Any]], check_mode: bool) -> list[str]:
    """Remove what is there; returns the paths. The folders stay."""
    there = [path for path, _text in _files(tokens) if os.path.lexists(path)]
    for path in [] if check_mode else there:
        remove_if_there(path)
    return there


def _files(tokens: list[dict[str, Any]]) -> list[tuple[str, bytes]]:
    found = []
    for given in tokens:
        directory, token, content = given["directory"], given["token"], given["content"]
        if not os.path.isabs(directory):
            raise RotationError("paths_invalid", f"{directory[:200]!r} is no absolute path of a folder")
        if not re.fullmatch(_TOKEN, token) or not re.fullmatch(_CONTENT, content):
            raise RotationError("name_invalid", "that is no token of an ACME challenge with its answer")
        found.append((os.path.join(directory, token), content.encode("ascii")))
    return found


def _content(path: str) -> bytes | None:
    try:
        return read_file(path, 1024)
    except FileNotFoundError:
        return None
