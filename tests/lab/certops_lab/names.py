# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and addresses: who is called what, and where, inside one lab.

The addresses exist only inside the lab's own network namespaces, so all labs use the same ones.
198.18.0.0/15 is set aside for tests between networks (RFC 2544), fd00::/8 for local use (RFC 4193).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from certops_lab.errors import LabError

DOMAIN = "lab.test"
CA_NAME = f"ca.{DOMAIN}"
IPV4 = ipaddress.IPv4Network("198.18.0.0/16")
IPV6 = ipaddress.IPv6Network("fdce:4709:5:1::/64")
MAX_HOSTS = 5000

_OFFSET = 10  # web01 is .11
_NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")  # an interface on the bridge has the host's name: 15 characters
_RESERVED = ("bridge", "ca", "control", "lo", "localhost")


def checked_name(name: str) -> str:
    """The name of a lab or host, if it can be one."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise LabError(f"{name!r} can't be a name here: 1-15 of a-z, 0-9, '-', a letter first, none of {_RESERVED}")
    return name


def numbered(count: int) -> list[str]:
    """web01, web02, ... as many as asked for."""
    if not 0 <= count <= MAX_HOSTS:
        raise LabError(f"a lab has 0 to {MAX_HOSTS} hosts, not {count}")
    return [f"web{number:02d}" for number in range(1, count + 1)]


@dataclass(frozen=True)
class Address:
    """One place on the lab's bridge, IPv4 and IPv6."""

    ipv4: ipaddress.IPv4Address
    ipv6: ipaddress.IPv6Address

    def interfaces(self) -> tuple[str, str]:
        """Both with their prefix lengths, as `ip address add` wants them."""
        return f"{self.ipv4}/{IPV4.prefixlen}", f"{self.ipv6}/{IPV6.prefixlen}"


CONTROL = Address(IPV4[1], IPV6[1])


def host_address(index: int) -> Address:
    """Address of the host with this number, counted from 1."""
    return Address(IPV4[_OFFSET + index], IPV6[_OFFSET + index])


def host_lines(addresses: dict[str, Address]) -> str:
    """Lines for /etc/hosts: the control node, which is also where a test's CA publishes, and every host."""
    lines = [f"{CONTROL.ipv4} {CA_NAME} control.{DOMAIN}", f"{CONTROL.ipv6} {CA_NAME} control.{DOMAIN}"]
    for name, address in addresses.items():
        lines += [f"{address.ipv4} {name}.{DOMAIN} {name}", f"{address.ipv6} {name}.{DOMAIN} {name}"]
    return "\n".join(lines) + "\n"


def hosts_file_of_host(name: str, addresses: dict[str, Address]) -> str:
    """/etc/hosts of a lab host."""
    loopback = f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost ip6-loopback\n"
    return loopback + host_lines(addresses)
