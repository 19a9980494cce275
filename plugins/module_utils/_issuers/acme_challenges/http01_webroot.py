# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""http-01 by a file on the host itself. The control node's part: saying what file.

An order is made on the control node, without a connection to the host. So it goes in two steps: the first is refused
with ``challenge_needs_host``, whose facts say what files are needed; when they are there, the same order is taken up.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import NEEDS_HOST


class Http01Webroot:
    """Files below a directory of the host."""

    type = "http-01"

    def __init__(self, options: Options) -> None:
        directory = options.text("directory")
        options.no_more()
        if directory is None or not directory.startswith("/"):
            raise options.invalid("directory", "is missing: the host's folder for /.well-known/acme-challenge/")
        self._directory = directory
        self.placed: set[str] = set()
        """Tokens that are answered on the host by now."""

    def provide(self, tasks: Sequence[Task]) -> None:
        """Nothing, once all answers are there."""
        if all(task.token in self.placed for task in tasks):
            return
        raise RotationError(
            NEEDS_HOST,
            f"nobody has put the answer to the challenge on the host of {tasks[0].identifier}",
            remedy="Use the role rotate, which does that between two steps; or http-01 with the method stateless.",
            challenges=[
                {"directory": self._directory, "token": task.token, "content": task.key_authorization} for task in tasks
            ],
        )

    def withdraw(self, tasks: Sequence[Task]) -> None:
        """Nothing: who put the files there takes them away."""
