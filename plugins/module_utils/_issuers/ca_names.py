# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of an order and of a request: one spelling to compare them by, and the CA's policy on them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import ip_address, server_names


def canonical_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names in canonical form, each once, sorted: the same set of names is the same tuple.

    :raises RotationError: ``name_invalid``.
    """
    return tuple(sorted(server_names(list(names))))


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    return ipaddress.ip_address(name) if ip_address(name) else None


def general_names(names: Sequence[str]) -> list[x509.GeneralName]:
    """Canonical names as they stand in subjectAltName."""
    values: list[x509.GeneralName] = []
    for name in names:
        address = _address(name)
        values.append(x509.IPAddress(address) if address is not None else x509.DNSName(name))
    return values


def requested_names(request: x509.CertificateSigningRequest) -> tuple[str, ...]:
    """The canonical names in a request's subjectAltName; its common name counts for nothing.

    :raises RotationError: ``csr_names_differ`` for a name that is neither DNS nor IP, ``name_invalid``.
    """
    try:
        alternatives = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = []
    for name in alternatives:
        if not isinstance(name, (x509.DNSName, x509.IPAddress)):
            raise RotationError(
                "csr_names_differ",
                f"the request asks for a {type(name).__name__}; only DNS names and IP addresses are issued",
            )
        names.append(str(name.value))
    return canonical_names(names)


def check_policy(names: Sequence[str], allowed: Sequence[str]) -> None:
    """Every name lies in one of ``allowed``; an empty policy allows all.

    ``example.org`` allows itself and all below it, ``.example.org`` only what is below it, ``192.0.2.0/24`` addresses.

    :raises RotationError: ``ca_refused``.
    """
    refused = [name for name in names if allowed and not any(_is_within(name, entry) for entry in allowed)]
    if refused:
        raise RotationError(
            "ca_refused",
            f"this CA does not issue for {', '.join(refused)}",
            remedy=f"It issues for: {', '.join(allowed)}. Extend allowed_names of the CA if that is too narrow.",
            names=refused,
            allowed_names=list(allowed),
        )


def _is_within(name: str, entry: str) -> bool:
    address = _address(name)
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        if address is not None:
            return False
        suffix = entry.lower()
        if suffix.startswith("."):
            return name.endswith(suffix)
        return name == suffix or name.endswith("." + suffix)
    return address is not None and address in network
