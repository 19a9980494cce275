# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate new chains before anything is touched. Runs as the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_validate
short_description: Refuse a new chain that must not be installed, before anything is touched
version_added: "0.1.0"
description:
  - Checks of every issued chain its names, dates, order, signatures and completeness up to a trust anchor, that it is
    for the key that was prepared, and that this key was never seen before, neither in the predecessor, nor in the
    host's F(keys.log), nor on O(deny_list).
  - Judges its revocation status. A chain that is revoked already is refused.
  - Fetches and verifies the OCSP response where the certificate names a responder, so that it can be installed with the
    certificate.
options:
  deny_list:
    description: SHA-256 fingerprints, in lower-case hexadecimal, of public keys that must not be used.
    type: list
    elements: str
    default: []
  on_unknown:
    description:
      - What to do with a chain whose status cannot be established. V(warn) by default, because what a CA publishes may
        lag behind what it issues.
    type: str
    choices: [warn, fail]
    default: warn
  staples_only:
    description: Fetch fresh staples for what is installed with a staple file, and check nothing else.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.rotation.steps.fleet
  - certops.rotation.steps.trust
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: none
    description: Changes nothing.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.certificate_issue
  - module: certops.rotation.certificate_install
"""

EXAMPLES = r"""
- name: Validate before anything is touched
  certops.rotation.certificate_validate:
    rotations: "{{ issued.rotations }}"
    issuers: "{{ rotate_issuers }}"
  run_once: true
  register: validated
"""

RETURN = r"""
rotations:
  description:
    - The rotations, with C(validated) added or an error.
    - Its code is V(key_mismatch), V(key_known), V(key_weak), V(names_differ), V(serial_known), V(chain_incomplete),
      V(chain_untrusted), V(chain_disordered), V(chain_expired), V(chain_not_yet_valid), V(issued_revoked),
      V(issued_unknown), V(must_staple_differs), V(must_staple_without_responder) or V(staple_unavailable).
  returned: always
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import FLEET_STEP_SPEC, TRUST_SPEC

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "deny_list": {"type": "list", "elements": "str", "default": []},
    "on_unknown": {"type": "str", "choices": ["warn", "fail"], "default": "warn"},
    "staples_only": {"type": "bool", "default": False},
    **FLEET_STEP_SPEC,
    **TRUST_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.certificate_validate runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
