# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""http-01 by a file on the host itself. The control node's part: saying what file.

An order is made on the control node, without a connection to the host. Somebody who has one gives ``put`` and
``remove``; without them there is an error that names the ways that work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options

HostFiles = Callable[[Sequence[Task], str], None]
"""Does its work for (tasks, directory on the host)."""


class Http01Webroot:
    """Files below a directory of the host."""

    type = "http-01"

    def __init__(self, options: Options, put: HostFiles | None = None, remove: HostFiles | None = None) -> None:
        directory = options.text("directory")
        options.no_more()
        if directory is None:
            raise options.invalid("directory", "is missing: the host's folder for /.well-known/acme-challenge/")
        self._directory = directory
        self._put, self._remove = put, remove

    def provide(self, tasks: Sequence[Task]) -> None:
        if self._put is None:
            raise RotationError(
                "challenge_needs_host",
                f"nobody can put a file on the host of {tasks[0].identifier} while an order is made",
                remedy="Use http-01 with the method stateless, directory or command, or dns-01.",
            )
        self._put(tasks, self._directory)

    def withdraw(self, tasks: Sequence[Task]) -> None:
        if self._remove is not None:
            self._remove(tasks, self._directory)
