# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Destroy private keys that are no longer needed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: key_retire
short_description: Destroy the private keys of replaced certificates and remember their fingerprints
version_added: "0.1.0"
description:
  - Overwrites and removes a private key, and appends its fingerprint and fate to F(keys.log), which is never shortened.
  - Refuses the key of a version that is live, and of one that nothing live has taken the place of.
  - Can have the key sign a last time before, for a revocation that the key itself authorises.
  - Updates the records of versions, and removes old version folders that have no key any more.
options:
  retirements:
    description: The keys to destroy.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the certificate, the name of its folder below O(root).
        type: str
        required: true
      version:
        description: Version whose key goes. Left out, it is found by the fingerprint.
        type: str
      spki_sha256:
        description: SHA-256 of the public key. The version must have this one.
        type: str
        required: true
      fate:
        description: What to remember, V(retired), V(abandoned), or V(revoked:) followed by the reason.
        type: str
        default: retired
      sign:
        description: What the key signs before it goes.
        type: list
        elements: dict
        default: []
        suboptions:
          data_b64:
            description: The bytes to sign, as base64.
            type: str
            required: true
          algorithm:
            description: Signature algorithm.
            type: str
            required: true
            choices: [RS256, ES256, ES384, ES512]
  records:
    description: Facts to merge into the records of versions. They are written before any key goes.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the certificate.
        type: str
        required: true
      version:
        description: The version.
        type: str
        required: true
      update:
        description: Facts such as C(state) and C(times).
        type: dict
        required: true
  keep_versions:
    description: How many version folders to keep of each certificate named here. Those with a key are always kept.
    type: int
    default: 5
  last:
    description: With O(rotations), fail if any of the host's rotations failed, in whatever step.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.rotation.steps.host
  - certops.rotation.host_files
  - certops.rotation.host_files.openssl
attributes:
  check_mode:
    support: full
    description: Makes every check and tells what would change.
  diff_mode:
    support: none
    description: There is nothing to show of a key.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.key_signature
"""

EXAMPLES = r"""
- name: Destroy the key of the revoked certificate
  certops.rotation.key_retire:
    retirements:
      - name: shop
        version: 20260901T000000Z-0d1e2f
        spki_sha256: 0d1e2f081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0
        fate: revoked:keyCompromise
    records:
      - name: shop
        version: 20261120T231500Z-a1b2c3
        update: {state: visible, times: {visible: "2026-11-20T23:20:00Z"}}
"""

RETURN = r"""
retirements:
  description:
    - By name, the fingerprints of the keys that were destroyed now, and the signatures made before.
    - C(left) is the path of a file that holds the same key, if one was adopted that belonged to somebody else too.
  returned: success
  type: dict
  sample:
    shop:
      destroyed: [0d1e2f081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0]
      at: "2026-11-20T23:20:05Z"
      signatures: []
      left: []
pruned:
  description: By name, the versions whose folders were removed.
  returned: success
  type: dict
  sample: {shop: [20250901T000000Z-0a0b0c]}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import end
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import HOST_STEP_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import HOST_FILES_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.outcome import outcome_of
from ansible_collections.certops.rotation.plugins.module_utils._host.signing import ALGORITHMS
from ansible_collections.certops.rotation.plugins.module_utils._host.step_key_retire import carry_out

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "retirements": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "version": {"type": "str"},
            "spki_sha256": {"type": "str", "required": True},
            "fate": {"type": "str", "default": "retired"},
            "sign": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "data_b64": {"type": "str", "required": True},
                    "algorithm": {"type": "str", "required": True, "choices": list(ALGORITHMS)},
                },
            },
        },
    },
    "records": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "version": {"type": "str", "required": True},
            "update": {"type": "dict", "required": True},
        },
    },
    "keep_versions": {"type": "int", "default": 5},
    "openssl": {"type": "path", "default": "openssl"},
    "last": {"type": "bool", "default": False},
    **HOST_STEP_SPEC,
    **HOST_FILES_SPEC,
}


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    end(module, outcome_of(carry_out, module.params, module.check_mode))


if __name__ == "__main__":
    main()
