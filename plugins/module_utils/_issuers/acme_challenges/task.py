# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be shown for one name, and what every way of showing it offers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_libraries import josepy


@dataclass(frozen=True)
class Task:
    """One challenge of an authorization."""

    identifier: str
    """The DNS name without ``*.``, or the IP address."""
    is_wildcard: bool
    token: str
    key_authorization: str
    """RFC 8555 section 8.1"""
    account_uri: str
    issuer_domains: tuple[str, ...] = ()
    """For dns-persist-01: the names that the CA goes by."""

    @property
    def record_name(self) -> str:
        """Of dns-01 (RFC 8555 section 8.4)."""
        return f"_acme-challenge.{self.identifier}"

    @property
    def record_text(self) -> str:
        """Of dns-01."""
        return str(josepy.b64encode(hashlib.sha256(self.key_authorization.encode()).digest()).decode())

    @property
    def path(self) -> str:
        """Of http-01 (RFC 8555 section 8.3)."""
        return f"/.well-known/acme-challenge/{self.token}"


class Solver(Protocol):
    """One way of proving control of names. Many threads use it at once."""

    type: str
    """As in the protocol: ``http-01``, ``dns-01``, ``dns-persist-01``."""

    def provide(self, tasks: Sequence[Task]) -> None:
        """Make the answers visible to the CA; returns when they are. RotationError if that cannot be."""

    def withdraw(self, tasks: Sequence[Task]) -> None:
        """Take them away. RotationError if that failed: it is a warning, because the certificate is there by then."""
