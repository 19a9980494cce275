# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a fresh private key and a certificate request on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: key_csr
short_description: Make a fresh private key and a certificate request on a host
version_added: "0.1.0"
description:
  - First looks, as M(certops.rotation.installed_info) does. Then, for each request that asks for it, has C(openssl)
    make a new private
    key and a certificate signing request in a new version folder. The key is readable for its owner alone from its
    first byte on,
    and no Python code ever reads it.
  - Refuses a key that has been used before for any certificate below O(root), or that is in O(deny_list).
  - A version that an interrupted run has prepared for the same request is taken up again. Others that were never put
    into
    service are given up, and their keys destroyed.
  - One request that fails does not stop the others. Its error is in RV(prepared) under its name, and the module still
    succeeds.
options:
  requests:
    description: What to look at or to prepare.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the certificate, the name of its folder below O(root).
        type: str
        required: true
      action:
        description: V(rotate) makes key and request, V(look) only looks.
        type: str
        default: rotate
        choices: [rotate, look]
      server_names:
        description: DNS names and IP addresses for the request's subjectAltName.
        type: list
        elements: str
        default: []
      key:
        description: The key to make.
        type: dict
        default: {}
        suboptions:
          type:
            description: Kind of key.
            type: str
            default: ecdsa
            choices: [ecdsa, rsa]
          curve:
            description: Curve of an ECDSA key.
            type: str
            default: secp256r1
            choices: [secp256r1, secp384r1, secp521r1]
          size:
            description: Bits of an RSA key.
            type: int
            default: 2048
            choices: [2048, 3072, 4096]
      must_staple:
        description: Whether to ask for a certificate that demands a stapled OCSP response (RFC 7633).
        type: bool
        default: false
      premise:
        description: What must be true on the host, or else nothing is made and the error is C(premise_failed).
        type: dict
        default: {}
        suboptions:
          spki_sha256:
            description: SHA-256 of the public key of the pair that is live, or of the vhost's own key before its
              adoption.
            type: str
      paths:
        description: Certificate and key paths of a vhost that is not, or was not, run from O(root).
        type: dict
        suboptions:
          certificate:
            description: Path of the certificate chain.
            type: path
          key:
            description: Path of the private key.
            type: path
          trust:
            description: Path of the trusted issuers.
            type: path
          staple:
            description: Path of a stapling file.
            type: path
      resume_within:
        description: Seconds for which a version that was prepared, but not installed, is taken up again.
        type: int
        default: 86400
      shared:
        description:
          - The name of the hosts' group that has this certificate under one key.
          - Only a key that was made with such a name can ever be sealed for another host, and only for this group, by
            M(certops.rotation.key_seal).
        type: str
      receive:
        description:
          - Make no key and no request, because another host's key is to come.
          - What is made instead is a one-time key, and its certificate, which is returned as C(certificate_pem), for
            that host to seal its key to.
        type: bool
        default: false
      spki_sha256:
        description:
          - With O(requests[].receive), SHA-256 of the public key that is to come, if that is known.
          - If a version that was never live has it already, that one is taken up and nothing needs to be sealed.
        type: str
  deny_list:
    description: SHA-256 fingerprints, in lower-case hexadecimal, of public keys that must not be used.
    type: list
    elements: str
    default: []
  nginx_dump:
    description: Command that prints the server's whole configuration, for example C([nginx, -T]). Run without a shell.
    type: list
    elements: str
    default: []
  late:
    description:
      - With O(rotations), make keys only for those that are due and have none, and don't look at the others.
      - The premise must hold then, as no other plan follows.
    type: bool
    default: false
  resume_within:
    description: With O(rotations), the O(requests[].resume_within) of all.
    type: int
  defaults:
    description:
      - With an empty O(rotations) and a command in O(nginx_dump), what every certificate found there starts with.
      - C(address) is where clients reach the host, and C(issuer), C(key) and C(must_staple) are those of a rotation.
    type: dict
    default: {}
  issuers:
    description:
      - With O(rotations), certificate authorities by name, as in C(rotate_issuers).
      - Where one validates names by stateless C(http-01), the host must answer its challenges before anything is
        ordered. That is asked over HTTP from here; where it does not, M(certops.rotation.http01_responder) is used.
    type: dict
    default: {}
  http01:
    description: How that is done. Only with O(issuers).
    type: dict
    default: {}
    suboptions:
      nginx_dump:
        description: Command that prints nginx's whole configuration. Only run where the answer is not right.
        type: list
        elements: str
        default: [nginx, -T]
      adopt:
        description: Whether the include line may be added to server blocks of port 80. Else it is only named.
        type: bool
        default: false
      server_path:
        description: File for server blocks of names that have none on port 80.
        type: path
        default: /etc/nginx/conf.d/certops-http-01.conf
      address:
        description: Where the host is asked, as the authority would. Left out, at the listeners of the certificate.
        type: str
      port:
        description: The port that is asked, and that nginx's server blocks are looked up by.
        type: int
        default: 80
      deadline:
        description: Seconds to wait for the right answer after the host was set up.
        type: float
        default: 10.0
      service:
        description: The service to test and to reload, as O(certops.rotation.http01_responder#module:service).
        type: dict
        default: {}
extends_documentation_fragment:
  - certops.rotation.steps.host
  - certops.rotation.host_files
  - certops.rotation.host_files.openssl
attributes:
  check_mode:
    support: full
    description: Checks names and premise and tells whether a prepared version would be taken up again.
  diff_mode:
    support: none
    description: A new key and request have no earlier state to compare with.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.http01_responder
  - module: certops.rotation.installed_info
  - module: certops.rotation.certificate_install
  - module: certops.rotation.key_seal
"""

EXAMPLES = r"""
- name: A fresh key and request for the shop
  certops.rotation.key_csr:
    requests:
      - name: shop
        server_names: [shop.example.org, www.shop.example.org]
        key: {type: ecdsa, curve: secp256r1}
  register: made

- name: The request to send to a CA
  ansible.builtin.debug:
    msg: "{{ made.prepared.shop.csr_pem }}"
"""

RETURN = r"""
prepared:
  description: By name, the key and request that were made or taken up again, or the error. In check mode, a new key has
    no version yet. With O(requests[].receive) there is C(certificate_pem) in place of C(csr_pem) and C(spki_sha256).
  returned: success
  type: dict
  sample:
    shop:
      version: 20261120T231500Z-a1b2c3
      csr_pem: "-----BEGIN CERTIFICATE REQUEST-----\n..."
      spki_sha256: a1b2c3d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a
      resumed: false
      certificate_pem: null
certificates:
  description: By name, what was found before anything was made, as M(certops.rotation.installed_info) returns it.
  returned: success
  type: dict
nginx:
  description: What the command in O(nginx_dump) said.
  returned: when O(nginx_dump) is not empty, else null
  type: dict
clock:
  description: The host's time.
  returned: success
  type: str
  sample: "2026-11-21T01:02:03Z"
python_version:
  description: Version of the Python that ran this.
  returned: success
  type: str
  sample: 3.11.2
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import end
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import HOST_STEP_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import HOST_FILES_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import CURVES, RSA_SIZES
from ansible_collections.certops.rotation.plugins.module_utils._host.outcome import outcome_of
from ansible_collections.certops.rotation.plugins.module_utils._host.step_key_csr import carry_out

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "requests": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "action": {"type": "str", "default": "rotate", "choices": ["rotate", "look"]},
            "server_names": {"type": "list", "elements": "str", "default": []},
            "key": {
                "type": "dict",
                "default": {},
                "no_log": False,
                "options": {
                    "type": {"type": "str", "default": "ecdsa", "choices": ["ecdsa", "rsa"]},
                    "curve": {"type": "str", "default": "secp256r1", "choices": list(CURVES)},
                    "size": {"type": "int", "default": 2048, "choices": list(RSA_SIZES)},
                },
            },
            "must_staple": {"type": "bool", "default": False},
            "premise": {"type": "dict", "default": {}, "options": {"spki_sha256": {"type": "str"}}},
            "paths": {
                "type": "dict",
                "options": {
                    "certificate": {"type": "path"},
                    "key": {"type": "path", "no_log": False},
                    "trust": {"type": "path"},
                    "staple": {"type": "path"},
                },
            },
            "resume_within": {"type": "int", "default": 86400},
            "shared": {"type": "str"},
            "receive": {"type": "bool", "default": False},
            "spki_sha256": {"type": "str"},
        },
    },
    "deny_list": {"type": "list", "elements": "str", "default": []},
    "nginx_dump": {"type": "list", "elements": "str", "default": []},
    "openssl": {"type": "path", "default": "openssl"},
    "late": {"type": "bool", "default": False},
    "resume_within": {"type": "int"},
    "defaults": {"type": "dict", "default": {}},
    "issuers": {"type": "dict", "default": {}, "no_log": True},
    "http01": {
        "type": "dict",
        "default": {},
        "options": {
            "nginx_dump": {"type": "list", "elements": "str", "default": ["nginx", "-T"]},
            "adopt": {"type": "bool", "default": False},
            "server_path": {"type": "path", "default": "/etc/nginx/conf.d/certops-http-01.conf"},
            "address": {"type": "str"},
            "port": {"type": "int", "default": 80},
            "deadline": {"type": "float", "default": 10.0},
            "service": {"type": "dict", "default": {}},
        },
    },
    **HOST_STEP_SPEC,
    **HOST_FILES_SPEC,
}


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    end(module, outcome_of(carry_out, module.params, module.check_mode))


if __name__ == "__main__":
    main()
