# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of nginx's server blocks answers for a name on a port: sockets, server names, default servers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import ServerBlock
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_listen import ANY_IPV4, ANY_IPV6


@dataclass(frozen=True)
class Socket:
    """One address and port over TCP, and the blocks that listen there, in nginx's order."""

    address: str
    port: int
    blocks: tuple[ServerBlock, ...]
    default: ServerBlock
    """The one that answers for names that no block has."""
    is_tls: bool

    def block_for(self, name: str) -> ServerBlock:
        """The block that answers a request for ``name``."""
        return self.named_block(name) or self.default

    def named_block(self, name: str) -> ServerBlock | None:
        """The same, None where only the default server is left."""
        return _best(self.blocks, name.lower())


def sockets_on(servers: Sequence[ServerBlock], port: int) -> dict[str, Socket]:
    """The TCP sockets of that port, by address."""
    found: dict[str, list[tuple[ServerBlock, bool, bool]]] = {}
    for server in servers:
        for listen in server.listens:
            if not listen.is_unix and not listen.is_udp and port in listen.ports:
                here = found.setdefault(listen.address, [])
                here.append((server, listen.is_default, listen.ssl))
    return {address: _socket(address, port, entries) for address, entries in found.items()}


def reached_sockets(sockets: dict[str, Socket], address: str, name: str) -> list[Socket]:
    """Where clients arrive that ask for ``name`` at ``address`` (one of the host's, or all of an IP version).

    nginx prefers the socket of an address to the one of all addresses. Of a host's further addresses it is not known
    which of them the name leads to: those where a block has the name count; others only where nothing else listens.
    """
    everywhere = ANY_IPV6 if ":" in address else ANY_IPV4
    if address != everywhere:
        found = sockets.get(address) or _for_all(sockets, everywhere)
        return [found] if found else []
    general = _for_all(sockets, everywhere)
    specific = [one for one in sockets.values() if _version(one.address) == everywhere and one.address != everywhere]
    named = [one for one in specific if one.named_block(name)]
    if general is not None:
        return [general, *named]
    return named or [one for one in specific if not one.address.startswith("127.") and one.address != "::1"]


def _for_all(sockets: dict[str, Socket], everywhere: str) -> Socket | None:
    found = sockets.get(everywhere)
    other = sockets.get(ANY_IPV6)
    if found is None and other is not None and any(one.takes_ipv4 for block in other.blocks for one in block.listens):
        return other
    return found


def _version(address: str) -> str:
    return ANY_IPV6 if ":" in address else ANY_IPV4


def _socket(address: str, port: int, entries: Sequence[tuple[ServerBlock, bool, bool]]) -> Socket:
    default = next((block for block, is_default, _ssl in entries if is_default), entries[0][0])
    blocks = tuple(block for block, _is_default, _ssl in entries)
    return Socket(address, port, blocks, default, is_tls=any(ssl for _block, _is_default, ssl in entries))


def _best(blocks: Iterable[ServerBlock], name: str) -> ServerBlock | None:
    """In nginx's order: the exact name, the longest wildcard in front, the longest at the end, the first expression."""
    ranked = [
        (rank, -number, block)
        for number, block in enumerate(blocks)
        for pattern in block.names
        if (rank := _rank(pattern, name)) is not None
    ]
    # Of equals, the block that comes first: nginx ignores the name in the others.
    return max(ranked, key=lambda one: one[:2])[2] if ranked else None


def _rank(pattern: str, name: str) -> tuple[int, int] | None:
    """How well a server name matches; None if not at all."""
    if pattern.startswith("~"):
        return (0, 0) if matches(pattern[1:], name, ignore_case=True) else None
    pattern = pattern.lower()
    if pattern in (name, "." + name):
        return (3, 0)
    if pattern.startswith(("*.", ".")) and name.endswith(pattern.lstrip("*")):
        return (2, len(pattern.lstrip("*")))
    if pattern.endswith(".*") and name.startswith(pattern[:-1]):
        return (1, len(pattern))
    return None


def matches(expression: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether one of nginx's regular expressions (PCRE) is found in ``text``; one that only PCRE has is not."""
    try:
        found = re.search(expression.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!"), text,
                          re.IGNORECASE if ignore_case else 0)  # fmt: skip
    except re.error:
        return False
    return found is not None
