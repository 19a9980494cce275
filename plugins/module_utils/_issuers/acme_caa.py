# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CAA records will make a CA refuse, seen before it is asked. No more than a warning: the CA asks for itself.

As the host's own name servers see it, where they are known and answer from here: a zone may look different inside.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.certops.rotation.plugins.module_utils._core.caa import (
    Applicant,
    CaaRecord,
    forbidding,
    is_public,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import ip_address
from ansible_collections.certops.rotation.plugins.module_utils._fetch.name_servers import NameServers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import AcmeConfig
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_request import Request

if TYPE_CHECKING:
    from typing import TypeAlias

_AT_ONCE = 16
# Of the host's name servers; many can only be reached from where the host is.
_PATIENCE = 3.0

Place: TypeAlias = "tuple[str, ...]"
"""Addresses of name servers; none are this machine's."""


@dataclass(frozen=True)
class _Question:
    """What may be issued for a name, asked where its host would ask."""

    name: str
    host: str
    place: Place


class CaaCheck:
    """For one CA and one account. Each name is looked up once for each host that needs it."""

    def __init__(self, config: AcmeConfig, meta: Mapping[str, Any], account_uri: str) -> None:
        given = meta.get("caaIdentities")
        identities = [str(one) for one in given] if isinstance(given, list) and config.check_caa else []
        self._config, self._identities, self._account_uri = config, identities, account_uri
        self._silent: set[Place] = set()
        self._lock = threading.Lock()

    def warnings(self, requests: Sequence[Request]) -> dict[str, list[str]]:
        """By request (its CSR), why the CA will most likely refuse some of its names."""
        questions = {request.order.csr_pem: self._questions(request) for request in requests}
        distinct = list({one: None for of_request in questions.values() for one in of_request})
        if not distinct:
            return {}
        with ThreadPoolExecutor(min(_AT_ONCE, len(distinct))) as pool:
            said = dict(zip(distinct, pool.map(self._warning, distinct), strict=True))
        return {csr: [text for text in map(said.get, of_request) if text] for csr, of_request in questions.items()}

    def _questions(self, request: Request) -> list[_Question]:
        if not self._identities:
            return []
        place = self._config.resolvers or request.order.resolvers
        names = [name for name in request.names if not ip_address(name) and is_public(name)]
        return [_Question(name, request.order.host, place) for name in names]

    def _warning(self, question: _Question) -> str | None:
        name = question.name
        try:
            records, whom = self._records(question)
        except RotationError as error:
            return f"CAA of {name} is not known: {error.message}"
        is_wildcard = name.startswith("*.")
        applicant = Applicant(self._identities, self._account_uri, self._method(is_wildcard))
        why = forbidding(records, applicant, is_wildcard=is_wildcard)
        return f"{name}: {why} (asked {whom})" if why else None

    def _method(self, is_wildcard: bool) -> str | None:
        """The way of validation that comes first: wildcards are proven in DNS (RFC 8555 section 7.1.3)."""
        types = [one.type for one in self._config.challenges if one.type.startswith("dns") or not is_wildcard]
        return types[0] if types else None

    def _records(self, question: _Question) -> tuple[list[CaaRecord], str]:
        """The records, and who said so. The host's name servers need not answer from here; then it is ours."""
        name, place = question.name.removeprefix("*."), question.place
        servers = ", ".join(place)
        if not place:
            return NameServers().caa(name), "this machine's name servers"
        if self._config.resolvers:
            return NameServers(place).caa(name), servers
        if place not in self._silent:
            try:
                return NameServers(place, timeout=_PATIENCE).caa(name), f"{servers}, as {question.host} does"
            except RotationError as error:
                if not error.facts.get("answered"):
                    with self._lock:
                        self._silent.add(place)
        whom = f"this machine's name servers: {servers}, which {question.host} asks, give no answer here"
        return NameServers().caa(name), whom
