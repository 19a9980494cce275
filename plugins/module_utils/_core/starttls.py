# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocols in which a client asks for TLS first, and where their servers usually listen."""

from __future__ import annotations

STARTTLS_PORTS = {
    "ftp": 21,
    "imap": 143,
    "ldap": 389,
    "mysql": 3306,
    "pop3": 110,
    "postgres": 5432,
    "smtp": 25,
    "xmpp": 5222,
}


def usual_port(starttls: str | None) -> int:
    """Where to connect if no port is named; 443 where TLS begins at once."""
    return STARTTLS_PORTS[starttls] if starttls else 443
