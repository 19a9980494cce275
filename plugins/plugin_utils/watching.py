# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching what is served: rounds of handshakes with one host, until nothing lacks or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.served_proof import PlaceProof
from ansible_collections.certops.rotation.plugins.module_utils._fetch.side_by_side import SideBySide
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Handshake, shake_all
from ansible_collections.certops.rotation.plugins.plugin_utils.handshaking import Place, served_entries

# A worker of nginx fetches its staple in some milliseconds where the responder is near; each pause doubles.
_FIRST_PAUSE = 0.02
_MOST_HOSTS_AT_ONCE = 128


@dataclass
class Watch:
    """One rotation whose places are being watched."""

    rotation: dict[str, Any]
    proofs: list[tuple[Place, PlaceProof]]

    @property
    def is_served(self) -> bool:
        """At least one place proves it, and all of those that ever answered."""
        proven = [proof.is_served for _place, proof in self.proofs if not proof.is_still_silent]
        return bool(proven) and all(proven)

    @property
    def is_stapled(self) -> bool:
        return all(proof.is_stapled for _place, proof in self.proofs if not proof.is_still_silent)

    def lacking(self) -> list[tuple[Place, PlaceProof]]:
        """Where something is still to be seen."""
        return [
            (place, proof)
            for place, proof in self.proofs
            if proof.missing and not (proof.is_still_silent and self.is_served)
        ]

    def first_clients(self) -> list[tuple[Place, PlaceProof]]:
        """Whom to ask at first: one place, once for each worker, which fetches its staple for its first client.

        Nobody gets one before that; asking everywhere meanwhile would be asking in vain.
        """
        if any(proof.seen for _place, proof in self.proofs):
            return []
        expected = [one for one in self.proofs if one[1].wanted.staples_in_a_row and not one[1].was_silent_before]
        return expected[:1] * (expected[0][1].wanted.staples_in_a_row // 2) if expected else []

    @property
    def must_staple(self) -> bool:
        return bool(self.rotation["issued"].get("must_staple"))


@dataclass(frozen=True)
class Patience:
    """For how long, and how eagerly. Seconds."""

    deadline: float
    staple_deadline: float
    interval: float
    timeout: float
    at_once: int
    """Handshakes with one host at a time."""


class HostWatch:
    """All watches of one host. What it waits for holds up no other host on the same ``SideBySide``."""

    def __init__(
        self, watches: Sequence[Watch], judge: Judging, now: Callable[[], datetime], patience: Patience
    ) -> None:
        self._watches = watches
        self._judge = judge
        self._now = now
        self._patience = patience
        self._pause = min(_FIRST_PAUSE, patience.interval)
        self._asked: list[tuple[Place, PlaceProof]] = []

    def begin(self, together: SideBySide, done: Callable[[], None]) -> None:
        """Start watching; ``done`` is called when there is nothing left to see, or no time."""
        self._together, self._done = together, done
        self._deadline = time.monotonic() + self._patience.deadline
        self._staple_deadline: float | None = None
        self._look()

    def _look(self) -> None:
        if self._staple_deadline is None and all(watch.is_served for watch in self._watches):
            self._staple_deadline = time.monotonic() + self._patience.staple_deadline
        lacking = [one for watch in self._watches for one in watch.lacking()]
        if not lacking or time.monotonic() > (self._staple_deadline or self._deadline):
            self._done()
            return
        first = [one for watch in self._watches for one in watch.first_clients()]
        # As many as each lacks, at once: several connections meet several workers. One that did not answer is asked
        # once: several would only wait for their time limits.
        self._asked = first or [
            one for one in lacking for _time in range(1 if one[1].last.get("error") else one[1].missing)
        ]
        shake_all(
            self._together,
            [place.endpoint for place, _proof in self._asked],
            timeout=self._patience.timeout,
            concurrency=self._patience.at_once,
            done=self._seen,
        )

    def _seen(self, shaken: Sequence[Handshake]) -> None:
        hoped = sum(proof.missing for proof in self._asked_proofs()) - len(shaken)
        places = [place for place, _proof in self._asked]
        entries = served_entries(zip(places, shaken, strict=True), self._judge, self._now())
        for (_place, proof), entry in zip(self._asked, entries, strict=True):
            proof.feed(entry)
        if sum(proof.missing for proof in self._asked_proofs()) <= hoped:
            self._look()  # each of them was good: there is nothing to wait for
        else:
            self._together.later(self._pause, self._look)
            self._pause = min(2 * self._pause, self._patience.interval)

    def _asked_proofs(self) -> list[PlaceProof]:
        return list({id(proof): proof for _place, proof in self._asked}.values())


def watch_hosts(hosts: Sequence[HostWatch]) -> None:
    """Watch all of them, side by side, to the end."""
    together, waiting = SideBySide(), list(hosts)[::-1]

    def next_one() -> None:
        if waiting:
            waiting.pop().begin(together, lambda: together.later(0, next_one))

    for _time in range(_MOST_HOSTS_AT_ONCE):
        together.later(0, next_one)
    together.run()
