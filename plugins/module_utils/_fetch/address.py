# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses may be asked. URLs in a certificate are written by whoever had it issued."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterator
from typing import Tuple, Union

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_Ip = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Place = Tuple[socket.AddressFamily, Tuple[object, ...]]
"""A family, and an address that a socket of it connects to."""

# No CA is there, but the credentials of a cloud's machine are: refused even where private addresses are allowed.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.ip_network("::/96")  # IPv4 within IPv6, as it was before RFC 4291


def places(url: str, host: str, port: int, *, allow_private: bool) -> list[Place]:
    """Where ``host`` is, each place checked. Connect to these: a second look-up may have another answer.

    :raises RotationError: name_not_resolved, address_refused (if any of them is: no honest name mixes both).
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise RotationError("name_not_resolved", f"{url}: the name of the host cannot be resolved", url=url) from exc
    for *_socket, address in found:
        check(url, str(address[0]), allow_private=allow_private)
    return [(family, address) for family, _kind, _protocol, _name, address in found]


def check(url: str, address: str, *, allow_private: bool) -> None:
    """:raises RotationError: ``address_refused``."""
    for one in _meanings(ipaddress.ip_address(address.partition("%")[0])):
        if _is_nowhere(one):
            raise RotationError("address_refused", f"{url} leads to {address}, where no CA can be", url=url)
        if not allow_private and not _is_public(one):
            raise RotationError("address_refused", f"{url} leads to the private address {address}", url=url)


def literal(host: str) -> str | None:
    """The address that ``host`` is in any of its notations, ``0x7f.1`` and ``2130706433`` among them; None for a name.

    Needed where a proxy resolves the name: what is an address already can still be checked.
    """
    try:
        plain = host if host.isascii() else host.encode("idna").decode("ascii")
        return str(ipaddress.ip_address(plain.partition("%")[0]))
    except UnicodeError:
        return None
    except ValueError:
        with contextlib.suppress(OSError):
            return socket.inet_ntoa(socket.inet_aton(plain.rstrip(".")))
    return None


def _meanings(address: _Ip) -> Iterator[_Ip]:
    """The address, and the IPv4 addresses that it stands for on the way."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _is_nowhere(address: _Ip) -> bool:
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return True
    return isinstance(address, ipaddress.IPv4Address) and (
        int(address) >> 24 == 0 or address.is_reserved  # "this network" (RFC 1122), class E and broadcast
    )


def _is_public(address: _Ip) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global
    if address.ipv4_mapped is not None:
        return True  # what it stands for is judged
    return address.is_global and not address.is_site_local and address not in _LOCAL_NAT64
