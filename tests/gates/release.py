# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a release could be made of the work tree as it is: changelog, artifact, galaxy-importer, installation."""

from __future__ import annotations

from tests.gates.command import one_check, tool_environment
from tests.gates.outcome import Outcome
from tools.python_environments import DEV


def release_check() -> Outcome:
    return one_check([str(DEV.python), "-m", "tools.release", "--check"], environ=tool_environment(DEV.python))
