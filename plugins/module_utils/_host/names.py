# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that reach a file name or openssl's configuration are checked here, whatever the control node did before."""

from __future__ import annotations

import re

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_FOLDER_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_VERSION = r"[0-9]{8}T[0-9]{6}Z-(?:[0-9a-f]{6}|adopted)"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = r"(?:\*\.)?" + _LABEL + r"(?:\." + _LABEL + r")*"
_ADDRESS = r"[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
_SHA256 = r"[0-9a-f]{64}"
_MOST_NAMES = 100


def checked_folder_name(name: str) -> str:
    """A certificate's name as a folder name: no separator, no dots that climb."""
    if not is_folder_name(name):
        raise RotationError(
            "name_invalid",
            f"{name[:120]!r} cannot be the name of a certificate",
            remedy="Use letters, digits, dots, dashes and underscores, at most 100 of them.",
        )
    return name


def is_folder_name(name: str) -> bool:
    """Whether a certificate may be called so."""
    return re.fullmatch(_FOLDER_NAME, name) is not None and ".." not in name


def checked_version(version: str) -> str:
    """A version's name as we make them, so that it can be nothing but a folder below ``versions``."""
    if not is_version(version):
        raise RotationError("name_invalid", f"{version[:120]!r} is not the name of a version")
    return version


def is_version(name: str) -> bool:
    """Whether a folder's name is one that this collection gave."""
    return re.fullmatch(_VERSION, name) is not None


def checked_sha256(value: str) -> str:
    """A fingerprint: 64 lower-case hexadecimal digits."""
    if not re.fullmatch(_SHA256, value):
        raise RotationError("name_invalid", f"{value[:80]!r} is not a SHA-256 in lower-case hexadecimal")
    return value


def is_ip_address(name: str) -> bool:
    """Whether the name is an IPv4 or IPv6 address, without a zone."""
    if not re.fullmatch(_ADDRESS, name):
        return False
    import ipaddress  # most names are none, and then a host need not load it

    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def checked_server_names(names: list[str]) -> list[str]:
    """Names for subjectAltName.

    Strict, because openssl's configuration syntax gives a meaning to comma, equals sign, dollar and newline:
    a name that holds one could add an extension to the request.
    """
    if not names or len(names) > _MOST_NAMES:
        raise RotationError("name_invalid", f"A request needs 1 to {_MOST_NAMES} names, got {len(names)}")
    for name in names:
        if not is_ip_address(name) and (len(name) > 253 or not re.fullmatch(_DNS_NAME, name)):
            raise RotationError(
                "name_invalid",
                f"{name[:120]!r} is neither a DNS name nor an IP address",
                remedy="Internationalised names go in as punycode (xn--...).",
            )
    return names
