# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan an emergency. Documentation; the work is in the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: emergency_plan
short_description: From a key that leaked to the hosts that have to be rotated
version_added: "0.1.0"
description:
  - Finds in rotations, as M(certops.rotation.fleet_status) and M(certops.rotation.installed_info) returned them,
    everything that a key, a certificate, a serial number or a CA concerns.
  - Puts the keys that must never be served again on the deny list before anything else happens.
  - Tells which hosts can be rotated now, which cannot and why, and of which it is not known.
  - Changes nothing on any host. What it finds is for M(certops.rotation.rotation_plan).
options:
  key_path:
    description:
      - File on the control node with the private or public key that leaked, PEM or DER. Only its public half is kept.
    type: path
  passphrase:
    description: Passphrase of the key in O(key_path).
    type: str
  spki_sha256:
    description: Fingerprints of keys, SHA-256 of the SubjectPublicKeyInfo in hexadecimal.
    type: list
    elements: str
    default: []
  certificate_paths:
    description: Files on the control node with certificates. What is meant is their keys.
    type: list
    elements: path
    default: []
  serials:
    description: Serial numbers of certificates, in hexadecimal.
    type: list
    elements: str
    default: []
  authorities:
    description:
      - CAs whose certificates have to go, by name in O(issuers) or as a file with the certificate of the CA.
      - Those that were made since the incident began are not meant.
    type: list
    elements: str
    default: []
  everything:
    description: Every certificate has to go, but for those that were made since the incident began.
    type: bool
    default: false
  drill:
    description: Whether this is a rehearsal, which the report says then.
    type: bool
    default: false
  reason:
    description:
      - What they are revoked for.
      - Left out, it is V(keyCompromise), and V(superseded) for O(authorities) and O(everything).
    type: str
    choices: [unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn]
  incident:
    description:
      - Name of the incident, under which its report is continued. Made from the key or the serial number if left out.
      - Needed for O(authorities) and O(everything), where nothing else tells one incident from the next.
    type: str
    default: ""
  report_directory:
    description: Folder on the control node below which reports are written; an earlier report of the incident is read.
    type: path
    required: true
  deny_list_path:
    description: File on the control node that the fingerprints of leaked keys are added to.
    type: path
  issuers:
    description: Certificate authorities by name, as in C(rotate_issuers).
    type: dict
    default: {}
  issuer_instead:
    description: By name of an issuer, the one to order from in its place.
    type: dict
    default: {}
  waves:
    description: How many hosts are wanted at a time, as in C(serial) of a play.
    type: list
    elements: str
    default: ["100%"]
extends_documentation_fragment:
  - certops.rotation.steps.fleet
attributes:
  check_mode:
    support: full
    description: Adds nothing to the deny list.
  diff_mode:
    support: none
    description: The deny list only grows, by what RV(denied) says.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.compromised_key_info
  - module: certops.rotation.rotation_plan
"""

EXAMPLES = r"""
- name: Who uses the key that leaked?
  certops.rotation.emergency_plan:
    rotations: "{{ seen.rotations }}"
    key_path: /root/leaked.pem
    report_directory: /var/log/certops
    deny_list_path: /var/lib/certops/deny_list
    issuers: "{{ rotate_issuers }}"
  run_once: true
  register: planned

- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ planned.lines }}"
  run_once: true
"""

RETURN = r"""
rotations:
  description: By host, the rotations that are concerned or of which it is not known, with C(decision).
  returned: success
  type: dict
affected:
  description: What has to go, for O(certops.rotation.rotation_plan#module:policy.affected).
  returned: success
  type: dict
  sample:
    spki_sha256: [0d1e2f081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0]
    serials: []
    certificates: []
    reason: keyCompromise
subject:
  description: What the incident is about, for the report.
  returned: success
  type: dict
  sample:
    kind: key
    spki_sha256: [0d1e2f081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0]
    reason: keyCompromise
incident:
  description: Name of the incident.
  returned: success
  type: str
  sample: key-0d1e2f081884c7d6
started_at:
  description: When the incident began, which is when it was first planned.
  returned: success
  type: str
  sample: "2026-11-21T01:02:03Z"
hosts:
  description: Hosts that can be rotated now.
  returned: success
  type: list
  elements: str
waves:
  description:
    - How many hosts to rotate at a time, O(waves).
    - All of them, where a certificate is C(shared) and its new key has to reach them all.
  returned: success
  type: list
  elements: str
  sample: ["1", "10%", "100%"]
server_names:
  description: The names for which certificates that are concerned are served; any host may serve them for these.
  returned: success
  type: list
  elements: str
  sample: [shop.example.org]
not_ready:
  description: By host that is concerned and cannot be rotated now, why.
  returned: success
  type: dict
  sample: {web7: "the host cannot be reached"}
unknown:
  description: By host of which it is not known whether it is concerned, why.
  returned: success
  type: dict
denied:
  description: Fingerprints that were added to the deny list.
  returned: success
  type: list
  elements: str
counts:
  description: Hosts and certificates that are concerned, orders to be placed, and hosts that are not concerned.
  returned: success
  type: dict
  sample: {hosts: 30, certificates: 1, orders: 30, not_ready: 3, unknown: 0, not_affected: 20}
orders:
  description: By issuer, how many orders will be placed.
  returned: success
  type: dict
  sample: {letsencrypt: 30}
over_budget:
  description: By issuer, what it would refuse, and what to do about it.
  returned: success
  type: dict
  sample:
    letsencrypt: 25 of the 30 orders from letsencrypt would be refused
estimated_seconds:
  description: How long the rotation will take, by what was measured on two processors; a guess.
  returned: success
  type: int
  sample: 40
lines:
  description: The plan in a few sentences.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import FLEET_STEP_SPEC

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "key_path": {"type": "path", "no_log": False},
    "passphrase": {"type": "str", "no_log": True},
    "spki_sha256": {"type": "list", "elements": "str", "default": []},
    "certificate_paths": {"type": "list", "elements": "path", "default": []},
    "serials": {"type": "list", "elements": "str", "default": []},
    "authorities": {"type": "list", "elements": "str", "default": []},
    "everything": {"type": "bool", "default": False},
    "drill": {"type": "bool", "default": False},
    "reason": {
        "type": "str",
        "choices": [
            "unspecified",
            "keyCompromise",
            "affiliationChanged",
            "superseded",
            "cessationOfOperation",
            "privilegeWithdrawn",
        ],
    },
    "incident": {"type": "str", "default": ""},
    "report_directory": {"type": "path", "required": True},
    "deny_list_path": {"type": "path"},
    "issuers": {"type": "dict", "default": {}, "no_log": True},
    "issuer_instead": {"type": "dict", "default": {}},
    "waves": {"type": "list", "elements": "str", "default": ["100%"]},
    **FLEET_STEP_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.emergency_plan runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
