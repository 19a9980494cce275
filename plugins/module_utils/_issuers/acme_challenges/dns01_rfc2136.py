# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dns-01 by dynamic updates of the zone (RFC 2136): records are added, awaited, and removed again.

``_acme-challenge.<name>`` may be an alias (CNAME) of a name in a zone that is there for nothing else: the record is set
where it leads to, which is where CAs look.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.name_servers import (
    NameServers,
    TransactionKey,
    ZoneUpdater,
    place_of,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options

_PAUSE = 0.5


class Dns01Rfc2136:
    """Records of other orders for the same name stay: a wildcard and its base have the same record name."""

    type = "dns-01"

    def __init__(self, options: Options) -> None:
        server, self._zone = options.text("server"), options.text("zone")
        if server is None:
            raise options.invalid("server", "is missing: the address of the zone's primary name server")
        key = _key(options)
        timeout = options.number("timeout", 10.0, least=0.1)
        self._ttl = int(options.number("ttl", 60, least=0))
        self._deadline = options.number("propagation_timeout", 60.0, least=0.0)
        watched, resolvers = options.texts("watched_servers"), options.texts("resolvers")
        options.no_more()
        self._updater = ZoneUpdater(server, key=key, timeout=timeout)
        self._primary = NameServers([server], timeout=timeout)
        # Those who know about aliases in zones that the primary does not have.
        self._elsewhere: NameServers | None = NameServers(resolvers, timeout=timeout)
        self._places: dict[str, str] = {}
        # Each is asked by itself: the CA may ask any of them.
        self._watched = {one: NameServers([one], timeout=timeout) for one in (watched or (server,))}

    def provide(self, tasks: Sequence[Task]) -> None:
        records = self._records(tasks)
        for zone, of_zone in self._by_zone(records).items():
            self._updater.change(zone, add=of_zone, ttl=self._ttl)
        self._wait_for(records)

    def withdraw(self, tasks: Sequence[Task]) -> None:
        for zone, of_zone in self._by_zone(self._records(tasks)).items():
            self._updater.change(zone, remove=of_zone)

    def _by_zone(self, records: Sequence[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
        zones: dict[str, list[tuple[str, str]]] = {}
        for record in records:
            zones.setdefault(self._zone_of(record[0]), []).append(record)
        return zones

    def _zone_of(self, name: str) -> str:
        """The zone that was given, unless an alias has led out of it."""
        given = (self._zone or "").rstrip(".").lower()
        return given if given and f".{name}".endswith(f".{given}") else self._primary.zone_of(name)

    def _records(self, tasks: Sequence[Task]) -> list[tuple[str, str]]:
        return list(dict.fromkeys((self._place_of(task.record_name), task.record_text) for task in tasks))

    def _place_of(self, name: str) -> str:
        """Where the record of that name is to be set; the same when it is taken away."""
        if name not in self._places:
            self._places[name] = place_of(name, self._alias)
        return self._places[name]

    def _alias(self, name: str) -> str | None:
        """By the primary where it has the zone. Where nobody answers, there is none: the CA has the last word."""
        elsewhere = self._elsewhere
        with contextlib.suppress(RotationError):
            return self._primary.alias(name)
        try:
            return elsewhere.alias(name) if elsewhere else None
        except RotationError as error:
            if not error.facts["answered"]:
                # Nobody waits for them a second time.
                self._elsewhere = None
            return None

    def _wait_for(self, records: Sequence[tuple[str, str]]) -> None:
        end = time.monotonic() + self._deadline
        missing = [(server, *record) for server in self._watched for record in records]
        while True:
            missing = [one for one in missing if one[2] not in self._seen(one[0], one[1])]
            if not missing:
                return
            if time.monotonic() >= end:
                break
            time.sleep(_PAUSE)
        server, name, _text = missing[0]
        raise RotationError(
            "challenge_failed",
            f"the record {name} was set, and {server} does not show it after {self._deadline:g} s",
            remedy="Check how the zone gets from its primary to this server; propagation_timeout gives it longer.",
            record=name,
            server=server,
        )

    def _seen(self, server: str, name: str) -> list[str]:
        try:
            return self._watched[server].texts(name)
        except RotationError:
            # A server that does not answer yet has not shown it.
            return []


def _key(options: Options) -> TransactionKey | None:
    inner = options.inner("tsig")
    if inner is None:
        return None
    name, secret = inner.text("name"), inner.text("secret")
    algorithm = inner.text("algorithm") or "hmac-sha256"
    inner.no_more()
    if not name or not secret:
        raise options.invalid("tsig", "needs name and secret")
    return TransactionKey(name, secret, algorithm.rstrip("."))
