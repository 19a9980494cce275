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
  - Has C(openssl) sign the given bytes with the private key of a version, or of a file, in the form that JSON Web
    Signatures want (RFC 7518).
  - So a key can authorise the revocation of its own certificate (RFC 8555 section 7.6) and never leaves its host.
  - With O(rotations), does that as a step. Each predecessor whose key is compromised, and whose CA takes a key's own
    signature, is revoked with one. The control node builds the request and sends it, the host only signs. What cannot
    be signed is left to M(certops.rotation.certificate_revoke), with a warning.
options:
  name:
    description: Name of the certificate, the name of its folder below O(root). Needed without O(path) and O(rotations).
    type: str
  version:
    description: Version whose key signs. Left out, it is the latest that had the key of O(spki_sha256).
    type: str
  path:
    description: File with the private key that signs, instead of O(name).
    type: path
  spki_sha256:
    description: SHA-256 of the public key that belongs to the private key. Any other key does not sign.
    type: str
  data_b64:
    description: The bytes to sign, as base64. Needed without O(rotations).
    type: str
  algorithm:
    description: Signature algorithm. It must fit the key. Needed without O(rotations).
    type: str
    choices: [RS256, ES256, ES384, ES512]
  issuers:
    description:
      - Certificate authorities by name, as in C(rotate_issuers). Only read with O(rotations).
      - Not logged, because passphrases may be in it.
    type: dict
    default: {}
  revoke_predecessor:
    description: Whether predecessors are revoked at all. Only read with O(rotations).
    type: bool
    default: true
  revoke_first:
    description: Revokes without proof that the successor is served. Only read with O(rotations).
    type: bool
    default: false
extends_documentation_fragment:
  - certops.rotation.steps.host
  - certops.rotation.host_files.root
  - certops.rotation.host_files.openssl
attributes:
  check_mode:
    support: full
    description: Signs when used alone, which changes nothing. With O(rotations), asks neither host nor CA.
  diff_mode:
    support: N/A
    description: Changes nothing on the host.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.certificate_revoke
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

- name: The same with the key that a vhost uses
  certops.rotation.key_signature:
    path: /etc/nginx/ssl/shop.key
    data_b64: "{{ signing_input | ansible.builtin.b64encode }}"
    algorithm: RS256
  register: signature

- name: Have compromised keys revoke their own certificates, as a step
  certops.rotation.key_signature:
    rotations: "{{ verified.rotations[inventory_hostname] }}"
    issuers: "{{ rotate_issuers }}"
  register: signed
"""

RETURN = r"""
signature_b64:
  description: The signature as base64; of an EC key the two numbers side by side, not DER.
  returned: success, without O(rotations)
  type: str
  sample: MEUCIQ==
public_jwk:
  description: The public key as a JSON Web Key (RFC 7517).
  returned: success, without O(rotations)
  type: dict
  sample:
    kty: EC
    crv: P-256
    x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU
    y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0
rotations:
  description: The rotations, with C(revocation) added where a key has revoked its certificate.
  returned: with O(rotations)
  type: raw
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import reporting_errors
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import HOST_STEP_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CertificateFolder,
    refuse_unsafe_folder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.names import (
    checked_sha256,
    checked_version,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.signing import (
    ALGORITHMS,
    decoded,
    signature_result,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "version": {"type": "str"},
    "path": {"type": "path"},
    "spki_sha256": {"type": "str"},
    "data_b64": {"type": "str"},
    "algorithm": {"type": "str", "choices": list(ALGORITHMS)},
    "issuers": {"type": "dict", "default": {}, "no_log": True},
    "revoke_predecessor": {"type": "bool", "default": True},
    "revoke_first": {"type": "bool", "default": False},
    "root": {"type": "path", "default": "/etc/certops"},
    "openssl": {"type": "path", "default": "openssl"},
    **HOST_STEP_SPEC,
}


def signature(params: dict[str, Any]) -> dict[str, Any]:
    """Everything the module returns."""
    if not params["data_b64"] or not params["algorithm"] or not (params["name"] or params["path"]):
        raise RotationError("arguments_invalid", "data_b64, algorithm, and either name or path are needed")
    openssl, wanted = Openssl(params["openssl"]), params["spki_sha256"]
    path = params["path"] or _key_of_version(params)
    if not os.path.isfile(path):
        raise RotationError("key_missing", f"There is no key at {path}")
    if wanted and openssl.spki_sha256(path) != checked_sha256(wanted):
        raise RotationError("key_mismatch", f"{path} holds another key than the one that is to sign")
    return signature_result(openssl, path, params["algorithm"], decoded(params["data_b64"]))


def _key_of_version(params: dict[str, Any]) -> str:
    folder = CertificateFolder(params["root"], params["name"])
    refuse_unsafe_folder(params["root"], follow=True)
    folder.check()
    if params["version"]:
        version = checked_version(params["version"])
    else:
        wanted = checked_sha256(params["spki_sha256"] or "")
        having = [one for one in folder.versions() if folder.record(one).get("spki_sha256") == wanted]
        if not having:
            raise RotationError("key_missing", f"No version of {folder.name} has that key")
        version = having[-1]
    if not folder.has_key(version):
        raise RotationError("key_missing", f"Version {version} of {folder.name} has no key")
    return folder.key_path(version)


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    with reporting_errors(module), storage_errors(
        "Signing with a key of {}".format(module.params["name"] or "the host")
    ):
        module.exit_json(changed=False, **signature(module.params))


if __name__ == "__main__":
    main()
