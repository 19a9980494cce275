# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verified answers of earlier runs, on disk: shared by processes, bounded in size, useless to who tampers with them.

An entry is two lines and the answer: the format with the SHA-256 of the second line; JSON with the SHA-256 of the
answer, where it came from, and what HTTP says of it; the bytes as they were received. Whatever is not exactly that is
no entry.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from typing import BinaryIO

from ansible_collections.certops.rotation.plugins.module_utils._fetch.http_freshness import HttpFreshness
from ansible_collections.certops.rotation.plugins.module_utils._fetch.private_folder import PrivateFolder

_FORMAT = "certops-cache-1"
_MEBIBYTE = 1 << 20
_LONGEST_LINE = 1 << 16
_MOST_ENTRIES = 20_000
_AFTER_EVICTION = 0.8  # of the limit: not every write must make room


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is known of an answer. It was verified when it was kept, and is verified again by who uses it."""

    url: str
    method: str
    this_update: datetime
    next_update: datetime
    """its signer does not speak for the time after that"""
    requested_at: datetime
    received_at: datetime
    http: HttpFreshness
    size: int = 0
    sha256: str = ""


def entry_key(method: str, url: str, request: bytes | None = None) -> str:
    """The name of an entry: the same question has the same answer."""
    digest = hashlib.sha256(f"{method} {url}".encode())
    digest.update(b"\0" + (request or b""))
    return digest.hexdigest()


class DiskCache:
    """Entries in one folder. A disk that fails, or a broken entry, is a cache without the entry."""

    def __init__(self, directory: str, *, max_bytes: int = 256 * _MEBIBYTE) -> None:
        self._folder = PrivateFolder(f"{directory}/answers")
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._room: int | None = None
        """Bytes that may be written before sizes must be looked at again; None before the first look."""

    def check(self) -> None:
        """:raises RotationError: ``cache_refused``. :raises OSError: for what the disk says."""
        self._folder.sizes()

    def entry(self, key: str) -> Entry | None:
        try:
            with self._folder.reading(key) as file:
                return None if file is None else _head(file)
        except OSError:
            return None

    def body(self, key: str, entry: Entry) -> bytes | None:
        """The answer itself; None if it is broken, or has been replaced since ``entry`` was read."""
        try:
            with self._folder.reading(key) as file:
                if file is None or _head(file) != entry:
                    return None
                body = file.read()
        except OSError:
            return None
        return body if hashlib.sha256(body).hexdigest() == entry.sha256 else None

    def write(self, key: str, entry: Entry, body: bytes) -> None:
        """Keeps the answer, unless there is a newer one already."""
        if len(body) > self._max_bytes // 2:
            return
        head = _encoded(dataclasses.replace(entry, size=len(body), sha256=hashlib.sha256(body).hexdigest()))
        try:
            present = self.entry(key)
            if present is not None and present.this_update > entry.this_update:
                return
            self._make_room(len(head) + len(body))
            self._folder.write(key, head, body)
        except OSError:
            return

    def remove(self, key: str) -> None:
        try:
            self._folder.remove(key)
        except OSError:
            return

    def locked(self, key: str, *, patience: float) -> AbstractContextManager[bool]:
        """As ``PrivateFolder.locked``: so that of many who want an answer one asks for it."""
        return self._folder.locked(key, patience=patience)

    def _make_room(self, size: int) -> None:
        with self._lock:
            if self._room is None or self._room < size:
                self._evict(size)
            self._room = (self._room or 0) - size

    def _evict(self, size: int) -> None:
        """What has expired goes first, then what was received long ago."""
        sizes = self._folder.sizes()
        total = sum(sizes.values())
        if total + size > self._max_bytes or len(sizes) >= _MOST_ENTRIES:
            wanted = min(self._max_bytes * _AFTER_EVICTION, self._max_bytes - size)
            left = len(sizes)
            for name in self._by_worth(sizes):
                if total <= wanted and left <= _MOST_ENTRIES * _AFTER_EVICTION:
                    break
                self._folder.remove(name)
                total, left = total - sizes[name], left - 1
        # Others write too: half of the room may be theirs.
        self._room = max(size, (self._max_bytes - total) // 2)

    def _by_worth(self, sizes: dict[str, int]) -> Iterator[str]:
        """From what is worth least."""
        now = datetime.now(timezone.utc)
        kept: list[tuple[datetime, str]] = []
        for name in sizes:
            entry = self.entry(name)
            if entry is None or entry.next_update < now:
                yield name
            else:
                kept.append((entry.received_at, name))
        yield from (name for _received_at, name in sorted(kept))


_MOMENTS = ("this_update", "next_update", "requested_at", "received_at")


def _encoded(entry: Entry) -> bytes:
    facts = dataclasses.asdict(entry) | {name: getattr(entry, name).isoformat() for name in _MOMENTS}
    line = json.dumps(facts, sort_keys=True).encode("ascii")
    return f"{_FORMAT} {hashlib.sha256(line).hexdigest()}\n".encode() + line + b"\n"


def _head(file: BinaryIO) -> Entry | None:
    """Reads up to the answer itself."""
    first, line = file.readline(_LONGEST_LINE), file.readline(_LONGEST_LINE).removesuffix(b"\n")
    if first != f"{_FORMAT} {hashlib.sha256(line).hexdigest()}\n".encode():
        return None
    try:
        facts = json.loads(line)
        facts |= {name: datetime.fromisoformat(facts[name]) for name in _MOMENTS}
        return Entry(**{**facts, "http": HttpFreshness(**facts["http"])})
    except (ValueError, KeyError, TypeError):
        return None
