# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide. Documentation; the work is in the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rotation_plan
short_description: Decide what is to be done about each certificate
version_added: "0.1.0"
description:
  - Decides for every rotation whether to keep, rotate, repair, finish or stop, with reasons that a person can read.
  - V(repair) means to reload, because another certificate is served than is installed. V(finish) means that an earlier
    run installed a certificate and did not come to its end.
  - Decides on what is given alone. Nothing is connected to, nothing is changed.
options:
  policy:
    description: When and why a certificate is due.
    type: dict
    default: {}
    suboptions:
      renew_before:
        description:
          - Fraction of the lifetime, or a time such as V(30d), before the end at which a certificate is due.
          - Left out, it is a third.
        type: raw
      on_unknown:
        description: What to do where the revocation status cannot be established.
        type: str
        choices: [warn, fail, rotate]
        default: warn
      force:
        description: Rotate whether due or not. V(true) for all, or names, C(shop) or C(web1/shop).
        type: raw
      force_reason:
        description: What the predecessor of a forced rotation is revoked for.
        type: str
        default: superseded
        choices: [unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn]
      deny_list:
        description: SHA-256 fingerprints, in hexadecimal, of public keys that must not be served.
        type: list
        elements: str
        default: []
      affected:
        description:
          - In an emergency, what has to go. Whatever else is wrong with other certificates, they are kept.
          - M(certops.rotation.emergency_plan) returns it. It has the lists C(spki_sha256), C(serials) and
            C(certificates) (SHA-256 of whole certificates), in hexadecimal, and C(reason), what they are revoked for.
        type: dict
        default: {}
      issuer_instead:
        description: By name of an issuer, the name of the one to order from in its place.
        type: dict
        default: {}
      leave_shared:
        description:
          - Keep certificates that hosts share, whether due or not, because this run does not see all of those hosts.
            A later one that does rotates them.
        type: bool
        default: false
  deny_list_path:
    description:
      - File on the control node with more fingerprints as in C(deny_list), the first word of each line.
      - A file that is not there is as good as an empty one.
    type: path
  settle:
    description: Whether this is the second decision, with what was found on the hosts.
    type: bool
    default: false
  at:
    description: The moment to decide for, in ISO 8601. Left out, it is now.
    type: str
extends_documentation_fragment:
  - certops.rotation.steps.fleet
  - certops.rotation.steps.attributes
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.fleet_status
"""

EXAMPLES = r"""
- name: Decide what is due
  certops.rotation.rotation_plan:
    rotations: "{{ status.rotations }}"
    policy:
      renew_before: 30d
      on_unknown: fail
  register: planned
  run_once: true

- name: Show the plan
  ansible.builtin.debug:
    var: planned.plan
  run_once: true
"""

RETURN = r"""
rotations:
  description: By host, its rotations with C(decision), C(predecessor) and C(times.decided).
  returned: success
  type: dict
plan:
  description: One sentence for each rotation.
  returned: success
  type: list
  elements: str
  sample: ["web1/shop: rotate: the certificate 1f0a is revoked since 2026-11-20T23:00:00Z (keyCompromise)"]
deny_list:
  description: All fingerprints of keys that must not be served, those of O(deny_list_path) too.
  returned: success
  type: list
  elements: str
sealing:
  description:
    - Hosts whose key others wait for, to be sealed by M(certops.rotation.key_seal).
    - Rotations with C(shared) have C(share), their part in it. The first host that can be reached and whose key is live
      and good already, or else the first that is due, is the lead. The others that are due receive key and certificate.
  returned: success
  type: list
  elements: str
due:
  description: Hosts on which something is to be done.
  returned: success
  type: list
  elements: str
late:
  description: Hosts on which only the look at what is installed showed that a key is to be made. Empty in check mode.
  returned: success
  type: list
  elements: str
compromised:
  description: Hosts that have the compromised key of a certificate that is to be revoked for it.
  returned: success
  type: list
  elements: str
concerned:
  description: Hosts that have to go on, because something is due or has failed; at least one, to write the report.
  returned: success
  type: list
  elements: str
next:
  description: Where the role goes on, V(due_late), V(due) or V(conclude).
  returned: success
  type: str
summary:
  description: How many rotations there are of each action, and how many failed.
  returned: success
  type: dict
  sample: {keep: 1, rotate: 1, repair: 0, finish: 0, stop: 0, failed: 0}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import FLEET_STEP_SPEC

ARGUMENT_SPEC = {
    "policy": {
        "type": "dict",
        "default": {},
        "options": {
            "renew_before": {"type": "raw"},
            "on_unknown": {"type": "str", "choices": ["warn", "fail", "rotate"], "default": "warn"},
            "force": {"type": "raw"},
            "force_reason": {
                "type": "str",
                "default": "superseded",
                "choices": [
                    "unspecified",
                    "keyCompromise",
                    "affiliationChanged",
                    "superseded",
                    "cessationOfOperation",
                    "privilegeWithdrawn",
                ],
            },
            "deny_list": {"type": "list", "elements": "str", "default": []},
            "affected": {"type": "dict", "default": {}},
            "issuer_instead": {"type": "dict", "default": {}},
            "leave_shared": {"type": "bool", "default": False},
        },
    },
    "deny_list_path": {"type": "path"},
    "settle": {"type": "bool", "default": False},
    "at": {"type": "str"},
    **FLEET_STEP_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.rotation_plan runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
