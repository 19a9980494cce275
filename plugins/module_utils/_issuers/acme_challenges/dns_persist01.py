# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dns-persist-01 (draft-ietf-acme-dns-persist): a record that was set once is looked at, and nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.persist_record import (
    authorizes,
    record_name,
    record_value,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.name_servers import NameServers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options


class DnsPersist01:
    """Before the CA is told to look: is the record there, for this account, this CA, and for long enough?"""

    type = "dns-persist-01"

    def __init__(self, options: Options) -> None:
        self._is_checked = options.flag("check", True)
        resolvers = options.texts("resolvers")
        timeout = options.number("timeout", 5.0, least=0.1)
        options.no_more()
        self._name_servers = NameServers(resolvers, timeout=timeout)

    def provide(self, tasks: Sequence[Task]) -> None:
        for task in tasks if self._is_checked else ():
            self._check(task)

    def withdraw(self, tasks: Sequence[Task]) -> None:
        """Nothing: the record stays."""

    def _check(self, task: Task) -> None:
        if not task.issuer_domains:
            message = f"the CA does not say its name in the challenge for {task.identifier}"
            raise RotationError("acme_answer_invalid", message)
        now = datetime.now(timezone.utc)
        for text in self._name_servers.texts(record_name(task.identifier)):
            if authorizes(
                text,
                issuers=task.issuer_domains,
                account_uri=task.account_uri,
                is_wildcard=task.is_wildcard,
                at=now,
            ):
                return
        wanted = record_value(task.issuer_domains[0], task.account_uri, is_wildcard=task.is_wildcard)
        name = record_name(task.identifier)
        raise RotationError(
            "acme_persist_record_missing",
            f"{name} has no record that lets this account order for {task.identifier}",
            remedy=f'Set once: {name}. TXT "{wanted}"',
            record=name,
            text=wanted,
        )
