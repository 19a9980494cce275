# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get chains for prepared requests. Runs as the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_issue
short_description: Get certificate chains for prepared requests
version_added: "0.1.0"
description:
  - Orders a certificate for each rotation that has a prepared request, from the issuer that the rotation names.
  - One task for all hosts.
  - Issuers work side by side. One request that is refused does not stop the others.
  - The same request again gets the same certificate, so a run that was killed goes on where it was.
  - Hosts that share a certificate get it by one order. Those that receive the key of another get that host's
    certificate. It is the new one, or, without an order, the one that is live there already.
  - Runs on the control node. No host is connected to, and no private key is involved.
options:
  issuers:
    description:
      - Certificate authorities by name, as in C(rotate_issuers).
      - An entry has a C(type). V(internal_ca) takes C(directory) and C(passphrase); the options of V(acme) are in the
        guide about ACME.
      - An entry's C(fallback) names other issuers, which are asked in turn where it is down, at its limits, or refuses.
        What they issue is a warning, and C(issued.issuer) says who did.
      - Not logged, because passphrases may be in it.
    type: dict
    required: true
  hand_out_challenges:
    description:
      - Where an issuer validates by files in a host's web root, put what files are wanted into the rotation as
        C(challenges), for M(certops.rotation.http01_responder), instead of failing it. The next time, with the files in
        place, the same order is taken up.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.rotation.steps.fleet
attributes:
  check_mode:
    support: full
    description: Orders nothing. Opens the issuers and tells what would be ordered.
  diff_mode:
    support: none
    description: Certificates are public, but what was there before is on the hosts.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.internal_ca
  - module: certops.rotation.key_csr
  - module: certops.rotation.key_seal
  - module: certops.rotation.certificate_validate
"""

EXAMPLES = r"""
- name: A certificate for a request of one's own
  certops.rotation.certificate_issue:
    rotations:
      web1:
        - name: shop
          server_names: [shop.example.org]
          issuer: internal
          prepared:
            csr_pem: "{{ lookup('ansible.builtin.file', 'shop.csr') }}"
    issuers:
      internal: {type: internal_ca, directory: /srv/ca}
  run_once: true
  register: result

- name: The chain
  ansible.builtin.copy:
    content: "{{ result.rotations.web1[0].issued.chain_pem }}"
    dest: shop.pem
    mode: "0644"
"""

RETURN = r"""
rotations:
  description: The rotations; C(issued) was added where a certificate was issued, C(error) where it was refused.
  returned: always
  type: dict
orders:
  description: What was ordered, or would be in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - host: web1
      name: shop
      issuer: internal
      server_names: [shop.example.org]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import FLEET_STEP_SPEC

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "issuers": {"type": "dict", "required": True, "no_log": True},
    "hand_out_challenges": {"type": "bool", "default": False},
    **FLEET_STEP_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.certificate_issue runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
