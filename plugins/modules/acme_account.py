# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look after the account at an ACME CA. Runs as the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: acme_account
short_description: Look after the account at an ACME CA
version_added: "0.1.0"
description:
  - Makes the account of an issuer of the type V(acme), or finds it by its key, and brings its contacts up to date;
    gives it a new key; ends it.
  - Ordering certificates makes the account as well. This module is for having it before that, for instance because its
    thumbprint or its URL is needed in a web server or in DNS, and for what ordering never does.
  - Runs on the control node. No host is connected to.
options:
  issuers:
    description:
      - Certificate authorities by name, as in C(rotate_issuers).
      - Not logged, because passphrases and account keys may be in it.
    type: dict
    required: true
  issuer:
    description: Which of them.
    type: str
    required: true
  state:
    description:
      - V(present) makes sure of the account.
      - V(new_key) gives it a new key, at each run. A run that was cut short is continued by the next. The new key takes
        the place of the old one's file, so it is not for keys that are given as content. Web servers that answer
        http-01 without files need the new thumbprint; the role rotate sees to that.
      - V(deactivated) ends it, for good. Certificates stay valid, and can be revoked by their keys only.
    type: str
    choices: [present, new_key, deactivated]
    default: present
attributes:
  check_mode:
    support: full
    description: Looks the account up, if there is a key, and tells what would be done.
  diff_mode:
    support: none
    description: There is nothing to compare.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.certificate_issue
"""

EXAMPLES = r"""
- name: The account, before anything is ordered
  certops.rotation.acme_account:
    issuers: "{{ rotate_issuers }}"
    issuer: letsencrypt
  delegate_to: localhost
  run_once: true
  register: account

- name: What a record for dns-persist-01 has to say
  ansible.builtin.debug:
    msg: 'letsencrypt.org; accounturi={{ account.uri }}'

- name: A new key, because the old one was in a backup that was lost
  certops.rotation.acme_account:
    issuers: "{{ rotate_issuers }}"
    issuer: letsencrypt
    state: new_key
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
uri:
  description: The account's URL; none if there is no account, or not any more.
  returned: success
  type: str
  sample: https://acme-v02.api.letsencrypt.org/acme/acct/1234567
thumbprint:
  description: The thumbprint of the account's key (RFC 7638); none in check mode where there is no key yet.
  returned: success
  type: str
  sample: oKqrZY2qyHgP3fQmzBU9fQ1vGv0Kp1xVb2m6o0q5b2E
key_path:
  description: Where the key lies on the control node; none if it is given as content.
  returned: success
  type: str
  sample: /root/.local/state/certops/acme/acme-v02.api.letsencrypt.org-1a2b3c4d/account.key
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "issuers": {"type": "dict", "required": True, "no_log": True},
    "issuer": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "new_key", "deactivated"], "default": "present"},
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.acme_account runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
