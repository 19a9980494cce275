# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one kind of error this collection raises.

Standard library only, Python 3.8: it is shipped to hosts with every host module.
"""

from __future__ import annotations

from typing import Any


class RotationError(Exception):
    """Something could not be done: a code for playbooks, a sentence for people, facts for both.

    :param code: lower-case words joined by underscores; playbooks branch on it and it never changes its meaning.
    :param message: what happened, in one sentence that names the subject.
    :param remedy: the next step for the operator, if there is one to name.
    :param facts: JSON-serialisable values; never key material.
    """

    def __init__(self, code: str, message: str, remedy: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.facts = facts

    def as_result(self) -> dict[str, Any]:
        """The error as it appears in results and in ``rotation.error``."""
        return {"code": self.code, "msg": self.message, "remedy": self.remedy, "facts": self.facts}
