# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what a key signed, and whether others know it. Runs as the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compromised_key_info
short_description: Find every certificate of a key, and whether others know the key
version_added: "0.1.0"
description:
  - From a private key, a public key, a request, a certificate or a fingerprint, tells what there is to revoke and to
    rotate. That is every certificate with the key, and every place that has the key, in the rotations given.
  - Checks the key itself, offline, for close factors (Fermat, 100 rounds), the mark of ROCA, small factors, a weak
    exponent, its size, and lists of known keys.
  - Asks public databases where told to, with nothing but the fingerprint of the public key (crt.sh, pwnedkeys) or
    names of domains (Cert Spotter). Who does not answer is in RV(not_answered); it is no kind of nothing found.
  - Of a private key only the public half is ever used. Nothing is changed.
options:
  path:
    description:
      - File on the control node with a private key, a public key, a certificate request or a certificate, PEM or DER.
    type: path
  content:
    description: The same as PEM text. A private key is refused, because options of tasks are seen by many.
    type: str
  spki_sha256:
    description: SHA-256 of the DER SubjectPublicKeyInfo in hexadecimal.
    type: str
  passphrase:
    description: Passphrase of the private key in O(path).
    type: str
  rotations:
    description: Rotations by host, as M(certops.rotation.fleet_status) or a later step returned them.
    type: dict
    default: {}
  collect:
    description:
      - Name of a registered variable. Where a host has one with C(rotations), these take the place of the host's in
        O(rotations). What M(certops.rotation.installed_info) returned adds what is installed.
    type: str
  transparency:
    description:
      - Searches of Certificate Transparency logs to ask. They see publicly trusted certificates only.
      - V(crt_sh) finds by the key, expired certificates too. V(certspotter) finds unexpired ones, by O(domains).
    type: list
    elements: str
    choices: [crt_sh, certspotter]
    default: []
  domains:
    description:
      - Domains to ask Cert Spotter about, with the names below them. Left out, they are those of the certificates
        that were found.
    type: list
    elements: str
    default: []
  databases:
    description:
      - Further places to ask. V(pwnedkeys) is a public database of known keys, believed only if its proof is signed by
        the key itself. V(badkeys) is a Python library on the control node.
    type: list
    elements: str
    choices: [pwnedkeys, badkeys]
    default: []
  crt_sh_url:
    description: Base URL of crt.sh, or of something that answers like it.
    type: str
    default: https://crt.sh
  certspotter_url:
    description: Base URL of the API of Cert Spotter.
    type: str
    default: https://api.certspotter.com/v1
  certspotter_token:
    description: API token for Cert Spotter. It answers some requests an hour without one.
    type: str
  pwnedkeys_url:
    description: Base URL of the API of pwnedkeys.
    type: str
    default: https://v1.pwnedkeys.com
  blocklist_paths:
    description:
      - Files on the control node with known keys, one a line, like those of Debian's C(openssl-blacklist).
      - 64 hexadecimal digits are the SHA-256 of a SubjectPublicKeyInfo; 20 or 40 are the SHA-1 of OpenSSL's
        C(Modulus=) line, or the end of it.
    type: list
    elements: path
    default: []
  cache_directory:
    description: Where answers of O(transparency) are kept on the control node. Empty keeps none.
    type: str
    default: ~/.cache/certops
  cache_hours:
    description: How long a kept answer is used, in hours.
    type: float
    default: 12
  timeout:
    description: Time limit of one request in seconds. crt.sh often takes long.
    type: float
    default: 30
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: N/A
    description: Changes nothing.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.certificate_revoke
  - module: certops.rotation.fleet_status
"""

EXAMPLES = r"""
- name: Where is the key that leaked, and what else did it sign?
  certops.rotation.compromised_key_info:
    path: /root/leaked.pem
    rotations: "{{ status.rotations }}"
    transparency: [crt_sh]
    databases: [pwnedkeys]
  register: leaked
  run_once: true

- name: Rotate wherever it is used
  ansible.builtin.debug:
    msg: "rotate_deny_list must have {{ leaked.subject.spki_sha256 }}; in use on {{ leaked.hosts | join(', ') }}"
  run_once: true
