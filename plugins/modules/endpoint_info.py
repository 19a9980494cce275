# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what TLS servers send."""

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_info
short_description: Tell what TLS servers send, seen as a client
version_added: "0.1.0"
description:
  - Shakes hands with servers, many at a time, and tells the chain, the stapled OCSP response and the alert or fault.
  - Nothing is verified here, so that expired, revoked and foreign certificates are seen too.
    M(certops.rotation.revocation_info) judges.
  - A server that does not answer is a result, not a failure.
  - An alert tells what the server objects to. When it checks certificates of clients, V(alert_45) (certificate_expired)
    and V(alert_48) (unknown_ca) can also mean that the CRL it uses is stale or missing.
options:
  endpoints:
    description: The servers to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Name or address to connect to.
        type: str
        required: true
      port:
        description: TCP port. If not given, the usual one of O(endpoints[].starttls), or 443 without it.
        type: int
      server_name:
        description: Server name to send. The same as O(endpoints[].host), if not given.
        type: str
      key_type:
        description: Which certificate to ask for, where a server has an RSA and an ECDSA one. Asked over TLS 1.2.
        type: str
        choices: [rsa, ec]
      starttls:
        description:
          - Protocol in which to ask for TLS first; without it TLS begins at once.
          - A server that refuses is V(starttls_refused), one that says what its protocol does not allow, or anything
            between its go-ahead and TLS, is V(starttls_protocol_error).
          - MySQL counts connections that end without a login; see its C(max_connect_errors).
        type: str
        choices: [ftp, imap, ldap, mysql, pop3, postgres, smtp, xmpp]
  timeout:
    description: Seconds that resolving, connecting and the handshake may take together.
    type: float
    default: 10.0
  concurrency:
    description: How many handshakes go on at the same time.
    type: int
    default: 32
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: N/A
    description: Changes nothing.
requirements:
  - cryptography >= 43
  - pyOpenSSL >= 24.3
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.revocation_info
"""

EXAMPLES = r"""
- name: Which certificates does the shop serve, on both of its addresses?
  certops.rotation.endpoint_info:
    endpoints:
      - {host: 192.0.2.7, server_name: shop.example.org}
      - {host: "2001:db8::7", server_name: shop.example.org}
  register: seen
  delegate_to: localhost

- name: What do the mail and the directory server show?
  certops.rotation.endpoint_info:
    endpoints:
      - {host: mx.example.org, starttls: smtp}
      - {host: ldap.example.org, starttls: ldap}
  delegate_to: localhost

- name: Show their serial numbers
  ansible.builtin.debug:
    msg: "{{ seen.endpoints | map(attribute='chain') | map('first') | map(attribute='serial') }}"
"""

RETURN = r"""
endpoints:
  description: One entry for each of O(endpoints), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: As given.
      type: str
      returned: always
    port:
      description: As given.
      type: int
      returned: always
    server_name:
      description: The server name that was asked for.
      type: str
      returned: always
    chain:
      description: Facts of the certificates sent, the server's own first.
      type: list
      elements: dict
      returned: always
      sample: [{serial: "1f0a", names: [shop.example.org], not_after: "2026-12-20T00:00:00Z"}]
    chain_pem:
      description: The same as PEM.
      type: str
      returned: always
    staple:
      description: The stapled OCSP response, DER in base64; null if there is none.
      type: str
      returned: always
    tls_version:
      description: Protocol version agreed on.
      type: str
      returned: always
      sample: TLSv1.3
    seconds:
      description: How long it took.
      type: float
      returned: always
    alert:
      description: Number of the alert with which the server ended the handshake; null if it did not.
      type: int
      returned: always
      sample: 112
    error:
      description: What went wrong; null if nothing did.
      type: dict
      returned: always
      sample: {code: alert_112, msg: the peer ended the handshake with alert 112 (unrecognized_name)}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import reporting_errors
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._ansible.seen_endpoint import (
    endpoint_from,
    seen_endpoint,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.starttls import STARTTLS_PORTS
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import handshakes

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "endpoints": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "host": {"type": "str", "required": True},
            "port": {"type": "int"},
            "server_name": {"type": "str"},
            "key_type": {"type": "str", "choices": ["rsa", "ec"], "no_log": False},
            "starttls": {"type": "str", "choices": sorted(STARTTLS_PORTS)},
        },
    },
    "timeout": {"type": "float", "default": 10.0},
    "concurrency": {"type": "int", "default": 32},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    with reporting_errors(module):
        wanted = [endpoint_from(one) for one in params["endpoints"]]
        shaken = handshakes(wanted, timeout=params["timeout"], concurrency=params["concurrency"])
        module.exit_json(changed=False, endpoints=to_result([seen_endpoint(one) for one in shaken]))


if __name__ == "__main__":
    main()
