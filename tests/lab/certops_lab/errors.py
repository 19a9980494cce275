# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in the lab, as two kinds: it can't run here at all, or one step failed."""

from __future__ import annotations


class LabError(Exception):
    """A step failed; the text is one line for the person who ran the command."""


class CannotRun(LabError):
    """This machine can't carry a lab; the text names the one thing that is missing."""
