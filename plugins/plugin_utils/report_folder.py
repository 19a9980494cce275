# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a report on the control node. Whoever reads a file there sees the old or the new one, always whole."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import require_report
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import (
    remove_leftovers,
    sync_directory,
    write_all_atomically,
)

FILE_NAME = "report.json"
LATEST = "latest"

_LOCK = ".lock"
_PATIENCE = 300.0
_LOOK_AGAIN = 0.05
_MODE = 0o666
_TEXTFILE_MODE = 0o644


class ReportFolder:
    """``<directory>/<name>``, made when it is first needed."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory, self.name = directory, name
        self.path = directory / name

    @contextlib.contextmanager
    def alone(self, *, seconds: float = _PATIENCE) -> Iterator[None]:
        """One run at a time; the kernel takes the lock from who is killed. RotationError ``report_locked``."""
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path / _LOCK, flags, _MODE)
        try:
            with self._writing():
                _wait_for(descriptor, self.path, time.monotonic() + seconds)
                remove_leftovers(self.path)
            yield
        finally:
            os.close(descriptor)

    def earlier(self) -> dict[str, Any] | None:
        """The report so far; None if there is none. RotationError ``report_damaged``, ``report_newer``."""
        path = self.path / FILE_NAME
        try:
            return require_report(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as exc:
            raise self.not_continued(RotationError("report_damaged", f"It cannot be read: {exc}")) from exc
        except RotationError as error:
            raise self.not_continued(error) from error

    def existing(self) -> dict[str, Any]:
        """The report that is there. RotationError ``report_missing``, ``report_damaged``, ``report_newer``."""
        path = self.path / FILE_NAME
        try:
            return require_report(json.loads(path.read_bytes()), of_one_run=True)
        except (OSError, ValueError, RecursionError) as exc:
            code = "report_missing" if isinstance(exc, FileNotFoundError) else "report_damaged"
            raise self.not_shown(RotationError(code, f"It cannot be read: {exc}")) from exc
        except RotationError as error:
            raise self.not_shown(error) from error

    def not_shown(self, why: RotationError) -> RotationError:
        """What to say of a report that cannot be written again."""
        return RotationError(
            why.code,
            f"{self.path / FILE_NAME} cannot be shown: {why.message}",
            remedy="Name a folder that has a report; in a container, mount the directory of the run that wrote it.",
            path=str(self.path / FILE_NAME),
        )

    def not_continued(self, why: RotationError) -> RotationError:
        """What to say of a report that is there and cannot be gone on with."""
        return RotationError(
            why.code,
            f"{self.path / FILE_NAME} cannot be continued: {why.message}",
            remedy="Move that file away, or take another name for the incident, and run again: the hosts remember what"
            " was done.",
            path=str(self.path / FILE_NAME),
        )

    def write(self, texts: Mapping[str, str], *, is_latest: bool = True) -> None:
        """Write these files, on disk when this returns, and let ``latest`` point here."""
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
            files = [(self.path / name, text.encode("utf-8")) for name, text in texts.items()]
            write_all_atomically(files, mode=_MODE & ~_umask())
            if not is_latest:
                return
            sync_directory(self.directory)
            link = self.directory / f".{LATEST}-{secrets.token_hex(4)}"
            os.symlink(self.name, link)
            link.rename(self.directory / LATEST)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise RotationError(
                "report_not_written",
                f"The report can't be written below {self.directory}: {exc.strerror}",
                remedy="Choose another rotate_report_directory; what the run did is unaffected.",
                directory=str(self.directory),
            ) from exc


def write_textfile(directory: Path, name: str, text: str) -> str:
    """A file for the textfile collector of node_exporter, which reads as another user. RotationError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_all_atomically([(directory / name, text.encode("utf-8"))], mode=_TEXTFILE_MODE)
    except OSError as exc:
        raise RotationError(
            "textfile_not_written",
            f"{directory / name} can't be written: {exc.strerror}",
            remedy="Let the user who runs Ansible write into textfile_directory; the report itself is written.",
            path=str(directory / name),
        ) from exc
    return str(directory / name)


def _wait_for(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            if time.monotonic() >= deadline:
                raise RotationError(
                    "report_locked",
                    f"Another run has been writing the report in {path} for minutes.",
                    remedy="Wait until it has ended, or end it, then run again.",
                    path=str(path),
                ) from exc
        time.sleep(_LOOK_AGAIN)


def _umask() -> int:
    """Files of a report get the mode that the user's files have."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
