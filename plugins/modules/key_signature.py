# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign data with a private key that stays on its host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: key_signature
short_description: Sign data with a private key without moving the key
version_added: "0.1.0"
description:
  - Has C(openssl) sign the given bytes with the private key of a version, in the form that JSON Web Signatures want
    (RFC 7518).
  - So a key can authorise the revocation of its own certificate (RFC 8555 section 7.6) and never leaves its host.
options:
  name:
    description: Name of the certificate, the name of its folder below O(root).
    type: str
    required: true
  version:
    description: Version whose key signs.
    type: str
    required: true
  data_b64:
    description: The bytes to sign, as base64.
    type: str
    required: true
  algorithm:
    description: Signature algorithm. It must fit the key.
    type: str
    required: true
    choices: [RS256, ES256, ES384]
extends_documentation_fragment:
  - certops.rotation.host_files.root
  - certops.rotation.host_files.openssl
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: N/A
    description: Changes nothing.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.key_retire
"""

EXAMPLES = r"""
- name: Sign a revocation request with the certificate's own key
  certops.rotation.key_signature:
    name: shop
    version: 20261120T231500Z-a1b2c3
    data_b64: "{{ signing_input | ansible.builtin.b64encode }}"
    algorithm: ES256
  register: signature
"""

RETURN = r"""
signature_b64:
  description: The signature as base64; of an EC key the two numbers side by side, not DER.
  returned: success
  type: str
  sample: MEUCIQ==
public_jwk:
  description: The public key as a JSON Web Key (RFC 7517).
  returned: success
  type: dict
  sample:
    kty: EC
    crv: P-256
    x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU
    y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import reporting_errors
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CertificateFolder,
    refuse_unsafe_folder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.names import checked_version
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.signing import (
    ALGORITHMS,
    decoded,
    signature_result,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "data_b64": {"type": "str", "required": True},
    "algorithm": {"type": "str", "required": True, "choices": list(ALGORITHMS)},
    "root": {"type": "path", "default": "/etc/certops"},
    "openssl": {"type": "path", "default": "openssl"},
}


def signature(params: dict[str, Any]) -> dict[str, Any]:
    """Everything the module returns."""
    folder, version = CertificateFolder(params["root"], params["name"]), checked_version(params["version"])
    refuse_unsafe_folder(params["root"], follow=True)
    folder.check()
    if not folder.has_key(version):
        raise RotationError("key_missing", f"Version {version} of {folder.name} has no key")
    return signature_result(
        Openssl(params["openssl"]), folder.key_path(version), params["algorithm"], decoded(params["data_b64"])
    )


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    with reporting_errors(module), storage_errors("Signing with a key of {}".format(module.params["name"])):
        module.exit_json(changed=False, **signature(module.params))


if __name__ == "__main__":
    main()
