# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoke predecessors and confirm that it is visible. Runs as the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_revoke
short_description: Revoke what was replaced, and confirm that the world can see it
version_added: "0.1.0"
description:
  - Revokes the predecessor of each rotation at the CA that issued it, once the successor is proven to be served.
  - Refuses a rotation without that proof. New proven before old revoked is kept here, in code.
  - A reason that the issuer does not accept is refused before it is asked.
  - An ACME issuer revokes by the account that ordered, or by one that controls all names. A compromised key should
    revoke its own certificate, by M(certops.rotation.key_signature) before this step or by C(key_path); where it did
    not, the account does, with a warning.
  - What is revoked already is fine, and RV(revocations[].state) says so.
  - Publishes once for all revocations of an issuer. One that is refused does not stop the others.
  - With O(phase=confirm), reads CRL and OCSP as clients do, until each shows the revocation or O(deadline) passes.
    Then asks an issuer that gives renewal information (RFC 9773) once. Its window in the past is a sign too, unless it
    was in the past before. It decides only where the certificate names neither CRL nor OCSP, and may fail. For these
    it is waited for until O(deadline) as well, and asked ever more rarely.
  - With O(certificates), revokes certificates that are no rotation.
options:
  certificates:
    description:
      - Certificates to revoke on their own.
      - One that is still served by what O(seen) tells is refused, and without O(seen) all are, unless O(revoke_first).
      - Each has exactly one of C(path), C(pem), C(serial) and C(spki_sha256). The latter two are looked up in O(seen)
        and asked of issuers that know their certificates.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: File on the control node, PEM or DER; the first certificate in it.
        type: path
      pem:
        description: The certificate, or a chain that begins with it, as PEM.
        type: str
      serial:
        description: Serial number in hexadecimal.
        type: str
      spki_sha256:
        description: SHA-256 of a public key in hexadecimal. Means every certificate with that key, but those of CAs.
        type: str
      key_path:
        description:
          - File on the control node with the certificate's own private key, which then signs the request. For a key
            that leaked, and for certificates that were ordered by somebody else.
        type: path
      passphrase:
        description: Passphrase of the key in O(certificates[].key_path).
        type: str
      reason:
        description: Why it is revoked. Left out, it is O(reason).
        type: str
        choices:
          - unspecified
          - keyCompromise
          - cACompromise
          - affiliationChanged
          - superseded
          - cessationOfOperation
          - privilegeWithdrawn
          - aACompromise
      issuer:
        description: The name in O(issuers) of the CA that issued it. Left out, the one that knows it.
        type: str
  paths:
    description: Files on the control node with further certificates to revoke, as C(path) of O(certificates).
    type: list
    elements: path
    default: []
  serials:
    description: Serial numbers of further certificates to revoke, as C(serial) of O(certificates).
    type: list
    elements: str
    default: []
  keys:
    description: Fingerprints of keys whose certificates to revoke, as C(spki_sha256) of O(certificates).
    type: list
    elements: str
    default: []
  reason:
    description: Why O(certificates), O(paths), O(serials) and O(keys) are revoked. One of those of O(certificates).
    type: str
  issuer:
    description: The name in O(issuers) of the CA that issued them. Left out, the one that knows each.
    type: str
  key_path:
    description: File on the control node with their private key, as in O(certificates).
    type: path
  passphrase:
    description: Passphrase of the key in O(key_path).
    type: str
  seen:
    description:
      - Rotations by host, as M(certops.rotation.fleet_status) or M(certops.rotation.installed_info) returned them.
        O(certificates) are looked up there, and one that is served there is refused.
    type: dict
    default: {}
  authorize:
    description:
      - Where the issuer's account did not order a certificate, prove control of its names, which gives the right to
        revoke it (RFC 8555 section 7.6). An order is made for that and never finished.
      - Some CAs replace the reason by V(cessationOfOperation) then.
    type: bool
    default: false
  issuers:
    description:
      - Certificate authorities by name, as in C(rotate_issuers).
      - Not logged, because passphrases may be in it.
    type: dict
    required: true
  phase:
    description:
      - V(revoke) asks the CA. V(confirm) waits until what it publishes shows it.
      - V(plan) makes rotations of O(certificates), of the hosts that have their keys, and refuses what would be
        refused. M(certops.rotation.key_signature) and then V(revoke) go on with them.
    type: str
    choices: [plan, revoke, confirm]
    default: revoke
  revoke_predecessor:
    description: Whether predecessors are revoked at all. Those of compromised keys that are not get a warning.
    type: bool
    default: true
  revoke_first:
    description:
      - Revokes without proof, and of the rotations only those whose key is compromised.
      - For a key that is being abused right now.
      - Until the successor is served, clients that check revocation cannot connect.
    type: bool
    default: false
  trust_anchors:
    description: Files with further trust anchors to judge by in V(confirm), beside the roots of O(issuers).
    type: list
    elements: path
    default: []
  deadline:
    description: Seconds to wait in V(confirm).
    type: float
    default: 60
  poll_interval:
    description: Seconds between two looks in V(confirm). An issuer is asked for renewal information less often.
    type: float
    default: 2
  timeout:
    description: Time limit of one connection in seconds.
    type: float
    default: 10
