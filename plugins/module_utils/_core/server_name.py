# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server names: does a certificate name them (RFC 9525), and may its CA vouch for them (RFC 5280 4.2.1.10)?"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import extension
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509

if TYPE_CHECKING:
    from typing import TypeAlias

IPAddress: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"


def missing_names(certificate: x509.Certificate, wanted: Iterable[str]) -> tuple[str, ...]:
    """Those of ``wanted`` (DNS names or IP addresses) that the certificate does not stand for."""
    names = list(extension(certificate, x509.SubjectAlternativeName) or ())
    return tuple(name for name in wanted if not any(_stands_for(have, name) for have in names))


def _stands_for(have: x509.GeneralName, name: str) -> bool:
    address = ip_address(name)
    if address is not None:
        return isinstance(have, x509.IPAddress) and have.value == address
    return isinstance(have, x509.DNSName) and _covers(comparable(have.value), comparable(name))


def _covers(pattern: str, name: str) -> bool:
    """A wildcard is the whole left-most label and stands for exactly one label (RFC 9525 6.3)."""
    if pattern == name:
        return True
    star, _dot, parent = pattern.partition(".")
    label, _dot, rest = name.partition(".")
    return star == "*" and "." in parent and rest == parent and bool(label) and label != "*"


def comparable(name: str) -> str:
    """A DNS name in the form to compare: A-labels, lower case, without the root's dot."""
    name = name.rstrip(".").lower()
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def ip_address(text: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def forbidden_names(certificate: x509.Certificate, constraints: x509.NameConstraints) -> tuple[str, ...]:
    """The names in ``certificate`` that a CA with these constraints must not certify, in words.

    Constraints on kinds of names other than DNS names and IP addresses are not evaluated: a certificate that carries
    such a name counts as forbidden.
    """
    permitted, excluded = constraints.permitted_subtrees or (), constraints.excluded_subtrees or ()
    names: list[x509.GeneralName] = list(extension(certificate, x509.SubjectAlternativeName) or ())
    if certificate.subject.rdns:
        names.append(x509.DirectoryName(certificate.subject))
    return tuple(str(name.value) for name in names if not _allowed(name, permitted, excluded))


def _allowed(
    name: x509.GeneralName, permitted: Sequence[x509.GeneralName], excluded: Sequence[x509.GeneralName]
) -> bool:
    permitted = [subtree for subtree in permitted if type(subtree) is type(name)]
    excluded = [subtree for subtree in excluded if type(subtree) is type(name)]
    if not isinstance(name, (x509.DNSName, x509.IPAddress)):
        return not permitted and not excluded
    if any(_within(name, subtree) for subtree in excluded):
        return False
    return not permitted or any(_within(name, subtree) for subtree in permitted)


def _within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool:
    if isinstance(name, x509.DNSName) and isinstance(subtree, x509.DNSName):
        value, base = comparable(name.value), comparable(subtree.value.lstrip("."))
        return not base or value == base or value.endswith("." + base)
    if isinstance(name, x509.IPAddress) and isinstance(subtree, x509.IPAddress):
        network = subtree.value
        if isinstance(network, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
            return name.value in network
    return False
