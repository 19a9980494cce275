# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a CA beyond what its directory says: for Let's Encrypt as of 2026-08, for others nothing."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass

_LETS_ENCRYPT = ".api.letsencrypt.org"


@dataclass(frozen=True)
class Limit:
    """So many in so many hours."""

    count: int
    hours: float


@dataclass(frozen=True)
class KnownCa:
    """Defaults for options, and what profiles mean."""

    ocsp: bool = True
    max_names: int = 100
    max_names_by_profile: tuple[tuple[str, int], ...] = ()
    profiles_for_addresses: frozenset[str] | None = None
    """Only these certify IP addresses; None: not known."""
    orders: Limit | None = None
    same_names: Limit | None = None

    def most_names(self, profile: str | None) -> int:
        return dict(self.max_names_by_profile).get(profile or "", self.max_names)


LETS_ENCRYPT = KnownCa(
    ocsp=False,
    max_names_by_profile=(("tlsserver", 25), ("shortlived", 25)),
    profiles_for_addresses=frozenset({"shortlived"}),
    orders=Limit(300, 3),
    same_names=Limit(5, 168),
)


def known_ca(directory_url: str) -> KnownCa:
    """Let's Encrypt's production and staging are known."""
    host = urllib.parse.urlsplit(directory_url).hostname or ""
    return LETS_ENCRYPT if host.endswith(_LETS_ENCRYPT) else KnownCa()
