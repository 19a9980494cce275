# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of public databases, kept on disk: they are slow, often down, and limit how often they may be asked."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text


@dataclass(frozen=True)
class Kept:
    """One answer and when it was given."""

    body: bytes
    at: datetime


class AnswerCache:
    """One file an answer, named by the hash of what was asked. A cache that cannot be used is as good as empty."""

    def __init__(self, directory: str | None, lifetime: timedelta) -> None:
        self._directory = Path(directory).expanduser() if directory else None
        self._lifetime = lifetime

    def get(self, url: str, *, now: datetime) -> Kept | None:
        """The answer to ``url``, if there is one that is young enough."""
        if self._directory is None:
            return None
        try:
            entry = json.loads((self._directory / _name(url)).read_text("utf-8"))
            kept = Kept(base64.b64decode(entry["body_b64"]), from_text(entry["at"]))
            is_it = entry["url"] == url
        except (OSError, ValueError, KeyError, TypeError, RotationError):
            return None
        return kept if is_it and now - self._lifetime <= kept.at <= now + timedelta(minutes=5) else None

    def put(self, url: str, body: bytes) -> None:
        if self._directory is None:
            return
        at = as_text(datetime.now(timezone.utc))
        entry = {"url": url, "at": at, "body_b64": base64.b64encode(body).decode("ascii")}
        with contextlib.suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._directory / _name(url), json.dumps(entry))


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest() + ".json"


def _write(path: Path, text: str) -> None:
    """Whole or not at all; two runs may do it at once."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
