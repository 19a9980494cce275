# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why there is no release, and how a tool is run that may be the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.gates.command import run


class Refused(Exception):
    """The message is for the person who wanted to release."""


def must_run(command: Sequence[str], environ: Mapping[str, str], cwd: Path) -> str:
    """What the command printed; raises Refused if it failed."""
    status, output = run(command, environ=environ, cwd=cwd)
    if status:
        raise Refused(f"{' '.join(command)} failed with status {status}:\n{output}")
    return output
