# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install certificates as whole releases, reload the service, or go back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_install
short_description: Switch certificates as one unit, reload the service, or go back
version_added: "0.1.0"
description:
  - Writes chain, trust file, staple and stapling snippet next to the key in its version folder, switches C(live) by one
    rename, tests the
    server's configuration, reloads it and waits for its new workers.
  - All releases of one call go live together or not at all. If the test fails, every C(live) is switched back, and
    nothing is reloaded.
    If the reload fails or has no effect, C(live) is switched back where O(releases[].back_allowed) permits it, and the
    service is
    reloaded again.
  - From the switch on it runs to its end even if the connection to the control node is cut.
  - A vhost with paths of its own is adopted. Its pair becomes a version like every other, and its paths become links
    into C(live).
  - Refuses a chain that is not for the key in the version folder.
options:
  releases:
    description: The releases, one for a certificate.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the certificate, the name of its folder below O(root).
        type: str
        required: true
      operation:
        description:
          - V(switch) installs a release and makes it live.
          - V(repair) tests and reloads what is live.
          - V(rollback) makes live what the release O(releases[].version) took the place of.
          - V(staple) replaces the stapled OCSP response of what is live.
        type: str
        default: switch
        choices: [switch, repair, rollback, staple]
      version:
        description: Version folder that holds the key. For V(rollback) the version to leave.
        type: str
      chain_pem:
        description: Certificate and intermediates, as clients get them.
        type: str
      trust_pem:
        description: Issuer, intermediates and root, for C(ssl_trusted_certificate).
        type: str
      staple_b64:
        description: A good OCSP response for the certificate in DER, as base64. It is the caller who has verified it.
        type: str
      spki_sha256:
        description: SHA-256 of the public key that certificate and key must have.
        type: str
      sealed_key_b64:
        description:
          - The private key, as M(certops.rotation.key_seal) on another host has sealed it for the one-time key in
            O(releases[].version), as base64. C(openssl) opens it.
          - It is taken in only if it is whole, belongs to O(releases[].chain_pem), and this host has never made,
            retired or revoked it.
          - The one-time key is destroyed.
        type: str
      snippets:
        description: The server configuration to include, ready for each way of stapling.
        type: dict
        default: {}
        suboptions:
          "off":
            description: Where nothing is stapled.
            type: str
            default: ""
          nginx:
            description: Where the server fetches the response itself.
            type: str
            default: ""
          file:
            description: Where C(staple.der) is stapled.
            type: str
            default: ""
      stapling:
        description:
          - How to staple. V(auto) decides on the host. Without a responder it is V(off); with
            O(releases[].must_staple), or where the
            host does not reach the responder within two seconds and a staple was given, V(file); else V(nginx).
        type: str
        default: auto
        choices: [auto, "off", nginx, file]
      responder:
        description: The OCSP responder that the certificate names.
        type: dict
        suboptions:
          host:
            description: Host name or address.
            type: str
            required: true
          port:
            description: TCP port.
            type: int
            default: 80
      must_staple:
        description: Whether the certificate demands a staple. True in the request's record counts as well.
        type: bool
        default: false
      paths:
        description: Certificate and key paths of a vhost to adopt.
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
      ticket_keys:
        description:
          - Files with keys for TLS session tickets, which nginx reads by C(ssl_session_ticket_key). They are to go with
            a private key that is in other hands.
          - Each is replaced by a new random key of the same length, in the same switch. What it was is destroyed.
          - A file that is not there, is a link, or has neither 48 nor 80 bytes is refused before anything is touched.
        type: list
        elements: path
        default: []
      record:
        description: Facts for the version's F(record.json), such as C(issuer), C(order), C(times) and C(supersedes).
        type: dict
        default: {}
      back_allowed:
        description: Whether the predecessor may be served again. False for one that is revoked or whose key is
          compromised.
        type: bool
        default: true
  sealed:
    description:
      - With O(rotations), name of the variable in which the task of M(certops.rotation.key_seal) was registered, for
        certificates that share a key with another host.
    type: str
  operation:
    description:
      - With O(rotations), V(rollback) goes back where the proof failed, V(staple) replaces staples.
      - Left out, what is due is switched or repaired.
    type: str
    choices: [rollback, staple]
  snippet_template:
    description: With O(rotations), the template of the stapling snippet on the control node.
    type: path
  resolvers:
    description: With O(rotations), name servers for nginx. An empty list means those of the host.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - certops.rotation.steps.host
  - certops.rotation.host_files
  - certops.rotation.host_files.openssl
  - certops.rotation.host_files.service
attributes:
  check_mode:
    support: full
    description: Makes every check that can be made without writing, and tells what would change.
  diff_mode:
    support: full
    description: Shows versions and fingerprints, never the content of a key.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.key_csr
  - module: certops.rotation.service_reload
"""

EXAMPLES = r"""
- name: Switch the shop to its new certificate
  certops.rotation.certificate_install:
    releases:
      - name: shop
        version: "{{ made.prepared.shop.version }}"
        chain_pem: "{{ lookup('ansible.builtin.file', 'shop-chain.pem') }}"
        trust_pem: "{{ lookup('ansible.builtin.file', 'ca-chain.pem') }}"
        stapling: "off"
    service: {kind: systemd, name: nginx}

- name: Go back
  certops.rotation.certificate_install:
    releases:
      - {name: shop, operation: rollback, version: 20261120T231500Z-a1b2c3}
"""

RETURN = r"""
installations:
  description: By name, what became of each release.
  returned: success
  type: dict
  sample:
    shop:
      version: 20261120T231500Z-a1b2c3
      previous: 20260901T000000Z-0d1e2f
      stapling: nginx
      why: this host reaches the responder ocsp.example.org:80
      switched_at: "2026-11-20T23:15:04Z"
      changed: true
      adopted: []
      ticket_keys: []
      warnings: []
reload:
  description: The reload; null if none was needed. C(new_workers) is 0 where the service has no process that could be
    watched.
  returned: success
  type: dict
  sample: {kind: systemd, name: nginx, master_pid: 812, new_workers: 2, old_workers_left: 0, seconds: 0.1, warnings: ""}
code:
  description:
    - Why it failed, for example V(config_test_failed), V(config_broken_before), V(reload_failed),
      V(reload_without_effect), V(service_not_running), V(key_mismatch), V(disk_full), V(read_only), V(locked),
      V(root_unsafe), V(release_differs),
      V(version_unknown), V(version_unusable), V(rollback_refused), V(staple_missing), V(adoption_refused),
      V(seal_broken), V(key_known), V(key_not_sealed) or V(ticket_key_invalid).
    - C(facts.live) tells which version of each certificate is live after the failure, C(facts.output) what the server
      said.
  returned: failure
  type: str
  sample: config_test_failed
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import end
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import HOST_STEP_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import HOST_FILES_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.outcome import outcome_of
from ansible_collections.certops.rotation.plugins.module_utils._host.release import RELEASE_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.service import SERVICE_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.step_certificate_install import carry_out

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "releases": {"type": "list", "elements": "dict", "default": [], "options": RELEASE_SPEC},
    "service": SERVICE_SPEC,
    "openssl": {"type": "path", "default": "openssl"},
    "sealed": {"type": "str"},
    "operation": {"type": "str", "choices": ["rollback", "staple"]},
    "snippet_template": {"type": "path"},
    "resolvers": {"type": "list", "elements": "str", "default": []},
    **HOST_STEP_SPEC,
    **HOST_FILES_SPEC,
}


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    end(module, outcome_of(carry_out, module.params, module.check_mode))


if __name__ == "__main__":
    main()
