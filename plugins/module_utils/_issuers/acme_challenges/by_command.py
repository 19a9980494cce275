# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""http-01 or dns-01 by a program of the control node, called once to show each answer and once to take it away.

It gets, in its environment: ACME_ACTION (``provide`` or ``withdraw``), ACME_TYPE, ACME_IDENTIFIER, and for http-01
ACME_TOKEN, ACME_PATH and ACME_CONTENT, for dns-01 ACME_RECORD_NAME and ACME_RECORD_TEXT; with ``follow_aliases`` also
ACME_RECORD_TARGET, where the record's name leads to by CNAME. Exit code 0 to ``provide``
means that the answer can be seen by the CA.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.name_servers import NameServers, place_of
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options

_SHOWN = 300


class ByCommand:
    """Runs the program without a shell."""

    def __init__(self, challenge_type: str, options: Options) -> None:
        self.type = challenge_type
        self._command = options.command("command")
        self._timeout = options.number("timeout", 60.0, least=0.1)
        self._wait = options.number("wait", 0.0, least=0.0)
        follows = challenge_type == "dns-01" and options.flag("follow_aliases", False)
        resolvers = options.texts("resolvers") if follows else ()
        self._name_servers = NameServers(resolvers) if follows else None
        self._targets: dict[str, str] = {}
        options.no_more()

    def provide(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self._run("provide", task)
        time.sleep(self._wait)

    def withdraw(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self._run("withdraw", task)

    def _run(self, action: str, task: Task) -> None:
        try:
            done = subprocess.run(
                self._command,
                env={**os.environ, **self._environment(action, task)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise self._failed(action, task, f"does not end within {self._timeout:g} s") from error
        except OSError as error:
            raise self._failed(action, task, f"cannot be run: {error.strerror}") from error
        if done.returncode:
            said = " ".join(done.stdout.decode("utf-8", "replace").split())[-_SHOWN:]
            raise self._failed(action, task, f"ended with {done.returncode}: {said or 'it said nothing'}")

    def _environment(self, action: str, task: Task) -> Mapping[str, str]:
        common = {"ACME_ACTION": action, "ACME_TYPE": self.type, "ACME_IDENTIFIER": task.identifier}
        if self.type == "http-01":
            return {
                **common,
                "ACME_TOKEN": task.token,
                "ACME_PATH": task.path,
                "ACME_CONTENT": task.key_authorization,
            }
        record = {"ACME_RECORD_NAME": task.record_name, "ACME_RECORD_TEXT": task.record_text}
        if self._name_servers is not None:
            record["ACME_RECORD_TARGET"] = self._target(task.record_name, self._name_servers)
        return {**common, **record}

    def _target(self, name: str, name_servers: NameServers) -> str:
        """RotationError ``dns_alias_loop``, ``name_servers_failed``. The same when the record is taken away."""
        if name not in self._targets:
            self._targets[name] = place_of(name, name_servers.alias)
        return self._targets[name]

    def _failed(self, action: str, task: Task, why: str) -> RotationError:
        return RotationError(
            "challenge_failed" if action == "provide" else "challenge_left_over",
            f"the {self.type} command for {task.identifier} ({self._command[0]}, {action}) {why}",
            remedy="Correct the command in the issuer's challenge; try it by hand with the variables of the guide.",
            command=self._command[0],
        )
