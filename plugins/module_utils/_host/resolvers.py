# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name servers that the host itself asks: nginx wants to be told, and a public one would leak names."""

from __future__ import annotations

_LIMIT = 64 * 1024


def resolvers(path: str = "/etc/resolv.conf") -> list[str]:
    """Addresses of the host's name servers, as nginx writes them: IPv6 in brackets, no link-local scopes."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(_LIMIT).splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    addresses = [line[1] for line in words if len(line) > 1 and line[0] == "nameserver" and "%" not in line[1]]
    return [f"[{address}]" if ":" in address else address for address in addresses]
