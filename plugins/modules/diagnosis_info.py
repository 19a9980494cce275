# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the causes. Documentation; the work is in the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnosis_info
short_description: Tell why a certificate is refused, or its revocation status not trusted
version_added: "0.1.0"
description:
  - Names causes from what M(certops.rotation.client_view_info) and M(certops.rotation.host_view_info) saw, the gravest
    of the most certain first. What follows from another cause is not named beside it.
  - Opens no connection but to judge what a responder answered to a host, where that needs a CRL. Changes nothing.
options:
  fail_on:
    description: A host fails for causes of these certainties, or with these codes.
    type: list
    elements: str
    default: [certain]
  before:
    description: What RV(diagnoses) was before a repair. RV(lines) then begins with what became of the causes repaired.
    type: dict
    default: {}
  earlier:
    description:
      - What RV(snapshot) was in an earlier run. RV(lines) then tells for each certificate what has changed since in
        reachability, resolution, chain and staple.
    type: dict
    default: {}
  plan_repair:
    description:
      - Whether to fill in, for each certificate with a cause that the collection can repair, what
        M(certops.rotation.certificate_validate) and M(certops.rotation.certificate_install) need to do that.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.rotation.steps.fleet
  - certops.rotation.steps.trust
  - certops.rotation.steps.attributes
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.client_view_info
  - module: certops.rotation.host_view_info
"""

EXAMPLES = r"""
- name: Name the causes
  certops.rotation.diagnosis_info:
    rotations: "{{ seen.rotations }}"
    collect: looked
  register: diagnosis
  run_once: true

- name: Say it
  ansible.builtin.debug:
    msg: "{{ diagnosis.lines }}"
  run_once: true
"""

RETURN = r"""
diagnoses:
  description: By host and name of the certificate, its causes in their order. None means that nothing is wrong.
  returned: success
  type: dict
  sample:
    web1:
      shop:
        - code: responder_blocked
          certainty: certain
          what: packets to the OCSP responder are dropped on the way
          where: [host web1]
          evidence: ["http://ocsp.example.org: no connection within 5 s"]
          remedy: open TCP to the responder's port (80, never UDP) in the firewall, or staple from a file
          fixable: false
lines:
  description: The same in prose.
  returned: success
  type: list
  elements: str
snapshot:
  description:
    - By host and name of the certificate, what can be compared with later. C(taken_at) is when it was seen.
  returned: success
  type: dict
changes:
  description: By host and name of the certificate, what has changed since O(earlier).
  returned: success
  type: dict
  sample: {web1: {shop: ["reachability of http://ocsp.example.org from host web1: was ok, is blocked"]}}
failures:
  description: By host, the causes for which it is to fail.
  returned: success
  type: dict
repairs:
  description: By host, what the collection can repair there, as V(files), V(reload), V(staple) and V(prime).
  returned: success
  type: dict
  sample: {web1: {shop: [staple]}}
rotations:
  description: By host, its rotations with C(diagnosis).
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import (
    FLEET_STEP_SPEC,
    TRUST_SPEC,
)

ARGUMENT_SPEC = {
    "fail_on": {"type": "list", "elements": "str", "default": ["certain"]},
    "before": {"type": "dict", "default": {}},
    "earlier": {"type": "dict", "default": {}},
    "plan_repair": {"type": "bool", "default": False},
    **FLEET_STEP_SPEC,
    **TRUST_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.diagnosis_info runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
