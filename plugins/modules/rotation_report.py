# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a run. Runs as the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rotation_report
short_description: Write down who, what, when, how long, and with which evidence
version_added: "0.1.0"
description:
  - Writes C(report.json) into a folder of its own for each run, below O(directory) on the control node, and lets the
    link C(latest) there point to it.
  - Tells which hosts failed and why, so that the role can fail them at its end.
  - The report holds certificates' serials and fingerprints, never a key.
options:
  directory:
    description: Folder on the control node.
    type: path
    required: true
  fail_on:
    description: Codes of decisions' reasons that count as a failure of the host, for example V(revoked).
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - certops.rotation.steps.fleet
attributes:
  check_mode:
    support: full
    description: Writes nothing, and tells what it would have written.
  diff_mode:
    support: none
    description: Each run has a report of its own.
author: certops maintainers (@certops)
"""

EXAMPLES = r"""
- name: Write the report
  certops.rotation.rotation_report:
    rotations: "{{ confirmed.rotations }}"
    directory: /var/log/certops
  run_once: true
  register: report

- name: Say what happened
  ansible.builtin.debug:
    msg: "{{ report.lines }}"
"""

RETURN = r"""
path:
  description: The report. Empty in check mode.
  returned: success
  type: str
  sample: /var/log/certops/20261121T010203Z-4f1a2b/report.json
report:
  description: The content of C(report.json).
  returned: when O(packed) is false
  type: dict
  contains:
    schema:
      description: Version of this format.
      type: int
      returned: always
    run:
      description: Identifier of the run, its folder's name.
      type: str
      returned: always
    written_at:
      description: When it was written.
      type: str
      returned: always
    check_mode:
      description: Whether the run only told what it would do.
      type: bool
      returned: always
    counts:
      description:
        - Rotations by outcome, C(rotated), C(repaired), C(finished), C(kept), C(stopped) and C(failed).
        - C(to_rotate), C(to_repair) and C(to_finish) where nothing was done.
      type: dict
      returned: always
    rotations:
      description: One entry for each certificate on each host.
      type: list
      elements: dict
      returned: always
      contains:
        host:
          description: Name of the host in the inventory.
          type: str
          returned: always
        name:
          description: Name of the certificate.
          type: str
          returned: always
        server_names:
          description: Names in the certificate.
          type: list
          elements: str
          returned: always
        outcome:
          description: What became of it, one of the words of C(counts).
          type: str
          returned: always
        decision:
          description: What was decided, with the reasons in words.
          type: dict
          returned: always
        before:
          description: Serial and SPKI SHA-256 of the predecessor, and what was known of its revocation.
          type: dict
          returned: always
        after:
          description: Serial, SPKI SHA-256, issuer and end of the new certificate.
          type: dict
          returned: always
        installation:
          description: Version folder, stapling, and the reload.
          type: dict
          returned: when something was installed
        proof:
          description: Where the new serial was seen, and when.
          type: dict
          returned: when it was proven
        revocation:
          description: State, reason and time of the predecessor's revocation, and where it was seen.
          type: dict
          returned: when there was one
        retirement:
          description: Fingerprints of the keys that were destroyed.
          type: dict
          returned: when there was one
        times:
          description: When each verb was done, ISO 8601 UTC.
          type: dict
          returned: always
        seconds:
          description: How long each step took until this rotation was done in it.
          type: dict
          returned: always
        error:
          description: What failed, with code and remedy.
          type: dict
          returned: when it failed
        warnings:
          description: What the operator should know.
          type: list
          elements: str
          returned: always
failures:
  description: By host, why it failed.
  returned: success
  type: dict
  sample:
    web1: "shop: issue: the CA refused (ca_refused). Correct the names."
counts:
  description: Rotations by outcome.
  returned: success
  type: dict
  sample: {rotated: 2, kept: 5}
lines:
  description: The report in a few lines.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import FLEET_STEP_SPEC

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "directory": {"type": "path", "required": True},
    "fail_on": {"type": "list", "elements": "str", "default": []},
    **FLEET_STEP_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.rotation_report runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
