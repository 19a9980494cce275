# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate says when it is through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Counts of one gate. `left_out` names each thing that did not run, and why; `output` is what a person needs."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    left_out: tuple[str, ...] = ()
    output: str = ""

    @classmethod
    def absent(cls, why: str) -> Outcome:
        """The whole gate cannot run here."""
        return cls(skipped=1, left_out=(why,))

    @property
    def word(self) -> str:
        if self.failed:
            return "FAILED"
        return "ok" if self.passed else "skipped"


def total(outcomes: Iterable[Outcome]) -> Outcome:
    """The sum of the counts, and all that was left out or printed."""
    everything = list(outcomes)
    return Outcome(
        passed=sum(outcome.passed for outcome in everything),
        failed=sum(outcome.failed for outcome in everything),
        skipped=sum(outcome.skipped for outcome in everything),
        left_out=tuple(text for outcome in everything for text in outcome.left_out),
        output="\n".join(outcome.output for outcome in everything if outcome.output),
    )
