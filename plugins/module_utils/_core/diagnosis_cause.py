# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cause that a diagnosis names."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_table import BY_CODE, CERTAINTIES

CONTROL_NODE = "control node"


@dataclasses.dataclass(frozen=True)
class Cause:
    """What is wrong, how sure that is, what says so, and what to do."""

    code: str
    """one of those in ``diagnosis_table.KINDS``"""
    certainty: str
    """certain, likely, possible"""
    where: tuple[str, ...]
    """from where it was seen: the control node, or a host by name"""
    evidence: tuple[str, ...]
    remedy: str
    fixable: bool

    def joined_by(self, other: Cause) -> Cause:
        """The same cause, seen twice."""
        surer = min((self, other), key=lambda one: CERTAINTIES.index(one.certainty))
        return dataclasses.replace(
            self,
            certainty=surer.certainty,
            where=tuple(dict.fromkeys((*self.where, *other.where))),
            evidence=tuple(dict.fromkeys((*self.evidence, *other.evidence))),
            fixable=self.fixable or other.fixable,
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "certainty": self.certainty,
            "what": BY_CODE[self.code].sentence,
            "where": list(self.where),
            "evidence": list(self.evidence),
            "remedy": self.remedy,
            "fixable": self.fixable,
        }


def cause(
    code: str,
    certainty: str,
    where: str,
    evidence: Sequence[str],
    *,
    remedy: str = "",
    fixable: bool = False,
) -> Cause:
    """A cause with the remedy of its kind, unless there is a better one."""
    kind = BY_CODE[code]
    return Cause(code, certainty, (where,), tuple(evidence), remedy or kind.remedy, fixable and kind.fixable)
