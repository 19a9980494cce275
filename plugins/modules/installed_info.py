# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what is installed on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: installed_info
short_description: Tell which certificates are installed on a host
version_added: "0.1.0"
description:
  - Tells of every certificate below O(root) which versions it has, which is live, and what became of each of its keys.
  - Brings what C(nginx -T) prints, if asked, and what is at given certificate and key paths.
  - Never reads a private key. Of a key at one of O(paths) it tells the fingerprint of the public half, which C(openssl)
    works out.
options:
  names:
    description: Names of the certificates to look at. An empty list means all below O(root).
    type: list
    elements: str
    default: []
  paths:
    description: Absolute paths of certificates or keys to look at.
    type: list
    elements: path
    default: []
  nginx_dump:
    description: Command that prints the server's whole configuration, for example C([nginx, -T]). Run without a shell.
    type: list
    elements: str
    default: []
  test:
    description:
      - With O(rotations), the command that tests the server's configuration, for example C([nginx, -t]).
      - Where it fails, the rotations of the host fail with C(config_test_failed), since no reload could work either.
    type: list
    elements: str
    default: []
  defaults:
    description:
      - With an empty O(rotations) and a command in O(nginx_dump), what every certificate found there starts with.
      - C(address) is where clients reach the host, and C(issuer), C(key) and C(must_staple) are those of a rotation.
    type: dict
    default: {}
extends_documentation_fragment:
  - certops.rotation.steps.host
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
  - module: certops.rotation.key_csr
"""

EXAMPLES = r"""
- name: Look at everything below /etc/certops
  certops.rotation.installed_info:
  register: installed

- name: Look at a vhost's own pair and at nginx's configuration
  certops.rotation.installed_info:
    paths: [/etc/nginx/ssl/shop.crt, /etc/nginx/ssl/shop.key]
    nginx_dump: [nginx, -T]
"""

RETURN = r"""
certificates:
  description: By name, what there is of each certificate.
  returned: success
  type: dict
  sample:
    shop:
      live: 20261120T231500Z-a1b2c3
      versions:
        - version: 20261120T231500Z-a1b2c3
          has_key: true
          spki_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
          chain_pem: "-----BEGIN CERTIFICATE-----\n..."
          staple_sha256: null
          staple_b64: null
          record: {state: served}
      keys_log:
        - at: "2026-11-20T23:15:00Z"
          spki_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
          fate: created
          version: 20261120T231500Z-a1b2c3
      paths: {}
paths:
  description:
    - By path, what is there. C(kind) is V(file), V(link) or V(missing).
    - C(chain_pem) holds the certificates of the file, C(spki_sha256) the fingerprint of a key's public half.
  returned: success
  type: dict
nginx:
  description: What the command in O(nginx_dump) said; C(ok) is whether it succeeded.
  returned: when O(nginx_dump) is not empty, else null
  type: dict
  contains:
    configuration:
      description: The whole configuration.
      type: str
      returned: always
    warnings:
      description: The end of what it said on standard error.
      type: str
      returned: always
    ok:
      description: Whether it succeeded.
      type: bool
      returned: always
clock:
  description: The host's time.
  returned: success
  type: str
  sample: "2026-11-21T01:02:03Z"
openssl_version:
  description: What the openssl program calls itself; null if there is none.
  returned: success
  type: str
  sample: OpenSSL 3.0.19 27 Jan 2026
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
from ansible_collections.certops.rotation.plugins.module_utils._host.outcome import outcome_of
from ansible_collections.certops.rotation.plugins.module_utils._host.step_installed_info import carry_out

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "names": {"type": "list", "elements": "str", "default": []},
    "paths": {"type": "list", "elements": "path", "default": []},
    "nginx_dump": {"type": "list", "elements": "str", "default": []},
    "test": {"type": "list", "elements": "str", "default": []},
    "root": {"type": "path", "default": "/etc/certops"},
    "openssl": {"type": "path", "default": "openssl"},
    "defaults": {"type": "dict", "default": {}},
    **HOST_STEP_SPEC,
}


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    end(module, outcome_of(carry_out, module.params, module.check_mode))


if __name__ == "__main__":
    main()