extends_documentation_fragment:
  - certops.rotation.steps.fleet
attributes:
  check_mode:
    support: full
    description: Revokes nothing and waits for nothing. Tells what would be revoked.
  diff_mode:
    support: none
    description: A revocation is not a change of text.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.certificate_issue
  - module: certops.rotation.served_certificate
"""

EXAMPLES = r"""
- name: Revoke the predecessors
  certops.rotation.certificate_revoke:
    rotations: "{{ verified.rotations }}"
    issuers: "{{ rotate_issuers }}"
  run_once: true
  register: revoked

- name: Wait until everybody can see it
  certops.rotation.certificate_revoke:
    rotations: "{{ revoked.rotations }}"
    phase: confirm
    issuers: "{{ rotate_issuers }}"
    deadline: 120
  run_once: true

- name: Revoke a certificate whose server is gone
  certops.rotation.certificate_revoke:
    certificates:
      - path: old.pem
        reason: cessationOfOperation
    issuers: "{{ rotate_issuers }}"
    revoke_first: true
  run_once: true

- name: Revoke everything that a leaked key certified, by the key itself
  certops.rotation.certificate_revoke:
    certificates:
      - spki_sha256: 0d1e2f081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0
        key_path: /root/leaked.pem
        reason: keyCompromise
    seen: "{{ status.rotations }}"
    issuers: "{{ rotate_issuers }}"
    revoke_first: true
  run_once: true
"""

RETURN = r"""
rotations:
  description: The rotations, with C(revocation) added or brought up to date.
  returned: always
  type: dict
lines:
  description: The same as RV(revocations), a line for each, for people.
  returned: success
  type: list
  elements: str
failures:
  description: What could not be done, a line for each.
  returned: success
  type: list
  elements: str
signing:
  description: Hosts that have a key which should sign.
  returned: with O(phase=plan)
  type: list
  elements: str
revocations:
  description: What was done, or would be in check mode, about each certificate.
  returned: success
  type: list
  elements: dict
  contains:
    state:
      description:
        - V(revoked), V(already_revoked), V(skipped), V(accepted_not_published), V(visible).
        - V(planned) in check mode.
        - V(waiting) where other hosts still serve it, which C(waits_for) names.
      type: str
      returned: always
    by:
      description: Whose right it was, V(ca), V(account), V(authorizations) or V(certificate_key).
      type: str
      returned: always
    seen_in:
      description:
        - Where the revocation was seen; C(kind) is V(crl), V(ocsp) or V(ari). V(ari) is what the CA hints at in its
          renewal information. It is not signed, and makes the state V(visible) only where a certificate names neither
          CRL nor OCSP.
      type: list
      elements: dict
      returned: always
  sample:
    - host: web1
      name: shop
      serial: 0a1b
      reason: keyCompromise
      state: visible
      by: certificate_key
      at: "2026-11-21T01:02:03Z"
      seen_in:
        - {kind: crl, url: "http://pki.example.org/intermediate.crl", at: "2026-11-21T01:02:04Z"}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import FLEET_STEP_SPEC

REASONS = [
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
    "aACompromise",
]

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "certificates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path"},
            "pem": {"type": "str"},
            "serial": {"type": "str"},
            "spki_sha256": {"type": "str"},
            "key_path": {"type": "path", "no_log": False},
            "passphrase": {"type": "str", "no_log": True},
            "reason": {"type": "str", "choices": REASONS},
            "issuer": {"type": "str"},
        },
        "mutually_exclusive": [["path", "pem", "serial", "spki_sha256"]],
        "required_one_of": [["path", "pem", "serial", "spki_sha256"]],
    },
    "paths": {"type": "list", "elements": "path", "default": []},
    "serials": {"type": "list", "elements": "str", "default": []},
    "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "reason": {"type": "str"},
    "issuer": {"type": "str"},
    "key_path": {"type": "path", "no_log": False},
    "passphrase": {"type": "str", "no_log": True},
    "seen": {"type": "dict", "default": {}},
    "authorize": {"type": "bool", "default": False},
    "issuers": {"type": "dict", "required": True, "no_log": True},
    "phase": {"type": "str", "choices": ["plan", "revoke", "confirm"], "default": "revoke"},
    "revoke_predecessor": {"type": "bool", "default": True},
    "revoke_first": {"type": "bool", "default": False},
    "trust_anchors": {"type": "list", "elements": "path", "default": []},
    "deadline": {"type": "float", "default": 60.0},
    "poll_interval": {"type": "float", "default": 2.0},
    "timeout": {"type": "float", "default": 10.0},
    **FLEET_STEP_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.certificate_revoke runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
