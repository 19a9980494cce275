# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See what only a host can see of a certificate that is refused."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_view_info
short_description: See what only the host can see of a certificate that is refused
version_added: "0.1.0"
description:
  - The second half of a diagnosis, from the host. M(certops.rotation.diagnosis_info) names causes from it.
  - Tells the host's clock, how far a request to each of O(targets) comes from here (with the host's own resolver,
    firewall and proxy), what nginx's configuration says and warns of, what is in the public files that it names, and
    what its error log says of TLS.
  - Needs the standard library and C(openssl) only. Never reads a private key and never changes anything.
options:
  names:
    description: Names of certificates below O(root) to look at.
    type: list
    elements: str
    default: []
  targets:
    description: URLs of OCSP responders and CRLs to ask, 32 at most.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description: URL as it stands in the certificate. Only http and https are asked.
        type: str
        required: true
      kind:
        description: What is there.
        type: str
        choices: [ocsp, crl]
        required: true
      request_b64:
        description: OCSP request in base64.
        type: str
      about:
        description: What the request is about; it is repeated in RV(sources).
        type: str
  nginx_dump:
    description: Command that prints the server's whole configuration, for example C([nginx, -T]). Run without a shell.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that one request may take.
    type: float
    default: 5.0
  slow_after:
    description: Seconds after which an answer counts as slow.
    type: float
    default: 3.0
  log_lines:
    description: How many lines about TLS to bring from the end of the server's error log.
    type: int
    default: 20
  defaults:
    description:
      - With O(rotations), what every certificate starts with that only the host's nginx knows of, as the option of
        M(certops.rotation.installed_info).
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
  - module: certops.rotation.client_view_info
  - module: certops.rotation.diagnosis_info
"""

EXAMPLES = r"""
- name: Does this host reach the responder?
  certops.rotation.host_view_info:
    targets:
      - url: http://ocsp.example.org
        kind: ocsp
  register: seen
"""

RETURN = r"""
sources:
  description:
    - For each target how far the request came. C(code) is V(ok), V(name_not_resolved), V(refused), V(blocked), V(slow),
      V(proxied), V(http_error), V(broken) or V(not_asked).
    - C(clock_ahead) is by how many seconds the server's clock is ahead of the host's.
  returned: success
  type: list
  elements: dict
  sample: [{url: "http://ocsp.example.org", kind: ocsp, code: blocked, msg: no connection within 5 s, status: null}]
epoch:
  description: The host's time in seconds since 1970.
  returned: success
  type: float
nginx:
  description: What the command in O(nginx_dump) said. The action plugin keeps only what a diagnosis needs of it.
  returned: when O(nginx_dump) is not empty, else null
  type: dict
files:
  description: By path, what is in the certificate, CRL and staple files that the configuration names.
  returned: success
  type: dict
log:
  description: The last lines of the error log that are about TLS.
  returned: success
  type: list
  elements: str
certificates:
  description: As M(certops.rotation.installed_info) tells them.
  returned: success
  type: dict
clock:
  description: The host's time.
  returned: success
  type: str
  sample: "2026-11-21T01:02:03Z"
resolvers:
  description: The host's name servers.
  returned: success
  type: list
  elements: str
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
from ansible_collections.certops.rotation.plugins.module_utils._host.step_host_view_info import carry_out

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "names": {"type": "list", "elements": "str", "default": []},
    "targets": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "url": {"type": "str", "required": True},
            "kind": {"type": "str", "required": True, "choices": ["ocsp", "crl"]},
            "request_b64": {"type": "str"},
            "about": {"type": "str"},
        },
    },
    "nginx_dump": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 5.0},
    "slow_after": {"type": "float", "default": 3.0},
    "log_lines": {"type": "int", "default": 20},
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
