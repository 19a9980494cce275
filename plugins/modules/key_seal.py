# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seal a private key that hosts share, for those that have not got it yet."""

from __future__ import annotations

DOCUMENTATION = r"""
module: key_seal
short_description: Seal a private key for the other hosts that share its certificate
version_added: "0.1.0"
description:
  - Where one certificate is on many hosts, its key is born on one of them. This has C(openssl) encrypt it there for
    each of the others, to a certificate whose key exists for this once and never leaves its host.
  - Only ciphertext comes back. The private key is not in any argument, result, log or memory of Python, here or on the
    host, and the control node cannot open what it carries.
  - A key is sealed only if it was made to be shared by this very group, and its version is prepared to be installed, or
    live. Any other stays where it is, with the error C(seal_refused).
options:
  seals:
    description: The keys to seal.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the certificate, the name of its folder below O(root).
        type: str
        required: true
      version:
        description: Version folder that holds the key.
        type: str
        required: true
      spki_sha256:
        description: SHA-256 of the public key. The version must have this one.
        type: str
        required: true
      shared:
        description:
          - The group for which the key must have been made, as in O(certops.rotation.key_csr#module:requests[].shared).
        type: str
        required: true
      certificates:
        description: The one-time certificates of the hosts that are to get it, each as PEM.
        type: list
        elements: str
        required: true
  receivers:
    description:
      - With O(rotations), those of all hosts, as a step for the whole fleet returned them. Who waits for a key is seen
        there.
    type: dict
    default: {}
  collect:
    description:
      - Name of a registered variable. Where a host has one with C(rotations), these take the place of the host's in
        O(receivers).
    type: str
  lock_timeout:
    description: Seconds to wait for a run that is changing something below O(root).
    type: float
    default: 30.0
extends_documentation_fragment:
  - certops.rotation.steps.host
  - certops.rotation.host_files.root
  - certops.rotation.host_files.openssl
attributes:
  check_mode:
    support: full
    description: Seals nothing, and tells what would be refused.
  diff_mode:
    support: N/A
    description: Nothing is changed.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.key_csr
  - module: certops.rotation.certificate_install
"""

EXAMPLES = r"""
- name: Seal the key of the shop for another host
  certops.rotation.key_seal:
    seals:
      - name: shop
        version: "{{ made.prepared.shop.version }}"
        spki_sha256: "{{ made.prepared.shop.spki_sha256 }}"
        shared: shop
        certificates:
          - "{{ hostvars.web2.made.prepared.shop.certificate_pem }}"
  register: result

- name: Size of what travels
  ansible.builtin.debug:
    msg: "{{ result.sealed[0].envelopes_b64[0] | length }}"
"""

RETURN = r"""
sealed:
  description:
    - Without O(rotations), one entry for each of O(seals), with C(envelopes_b64) in the order of its certificates, or
      C(error).
    - With O(rotations), one entry for each host that waits, with C(host), C(name), C(version) and C(sealed_key_b64).
  returned: success
  type: list
  elements: dict
  sample:
    - name: shop
      envelopes_b64: [MIIB...]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import end
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import HOST_STEP_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.outcome import outcome_of
from ansible_collections.certops.rotation.plugins.module_utils._host.step_key_seal import carry_out

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "seals": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "version": {"type": "str", "required": True},
            "spki_sha256": {"type": "str", "required": True},
            "shared": {"type": "str", "required": True},
            "certificates": {"type": "list", "elements": "str", "required": True},
        },
    },
    "receivers": {"type": "dict", "default": {}},
    "collect": {"type": "str"},
    "root": {"type": "path", "default": "/etc/certops"},
    "lock_timeout": {"type": "float", "default": 30.0},
    "openssl": {"type": "path", "default": "openssl"},
    **HOST_STEP_SPEC,
}


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    end(module, outcome_of(carry_out, module.params, module.check_mode))


if __name__ == "__main__":
    main()
