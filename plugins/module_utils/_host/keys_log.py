# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``keys.log``: the SHA-256 of every public key a certificate ever had, with its fate. Appended to, never rewritten."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import append_line, read_file
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions

FILE_NAME = "keys.log"
_LINE = r"(\S{20}) ([0-9a-f]{64}) (\S{1,60}) (\S{1,80})"
_FATE = r"created|received|adopted|live|retired|abandoned|revoked:[A-Za-z]{1,40}"
_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class KeyFact:
    """One line: at that time, this key met this fate in that version."""

    at: str
    spki_sha256: str
    fate: str
    version: str


def checked_fate(fate: str) -> str:
    """A word of the log: nothing that could break its lines."""
    if not re.fullmatch(_FATE, fate):
        raise RotationError(
            "fate_invalid",
            f"{fate[:80]!r} is not a fate of a key",
            remedy="Use retired, abandoned, or revoked:<reason>.",
        )
    return fate


def read_keys_log(folder: str) -> list[KeyFact]:
    """All facts of a certificate's folder, oldest first. A line torn by a power cut is passed over."""
    try:
        text = read_file(os.path.join(folder, FILE_NAME), _LIMIT).decode("ascii", "replace")
    except FileNotFoundError:
        return []
    matches = (re.fullmatch(_LINE, line) for line in text.splitlines())
    return [KeyFact(*match.groups()) for match in matches if match]


def append_fact(folder: str, fact: KeyFact, options: FileOptions) -> None:
    """Remember a fact for ever."""
    line = " ".join([fact.at, fact.spki_sha256, checked_fate(fact.fate), fact.version])
    append_line(os.path.join(folder, FILE_NAME), line, options)
