# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect what a fleet serves. Documentation; the work is in the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_status
short_description: Detect what all hosts serve and whether any of it is revoked
version_added: "0.1.0"
description:
  - Connects as a TLS client to every listener and server name of all hosts, concurrently, in one task.
  - Where a listener's address is a host name, each of its IP addresses is looked at, and is C(ip) in the result.
  - Judges what is served. From 256 endpoints on, another process does that, if there is a processor for it.
  - Each CRL is fetched, verified and indexed once. A certificate that many hosts serve is judged once.
  - While it takes long, a line every few seconds tells how many listeners and server names were asked.
  - Revoked is a result, not an error, and so is a listener that does not answer. Nothing is ever changed.
options:
  hosts:
    description: Hosts whose declared certificates to look at. With it, O(request) tells what is declared.
    type: list
    elements: str
  request:
    description:
      - Name of a variable, evaluated for each of O(hosts), with C(certificates) and what holds for those that say
        nothing else, C(address), C(port), C(issuer), C(key), C(must_staple) and C(stapling).
    type: str
  probe:
    description: Whether to look at C(address) and C(port) of a host for which nothing is declared.
    type: bool
    default: false
  also_ask:
    description:
      - Server names to ask for at C(address) and C(port) of O(request), of hosts of which nothing is known but why they
        could not be looked at.
      - For who must know whether such a host serves what others serve, too.
    type: list
    elements: str
    default: []
  only_new:
    description:
      - Look only at rotations that nobody looked at yet.
      - Where another certificate is served than is installed, judge the installed one too.
    type: bool
    default: false
  revalidate:
    description:
      - Whether CRLs and OCSP responses in O(cache_dir) are used only if the server confirms them now.
      - For who goes on to act. Without it, they are used as long as HTTP allows.
    type: bool
    default: false
  concurrency:
    description: Number of handshakes at a time.
    type: int
    default: 32
  rate_limit:
    description: How many handshakes may begin in a second, evenly spread; V(0) for as many as go.
    type: float
    default: 0.0
extends_documentation_fragment:
  - certops.rotation.steps.fleet
  - certops.rotation.steps.trust
  - certops.rotation.steps.attributes
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.rotation_plan
"""

EXAMPLES = r"""
- name: Is anything that is served revoked?
  certops.rotation.fleet_status:
    rotations:
      web1:
        - name: shop
          server_names: [shop.example.org]
          listeners: [{address: 192.0.2.7, port: 443}]
    trust_anchors: [/srv/ca/root.pem]
  register: status
  run_once: true

- name: Look at what each host declares
  certops.rotation.fleet_status:
    hosts: "{{ ansible_play_hosts }}"
    request: my_request
    issuers: "{{ rotate_issuers }}"
  vars:
    my_request:
      certificates: "{{ rotate_certificates }}"
      address: "{{ ansible_host }}"
  run_once: true
"""

RETURN = r"""
rotations:
  description: By host, its rotations with C(served), C(verdict) and C(times.detected).
  returned: success
  type: dict
summary:
  description: How many rotations and endpoints there are, and what was found.
  returned: success
  type: dict
  sample: {rotations: 2, endpoints: 4, good: 1, revoked: 1, unknown: 0, unreachable: 0, failed: 0}
shared_keys:
  description: Keys that more than one host uses, those on most hosts first. Empty if there are none.
  returned: success
  type: list
  elements: dict
  contains:
    spki_sha256:
      description: SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex.
      type: str
      returned: always
    hosts:
      description: The hosts that use it.
      type: list
      elements: str
      returned: always
    serials:
      description: Serial numbers of the certificates that they use it with. With one alone, they share the certificate.
      type: list
      elements: str
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import (
    FLEET_STEP_SPEC,
    TRUST_SPEC,
)

ARGUMENT_SPEC = {
    "hosts": {"type": "list", "elements": "str"},
    "request": {"type": "str"},
    "probe": {"type": "bool", "default": False},
    "also_ask": {"type": "list", "elements": "str", "default": []},
    "only_new": {"type": "bool", "default": False},
    "revalidate": {"type": "bool", "default": False},
    "concurrency": {"type": "int", "default": 32},
    "rate_limit": {"type": "float", "default": 0.0},
    **FLEET_STEP_SPEC,
    **TRUST_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.fleet_status runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
