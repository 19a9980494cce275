# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the event source ``revocation`` has told, on disk: whole or not at all, whenever it is killed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text
from ansible_collections.certops.rotation.plugins.module_utils._fetch.private_folder import PrivateFolder
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_news import Told

logger = logging.getLogger("certops.rotation.revocation")

_FORMAT = "certops-events-1"
_PATIENCE = 2.0


def default_state_path() -> str:
    """Where a user's programs keep what is not to be lost (XDG base directory specification)."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return str(Path(base if os.path.isabs(base) else Path.home() / ".local" / "state", "certops", "events.json"))


class StateFile:
    """One file of mode 0600, in a folder that is ours alone."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._folder = PrivateFolder(str(self.path.parent))
        self._written = ""

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """The one source that uses it. The kernel takes the lock from who is killed.

        :raises RotationError: ``state_in_use``, ``state_refused``.
        """
        with contextlib.ExitStack() as stack:
            with self._using():
                self._folder.sizes()
                is_ours = stack.enter_context(self._folder.locked(self.path.name, patience=_PATIENCE))
            if not is_ours:
                raise RotationError(
                    "state_in_use",
                    f"another source uses {self.path}, or it cannot be locked",
                    remedy="Give each source a state_path of its own.",
                    path=str(self.path),
                )
            yield

    def read(self) -> Told:
        """What was told before. Of a file that is damaged, nothing: then it is told once more.

        :raises RotationError: ``state_refused``.
        """
        with self._using(), self._folder.reading(self.path.name) as file:
            content = None if file is None else file.read()
        if content is None:
            return Told()
        try:
            data = json.loads(content)
            told = Told(data["told"], data["unknown"]) if data["format"] == _FORMAT else None
            if told is None or not _is_sound(told):
                raise ValueError
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, RotationError):
            logger.error("%s is damaged and is begun anew: what was told before is told once more", self.path)
            return Told()
        self._written = _text(told)
        return told

    def write(self, told: Told) -> None:
        """Survives a power cut, too. RotationError ``state_refused``."""
        text = _text(told)
        if text != self._written:
            with self._using():
                self._folder.write(self.path.name, text.encode(), synced=True)
            self._written = text

    @contextlib.contextmanager
    def _using(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RotationError) as error:
            why = error.message if isinstance(error, RotationError) else f"{self.path}: {error.strerror}"
            raise RotationError(
                "state_refused",
                f"what was told cannot be kept: {why}",
                remedy="Give a state_path in a folder that belongs to the user who runs this, and to nobody else.",
                path=str(self.path),
            ) from error


def _is_sound(told: Told) -> bool:
    for known in told.told.values():
        from_text(known["at"]), from_text(known["seen"])
    return all(from_text(one["since"]) and isinstance(one["polls"], int) for one in told.unknown.values())


def _text(told: Told) -> str:
    return json.dumps({"format": _FORMAT, **told.as_data()}, sort_keys=True, indent=1)
