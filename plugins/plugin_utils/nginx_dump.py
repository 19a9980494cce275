# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of ``nginx -T``, parsed. crossplane reads files, so each printed file goes into a private folder first."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import library
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import (
    Configuration,
    Problem,
    dumped_files,
)

crossplane = library("crossplane")


def read_dump(dump: str) -> Configuration:
    """The configuration that ``nginx -T`` printed. RotationError ``no_configuration``.

    A file that cannot be parsed is a problem of the result; the others still count.
    """
    files = dumped_files(dump)
    parsed: dict[str, list[dict[str, Any]]] = {}
    problems: list[Problem] = []
    # The text can hold secrets: a folder for this user alone (mkdtemp makes it 0700), gone at the end.
    with tempfile.TemporaryDirectory(prefix="certops-nginx-") as folder:
        for number, (path, text) in enumerate(files.items()):
            copy = os.path.join(folder, f"{number}.conf")
            with open(copy, "w", encoding="utf-8") as file:
                file.write(text)
            payload = crossplane.parse(copy, single=True, check_ctx=False, check_args=False)
            problems.extend(_problem(path, error) for error in payload["errors"])
            parsed[path] = payload["config"][0]["parsed"]
    return Configuration(files=parsed, main=next(iter(files)), problems=problems)


def _problem(path: str, error: dict[str, Any]) -> Problem:
    # crossplane's text ends in "in <file>:<line>" and names our copy.
    text = str(error["error"]).partition(" in /")[0]
    return Problem("not_parsed", path, int(error["line"] or 0), text)
