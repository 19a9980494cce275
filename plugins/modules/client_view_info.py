# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at endpoints as a client that wants to know why. Documentation; the action plugin of this name does it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_view_info
short_description: See what clients see of a certificate that is refused, and what its CA's servers answer
version_added: "0.1.0"
description:
  - The first half of a diagnosis, from the control node. M(certops.rotation.diagnosis_info) names causes from it.
  - Shakes hands with every address (IPv4 and IPv6) of every listener and server name, several times where a staple can
    be expected, because each worker of nginx has its own.
  - Reads on after the handshake, because under TLS 1.3 a client certificate is refused only then.
  - Asks the OCSP responders and CRL servers that the certificates name, and notes how far it comes, and their clocks.
  - Judges with the same judge as M(certops.rotation.revocation_info). If this machine's clock is wrong, and all others
    agree on that, it judges for the time of the others.
  - Nothing is ever changed. What a network or a server does is a result, not an error.
options:
  hosts:
    description: Hosts whose declared certificates to look at. With it, O(request) tells what is declared.
    type: list
    elements: str
  request:
    description: Name of a variable, evaluated for each of O(hosts), as that of M(certops.rotation.fleet_status).
    type: str
  only_new:
    description: Look only at rotations that nobody looked at yet.
    type: bool
    default: false
  handshakes:
    description: How many handshakes to make with each address, where a staple can be expected.
    type: int
    default: 8
  prime:
    description:
      - Shake hands until every worker can be expected to have fetched its staple, before anything counts.
      - For a look after a reload.
    type: bool
    default: false
  slow_after:
    description: Seconds after which an answer of an OCSP responder or CRL server counts as slow.
    type: float
    default: 3.0
  client_certificate:
    description:
      - File on the control node with a client certificate and its intermediates, in PEM. It is judged, and presented if
        O(client_key) is given too.
    type: path
  client_key:
    description: File on the control node with the unencrypted private key of O(client_certificate); OpenSSL reads it.
    type: path
  reported_alerts:
    description: Numbers of TLS alerts that clients are known to answer to the server's certificate, for example V(48).
    type: list
    elements: int
    default: []
extends_documentation_fragment:
  - certops.rotation.steps.fleet
  - certops.rotation.steps.trust
  - certops.rotation.steps.attributes
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.host_view_info
  - module: certops.rotation.diagnosis_info
"""

EXAMPLES = r"""
- name: See what clients see
  certops.rotation.client_view_info:
    rotations:
      web1:
        - name: shop
          server_names: [shop.example.org]
          listeners: [{address: shop.example.org, port: 443}]
    client_certificate: /etc/ssl/client.pem
    client_key: /etc/ssl/client.key
  register: seen
  run_once: true
"""

RETURN = r"""
rotations:
  description:
    - By host, its rotations with C(client_view).
    - C(entries) has one entry for each address, listener and server name, with a staple or C(null) for each handshake.
    - C(certificates) has what was served, by SHA-256, with its verdict. C(sources) tells how far each request to a CA's
      server came, C(offsets) which clocks differ, in seconds, and C(talks) what the server said after the handshake.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import (
    FLEET_STEP_SPEC,
    TRUST_SPEC,
)

ARGUMENT_SPEC = {
    "hosts": {"type": "list", "elements": "str"},
    "request": {"type": "str"},
    "only_new": {"type": "bool", "default": False},
    "handshakes": {"type": "int", "default": 8},
    "prime": {"type": "bool", "default": False},
    "slow_after": {"type": "float", "default": 3.0},
    "client_certificate": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},  # where it is, not what it is
    "reported_alerts": {"type": "list", "elements": "int", "default": []},
    **FLEET_STEP_SPEC,
    **TRUST_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.client_view_info runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
