# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of nginx's ``listen`` directive."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ANY_IPV4 = "0.0.0.0"
ANY_IPV6 = "::"

_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
_MOST_PORTS = 64


@dataclass(frozen=True)
class Listen:
    """One ``listen`` directive: where, and how connections begin there."""

    address: str
    """An address, a host name, ``0.0.0.0`` or ``::``; the path for a UNIX domain socket."""
    ports: tuple[int, ...]
    ssl: bool
    is_unix: bool = False
    is_udp: bool = False
    """QUIC or plain UDP: no TLS handshake over TCP here."""
    has_proxy_protocol: bool = False
    """A client that does not speak the PROXY protocol cannot connect."""
    is_default: bool = False
    """The block answers there for all names that no other block has."""
    takes_ipv4: bool = False
    """An IPv6 socket on which IPv4 clients arrive too."""

    @property
    def sockets(self) -> tuple[tuple[str, int], ...]:
        return tuple((self.address, port) for port in self.ports)


def parse_listen(args: Sequence[str]) -> Listen | None:
    """What ``listen <args>`` says, None if it is none of the known forms.

    Without a port nginx listens on 80; without an address on all IPv4 addresses.
    """
    if not args:
        return None
    where, parameters = args[0], frozenset(args[1:])
    flags = {
        "ssl": "ssl" in parameters or "quic" in parameters,
        "is_udp": "quic" in parameters or "udp" in parameters,
        "has_proxy_protocol": "proxy_protocol" in parameters,
        "takes_ipv4": "ipv6only=off" in parameters,
        "is_default": not parameters.isdisjoint(("default_server", "default")),
    }
    if where.startswith("unix:"):
        return Listen(address=where[5:], ports=(), is_unix=True, **flags)
    address, port_text = _split(where)
    ports = _ports(port_text)
    if ports is None or "$" in where or not address:
        return None
    return Listen(address=ANY_IPV4 if address == "*" else address.lower(), ports=ports, **flags)


def _split(where: str) -> tuple[str, str]:
    """Address and port as they are written; ``*`` and 80 where they are left out."""
    if where.startswith("["):
        address, _bracket, rest = where[1:].partition("]")
        return address, rest[1:] if rest.startswith(":") else "80"
    if _PORTS.match(where):
        return "*", where
    address, colon, port = where.rpartition(":")
    return (address, port) if colon else (where, "80")


def _ports(text: str) -> tuple[int, ...] | None:
    """One port, or those of a range. Of a long range the ends stand for all: each is the same server block."""
    match = _PORTS.match(text)
    if not match:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    if not 0 < first <= last <= 65535:
        return None
    if last - first >= _MOST_PORTS:
        return (first, last)
    return tuple(range(first, last + 1))
