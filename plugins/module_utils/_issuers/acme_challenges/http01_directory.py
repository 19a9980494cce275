# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""http-01 by files in a folder of the control node, which some web server shows as /.well-known/acme-challenge/."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import write_all_atomically


class Http01Directory:
    """One file a token, for everybody to read, gone afterwards."""

    type = "http-01"

    def __init__(self, options: Options) -> None:
        directory = options.path("directory")
        options.no_more()
        if directory is None:
            raise options.invalid("directory", "is missing: the folder that is shown as /.well-known/acme-challenge/")
        self._directory = directory

    def provide(self, tasks: Sequence[Task]) -> None:
        files = [(self._directory / task.token, task.key_authorization.encode()) for task in tasks]
        try:
            write_all_atomically(files, mode=0o644)
        except OSError as error:
            raise RotationError(
                "challenge_failed",
                f"the answer for {tasks[0].identifier} cannot be put into {self._directory}: {error.strerror}",
                remedy="Make the folder, writable for the user who runs this, and let the web server show it.",
                directory=str(self._directory),
            ) from error

    def withdraw(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            try:
                Path(self._directory / task.token).unlink(missing_ok=True)
            except OSError as error:
                message = f"{self._directory / task.token} cannot be removed: {error.strerror}"
                raise RotationError("challenge_left_over", message) from error
