# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When it is proven that a place serves a certificate: not after one handshake.

An old worker of nginx may answer once or twice more after a reload, so the new serial must be seen several times in a
row. A worker that fetches staples itself has none for its first client, and each worker fetches its own, so there a row
of stapled handshakes is needed, long enough to have met every worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Wanted:
    """What is to be seen at a place."""

    serial: str
    spki_sha256: str
    in_a_row: int = 3
    staples_in_a_row: int = 0
    """0: no staple is expected"""


@dataclass
class PlaceProof:
    """What the handshakes with one listener × server name have shown so far."""

    wanted: Wanted
    was_silent_before: bool = False
    """Nothing answered here before anything was changed either."""
    seen: int = 0
    in_a_row: int = 0
    stapled_in_a_row: int = 0
    unstapled: int = 0
    """Handshakes with the wanted certificate that carried no good staple."""
    last: Mapping[str, Any] = field(default_factory=dict)

    def feed(self, entry: Mapping[str, Any]) -> None:
        """Take in one more handshake, an entry as in ``rotation.served``."""
        self.seen += 1
        self.last = entry
        if entry.get("serial") != self.wanted.serial or entry.get("spki_sha256") != self.wanted.spki_sha256:
            self.in_a_row = self.stapled_in_a_row = 0
            return
        self.in_a_row += 1
        if (entry.get("staple") or {}).get("status") == "good":
            self.stapled_in_a_row += 1
        else:
            self.stapled_in_a_row = 0
            self.unstapled += 1

    @property
    def is_served(self) -> bool:
        return self.in_a_row >= self.wanted.in_a_row

    @property
    def is_stapled(self) -> bool:
        return self.stapled_in_a_row >= self.wanted.staples_in_a_row

    @property
    def missing(self) -> int:
        """How many more handshakes in a row it takes, if all of them show what is wanted."""
        return max(self.wanted.in_a_row - self.in_a_row, self.wanted.staples_in_a_row - self.stapled_in_a_row, 0)

    @property
    def is_still_silent(self) -> bool:
        """It does not answer, and did not before: not the fault of what was changed."""
        return self.was_silent_before and self.seen > 0 and not self.last.get("serial")

    def what_was_seen(self) -> str:
        """In words, for the error."""
        error = self.last.get("error")
        if error:
            return str(error.get("msg"))
        if not self.last.get("serial"):
            return "nobody looked"
        if self.in_a_row:
            return f"serves {self.wanted.serial}, but not {self.wanted.in_a_row} times in a row"
        return f"serves {self.last['serial']}"

    def as_checked(self, at: str) -> dict[str, Any]:
        """One entry of ``proof.checked``."""
        staple = self.last.get("staple") or {}
        return {
            **({"ip": self.last["ip"]} if self.last.get("ip") else {}),
            "address": self.last.get("address"),
            "port": self.last.get("port"),
            "server_name": self.last.get("server_name"),
            "handshakes": self.seen,
            "staple": staple.get("status"),
            "staple_next_update": staple.get("next_update"),
            "at": at,
        }
