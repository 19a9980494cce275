# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that all steps of a rotation share."""

from __future__ import annotations


class ModuleDocFragment:
    """``steps.fleet`` for steps that run once for all hosts, ``steps.host`` for those on a host."""

    FLEET = r"""
options:
  rotations:
    description: Rotations by host, as the step before returned them.
    type: dict
    default: {}
  collect:
    description:
      - Name of a registered variable. Where a host has one with C(rotations), these take the place of the host's in
        O(rotations).
    type: str
  keep_going:
    description: Leave errors in the rotations for the report, instead of failing the task.
    type: bool
    default: false
"""

    HOST = r"""
options:
  rotations:
    description: The host's rotations, as the step before returned them. What is to be done is taken from them.
    type: list
    elements: dict
  keep_going:
    description: Leave errors in the rotations for the report, instead of failing the task. Only with O(rotations).
    type: bool
    default: false
"""
