# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make an internal CA, and refresh what it publishes. Runs as the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: internal_ca
short_description: Make an internal CA and refresh what it publishes
version_added: "0.1.0"
description:
  - Makes a certificate authority in a directory of the control node - a root, an intermediate that issues, and a signer
    of OCSP responses - and publishes CRLs and CA certificates as static files, which any web server hands out.
  - Refreshes CRLs and OCSP responses well before they end. To be scheduled daily.
  - Both states do everything that is due and nothing else. A run with nothing due changes nothing.
  - This is the only way in which a CA comes into being. Everything else fails where there is none.
options:
  directory:
    description:
      - Where the CA lives on the control node. Made with mode C(0700); its parent must exist.
      - Back it up after creation. Keys are in it, and what was issued and revoked.
    type: path
    required: true
  state:
    description:
      - V(present) makes the CA if there is none, and changes its settings to those given.
      - V(refreshed) needs a CA and leaves its settings alone.
    type: str
    choices: [present, refreshed]
    default: present
  base_url:
    description:
      - The C(http) URL under which clients find what is in O(publish_directory). Needed for a new CA.
      - After a change, CRLs name the former URLs too, because certificates do. Keep serving the folder there.
    type: str
  publish_directory:
    description:
      - The folder whose contents a web server hands out under O(base_url). Needed for a new CA.
    type: path
  ocsp:
    description:
      - Whether certificates name an OCSP responder, and responses are signed ahead and published. V(true) for a new CA.
      - Without it there are CRLs alone, as with most public CAs today, and no certificate can be Must-Staple.
    type: bool
  leaf_days:
    description: How long certificates are valid. 47 for a new CA.
    type: int
  crl_days:
    description: How long the CRL of the intermediate is valid. 7 for a new CA.
    type: int
  crl_refresh_days:
    description: The age at which that CRL is replaced. 3 for a new CA.
    type: int
  root_crl_days:
    description: How long the CRL of the root is valid; it is replaced half-way. 180 for a new CA.
    type: int
  ocsp_hours:
    description: How long OCSP responses are valid; they are replaced half-way. 96 for a new CA.
    type: int
  allowed_names:
    description:
      - What the CA issues for. V(example.org) is that name and all below it, V(.example.org) all below it,
        V(192.0.2.0/24) its addresses. Empty, as in a new CA, is everything.
    type: list
    elements: str
  publish_check:
    description:
      - Whether what was published is fetched back from its public URL and compared byte for byte. V(true) for a new CA.
    type: bool
  root_name:
    description: Common name of the root. V(Internal Root CA) for a new CA. Cannot be changed.
    type: str
  intermediate_name:
    description: Common name of the intermediate. V(Internal Issuing CA) for a new CA. Cannot be changed.
    type: str
  root_key_type:
    description: Key of the root. V(ec-secp384r1) for a new CA. Cannot be changed.
    type: str
    choices: [ec-secp256r1, ec-secp384r1, rsa-2048, rsa-3072, rsa-4096]
  intermediate_key_type:
    description: Key of the intermediate. V(ec-secp256r1) for a new CA. Cannot be changed.
    type: str
    choices: [ec-secp256r1, ec-secp384r1, rsa-2048, rsa-3072, rsa-4096]
  passphrase:
    description:
      - Protects the keys of the CA. Needed whenever something is signed; give it to the entry of C(rotate_issuers) too.
    type: str
attributes:
  check_mode:
    support: full
    description: Tells what would be made, changed and refreshed.
  diff_mode:
    support: full
    description: Shows settings and what is due; never a key.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.certificate_issue
  - module: certops.rotation.certificate_revoke
"""

EXAMPLES = r"""
- name: A CA with CRLs and OCSP
  certops.rotation.internal_ca:
    directory: /srv/ca
    base_url: http://pki.example.org
    publish_directory: /srv/www/pki
    allowed_names: [example.org, 192.0.2.0/24]
  delegate_to: localhost

- name: Refresh what it publishes (daily)
  certops.rotation.internal_ca:
    directory: /srv/ca
    state: refreshed
  delegate_to: localhost
  register: refreshed

- name: When it has to be done next
  ansible.builtin.debug:
    var: refreshed.next_refresh_due
"""

RETURN = r"""
created:
  description: Whether the CA was made, or would be.
  returned: success
  type: bool
refreshed:
  description: What was due, and done unless in check mode.
  returned: success
  type: dict
  contains:
    responder:
      description: Whether the signer of OCSP responses was renewed.
      type: bool
    crls:
      description: Whose CRLs were signed anew.
      type: list
      elements: str
    files:
      description: Published files that were missing or differed.
      type: list
      elements: str
    responses:
      description: For how many certificates OCSP responses were signed.
      type: int
    withdrawn:
      description: Of how many expired certificates the OCSP responses were removed.
      type: int
crls:
  description: By issuer (C(root), C(intermediate)), the present CRL. Empty if the CA does not exist yet.
  returned: success
  type: dict
  sample:
    intermediate:
      number: 1795222861
      this_update: "2026-11-21T01:01:01Z"
      next_update: "2026-11-28T01:01:01Z"
      revoked: 1
next_refresh_due:
  description: When the next refresh has something to do, if nothing is issued or revoked until then.
  returned: success, and the CA exists
  type: str
  sample: "2026-11-23T01:01:01Z"
publications:
  description: What the public URLs deliver. Faults are warnings too.
  returned: success, unless in check mode or O(publish_check=false)
  type: list
  elements: dict
  sample:
    - url: http://pki.example.org/intermediate.crl
      state: same
root_pem:
  description: The root's certificate, for clients to trust.
  returned: success, and the CA exists
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

_KEY_TYPES = ["ec-secp256r1", "ec-secp384r1", "rsa-2048", "rsa-3072", "rsa-4096"]

ARGUMENT_SPEC = {
    "directory": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "refreshed"], "default": "present"},
    "base_url": {"type": "str"},
    "publish_directory": {"type": "path"},
    "ocsp": {"type": "bool"},
    "leaf_days": {"type": "int"},
    "crl_days": {"type": "int"},
    "crl_refresh_days": {"type": "int"},
    "root_crl_days": {"type": "int"},
    "ocsp_hours": {"type": "int"},
    "allowed_names": {"type": "list", "elements": "str"},
    "publish_check": {"type": "bool"},
    "root_name": {"type": "str"},
    "intermediate_name": {"type": "str"},
    "root_key_type": {"type": "str", "choices": _KEY_TYPES, "no_log": False},
    "intermediate_key_type": {"type": "str", "choices": _KEY_TYPES, "no_log": False},
    "passphrase": {"type": "str", "no_log": True},
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.internal_ca runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