"""

RETURN = r"""
subject:
  description: Which key it is about, and what told it.
  returned: success
  type: dict
  sample: {kind: private_key, spki_sha256: 0f43…, key_type: ec-secp256r1, serial: null}
compromised:
  description:
    - Whether something found proves that others have the private key or can compute it. V(false) is no proof of the
      contrary.
  returned: success
  type: bool
weaknesses:
  description: What is wrong with the key itself.
  returned: success
  type: list
  elements: dict
  sample: [{code: close_factors, text: the RSA modulus has two factors close to each other, is_computable: true}]
hosts:
  description: Hosts that serve a certificate with the key or still have the key.
  returned: success
  type: list
  elements: str
certificates:
  description: Every certificate with the key in the rotations, and where it was seen.
  returned: success
  type: list
  elements: dict
  contains:
    serial:
      description: Serial number in hexadecimal.
      type: str
      returned: always
    sha256:
      description: Fingerprint of the certificate.
      type: str
      returned: always
    names:
      description: Names it is for.
      type: list
      elements: str
      returned: always
    is_ca:
      description: Whether it is the certificate of a CA, so that all that it issued is concerned.
      type: bool
      returned: always
    issuer:
      description: Name of the issuer in C(rotate_issuers), as the rotation declares it.
      type: str
      returned: always
    issuer_name:
      description: Distinguished name of the issuer.
      type: str
      returned: always
    not_after:
      description: End of its validity, in UTC.
      type: str
      returned: always
    certificate_pem:
      description: The certificate.
      type: str
      returned: always
    chain_pem:
      description: The certificate and what was found above it.
      type: str
      returned: always
    seen:
      description: Places, with C(host), C(name), C(where) (V(served), V(installed) or V(superseded)) and C(place).
      type: list
      elements: dict
      returned: always
keys:
  description:
    - Places that have or had the key itself, with C(host), C(name), C(where) (V(live), V(version), V(prepared), V(path)
      or V(past)), C(version), C(path), C(has_key) and C(fate).
  returned: success
  type: list
  elements: dict
elsewhere:
  description: Certificates with the key that only the logs know of. Nobody vouches for them but the search.
  returned: success
  type: list
  elements: dict
answers:
  description: What each database said, with C(state) (V(answered), V(partly) or V(not_answered)) and C(error).
  returned: success
  type: list
  elements: dict
not_answered:
  description: Databases that did not answer, or not all of it.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "path": {"type": "path"},
    "content": {"type": "str"},
    "spki_sha256": {"type": "str"},
    "passphrase": {"type": "str", "no_log": True},
    "rotations": {"type": "dict", "default": {}},
    "collect": {"type": "str"},
    "transparency": {"type": "list", "elements": "str", "choices": ["crt_sh", "certspotter"], "default": []},
    "domains": {"type": "list", "elements": "str", "default": []},
    "databases": {"type": "list", "elements": "str", "choices": ["pwnedkeys", "badkeys"], "default": []},
    "crt_sh_url": {"type": "str", "default": "https://crt.sh"},
    "certspotter_url": {"type": "str", "default": "https://api.certspotter.com/v1"},
    "certspotter_token": {"type": "str", "no_log": True},
    "pwnedkeys_url": {"type": "str", "default": "https://v1.pwnedkeys.com", "no_log": False},
    "blocklist_paths": {"type": "list", "elements": "path", "default": []},
    "cache_directory": {"type": "str", "default": "~/.cache/certops"},
    "cache_hours": {"type": "float", "default": 12.0},
    "timeout": {"type": "float", "default": 30.0},
}
MUTUALLY_EXCLUSIVE = [["path", "content", "spki_sha256"]]
REQUIRED_ONE_OF = [["path", "content", "spki_sha256"]]


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=MUTUALLY_EXCLUSIVE,
        required_one_of=REQUIRED_ONE_OF,
        supports_check_mode=True,
    )
    module.fail_json(msg="certops.rotation.compromised_key_info runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
