# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The highest CRLNumber that was ever seen of a stream of CRLs: who is given a lower one is deceived, or late.

One small file a stream, written when the number rises. What no run has seen for a long time is forgotten.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import time

from ansible_collections.certops.rotation.plugins.module_utils._fetch.private_folder import PrivateFolder

_PATIENCE = 2.0
_LONGEST_FILE = 4096
_FORGOTTEN_AFTER = 3 * 365 * 86400.0  # seconds; a root publishes once a year


@dataclasses.dataclass(frozen=True)
class _Note:
    number: int
    noted_at: float
    before: int | None = None
    """the number that it replaced"""


class CrlNumbers:
    """For one run; thread-safe. It believes what was known before the run: two runs may be given CRLs out of order."""

    def __init__(self, directory: str) -> None:
        self._folder = PrivateFolder(f"{directory}/numbers")
        self._begun = time.time()
        self._has_pruned = False

    def highest(self, stream: str) -> int | None:
        """What had been seen before this run."""
        note = self._read(_name(stream))
        if note is None:
            return None
        return note.number if note.noted_at < self._begun else note.before

    def note(self, stream: str, number: int) -> None:
        """Remembers the number if it is the highest. A disk that fails remembers nothing."""
        name = _name(stream)
        with contextlib.suppress(OSError):
            note = self._read(name)
            if note is not None and number <= note.number:
                return
            with self._folder.locked(name, patience=_PATIENCE):
                note = self._read(name)
                if note is None or number > note.number:
                    self._write(name, note, number)

    def _write(self, name: str, note: _Note | None, number: int) -> None:
        now = time.time()
        before = None
        if note is not None:
            # Of several rises within one run, the run wants to know what was before all of them.
            before = note.number if note.noted_at < self._begun else note.before
        line = json.dumps({"number": str(number), "noted_at": now, "before": None if before is None else str(before)})
        self._folder.write(name, f"{_digest(line)} {line}\n".encode("ascii"), synced=True)
        if not self._has_pruned:
            self._has_pruned = True
            self._prune(now)

    def _read(self, name: str) -> _Note | None:
        try:
            with self._folder.reading(name) as file:
                text = b"" if file is None else file.read(_LONGEST_FILE)
            digest, _blank, line = text.decode("ascii").strip().partition(" ")
            if digest != _digest(line):
                return None
            facts = json.loads(line)
            before = None if facts["before"] is None else int(facts["before"])
            return _Note(int(facts["number"]), float(facts["noted_at"]), before)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _prune(self, now: float) -> None:
        for name in self._folder.sizes():
            note = self._read(name)
            if note is None or now - note.noted_at > _FORGOTTEN_AFTER:
                self._folder.remove(name)


def _name(stream: str) -> str:
    return hashlib.sha256(stream.encode()).hexdigest()


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
