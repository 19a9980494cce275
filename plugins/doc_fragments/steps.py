# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that all steps of a rotation share."""

from __future__ import annotations


class ModuleDocFragment:
    """``steps.fleet``, ``.trust``, ``.attributes`` for steps that run once for all hosts, ``steps.host`` for others."""

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
  packed:
    description:
      - Return the rotations of each host as one text, which costs Ansible far less than the same as data.
      - Every step takes both forms.
    type: bool
    default: false
"""

    HOST = r"""
options:
  rotations:
    description: The host's rotations, as the step before returned them. What is to be done is taken from them.
    type: raw
  keep_going:
    description: Leave errors in the rotations for the report, instead of failing the task. Only with O(rotations).
    type: bool
    default: false
  packed:
    description:
      - Return the rotations of each host as one text, which costs Ansible far less than the same as data.
      - Every step takes both forms.
    type: bool
    default: false
"""

    TRUST = r"""
options:
  issuers:
    description: Certificate authorities by name, as in C(rotate_issuers). Their roots are trusted.
    type: dict
    default: {}
  trust_anchors:
    description: PEM files on the control node with further trust anchors. Those of the system are always used too.
    type: list
    elements: path
    default: []
  timeout:
    description: Seconds that one connection or one request may take.
    type: float
    default: 10.0
  cache_dir:
    description:
      - Folder on the control node that keeps verified CRLs and OCSP responses for later runs, as the option of the same
        name of M(certops.rotation.revocation_info).
      - M(certops.rotation.fleet_status) uses what is kept as long as HTTP allows. The other steps use it only if the
        server says now that it is the same still, and M(certops.rotation.certificate_revoke) never.
      - The default is C($XDG_CACHE_HOME/certops/revocation), or C(~/.cache/certops/revocation). If empty, nothing is
        kept.
    type: path
  at:
    description: The moment to judge for, in ISO 8601. Left out, it is now.
    type: str
"""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    support: full
    description: Changes nothing on any host in any mode.
  diff_mode:
    support: N/A
    description: There is nothing to compare.
"""
