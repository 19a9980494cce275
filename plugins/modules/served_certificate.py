# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify. Documentation; the work is in the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: served_certificate
short_description: Prove from outside that new certificates are served
version_added: "0.1.0"
description:
  - Shakes hands with every listener and server name of all hosts until each has served the new certificate several
    times in a row, or the deadline has passed.
  - Where the certificate is stapled, goes on until the handshakes in a row carry a verified good staple, which also
    makes every worker of nginx fetch its own.
  - Returns the proof without which M(certops.rotation.certificate_revoke) revokes nothing.
  - A place that did not answer before the rotation either is a warning; all others must prove it.
options:
  deadline:
    description: Seconds until every place must serve the new certificate.
    type: float
    default: 30.0
  staple_deadline:
    description: Seconds that places which serve the new certificate have for their staples.
    type: float
    default: 10.0
  consecutive:
    description:
      - How many handshakes in a row must show the new certificate.
      - An old worker may answer once more after a reload.
    type: int
    default: 3
  interval:
    description: Seconds between two rounds while something is missing. The first pauses are shorter.
    type: float
    default: 0.2
  concurrency:
    description: Number of handshakes at a time.
    type: int
    default: 32
  seen:
    description:
      - Rotations by host, as M(certops.rotation.fleet_status) returned them, of hosts that have no part in this run.
      - A predecessor that one of them serves, or a host of this run whose rotation failed, is not to be revoked yet.
    type: dict
    default: {}
  others:
    description:
      - Hosts of the inventory that have no part in this run. Where there is a predecessor to revoke, they are asked
        for the names that it stands for; then the same holds for them as for those in O(seen).
      - One that does not answer holds up nothing; a warning names it.
    type: list
    elements: str
    default: []
  request:
    description:
      - Name of the variable that holds what each of the O(others) declares, as for M(certops.rotation.fleet_status).
    type: str
    default: ''
  probed:
    description: Those of the O(others) that are asked even if they declare nothing.
    type: list
    elements: str
    default: []
  hold:
    description: Leave revoking all predecessors to a later run.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.rotation.steps.fleet
  - certops.rotation.steps.trust
  - certops.rotation.steps.attributes
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.certificate_install
  - module: certops.rotation.certificate_revoke
"""

EXAMPLES = r"""
- name: Prove that the shop serves its new certificate
  certops.rotation.served_certificate:
    rotations:
      web1:
        - name: shop
          server_names: [shop.example.org]
          listeners: [{address: 192.0.2.7, port: 443}]
          issued:
            serial: 1f0a
            spki_sha256: 0d1e2f081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0
    deadline: 60
  run_once: true
"""

RETURN = r"""
rotations:
  description:
    - By host, its rotations with C(proof) and C(times.served).
    - Where the proof failed, they have C(error) with the code V(not_served) or V(staple_missing), and C(needs_rollback)
      if the predecessor may be served again.
    - C(withheld) names the C(hosts) that still serve the predecessor. M(certops.rotation.certificate_revoke) leaves it,
      and M(certops.rotation.key_retire) its key, to the run that replaces the last of them.
  returned: success
  type: dict
rollback:
  description: Hosts with a certificate that is to be rolled back.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import (
    FLEET_STEP_SPEC,
    TRUST_SPEC,
)

ARGUMENT_SPEC = {
    "deadline": {"type": "float", "default": 30.0},
    "staple_deadline": {"type": "float", "default": 10.0},
    "consecutive": {"type": "int", "default": 3},
    "interval": {"type": "float", "default": 0.2},
    "concurrency": {"type": "int", "default": 32},
    "seen": {"type": "dict", "default": {}},
    "others": {"type": "list", "elements": "str", "default": []},
    "request": {"type": "str", "default": ""},
    "probed": {"type": "list", "elements": "str", "default": []},
    "hold": {"type": "bool", "default": False},
    **FLEET_STEP_SPEC,
    **TRUST_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.served_certificate runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
