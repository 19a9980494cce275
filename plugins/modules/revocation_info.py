# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are certificates revoked?"""

from __future__ import annotations

DOCUMENTATION = r"""
module: revocation_info
short_description: Tell whether certificates are revoked, and what proves it
version_added: "0.1.0"
description:
  - Judges certificates that are given as files or text, or that servers send, by CRLs, OCSP responses and stapled
    responses.
  - The verdict is V(good), V(revoked) or V(unknown). Good means that a source whose signature, authority, scope and
    freshness were checked says so, for the certificate and for each CA between it and a trust anchor. Whatever cannot
    be found out or is not supported is V(unknown), with the reasons.
  - A revoked certificate is a result, not a failure. The module fails for input that cannot be read.
  - CRLs are judged by RFC 5280 section 6.3, with delta CRLs, indirect CRLs, CRLs for some reasons each, and CRLs that
    another key of the CA has signed. Their URLs must be http or https ones.
options:
  certificates:
    description: What to judge. Each has exactly one of C(path), C(content) and C(host).
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: File with the certificate, PEM or DER. Further certificates in it are its chain.
        type: path
      content:
        description: The same as PEM text.
        type: str
      host:
        description: Name or address of a TLS server; what it sends is judged, its staple too.
        type: str
      port:
        description:
          - Port of O(certificates[].host). If not given, the usual one of O(certificates[].starttls), or 443 without.
        type: int
      server_name:
        description: Server name to send. The same as O(certificates[].host), if not given.
        type: str
      key_type:
        description: Which certificate to ask for, where a server has an RSA and an ECDSA one.
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
      chain_path:
        description: File with the certificates above it.
        type: path
      chain_content:
        description: The certificates above it as PEM text.
        type: str
  crl_paths:
    description: Files with CRLs, DER or PEM. They are judged before anything is fetched.
    type: list
    elements: path
    default: []
  ocsp_response_paths:
    description: Files with OCSP responses, DER. They are judged before anything is fetched.
    type: list
    elements: path
    default: []
  concurrency:
    description: How many certificates are judged at the same time.
    type: int
    default: 16
extends_documentation_fragment:
  - certops.rotation.revocation
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: N/A
    description: Changes nothing.
requirements:
  - pyOpenSSL >= 24.3, for what servers send
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.endpoint_info
"""

EXAMPLES = r"""
- name: Is what the shop serves revoked?
  certops.rotation.revocation_info:
    certificates:
      - host: shop.example.org
  register: shop
  delegate_to: localhost

- name: Stop if it is not known to be good
  ansible.builtin.assert:
    that: shop.status == "good"
    fail_msg: "{{ shop.certificates[0].verdict.reasons | join(', ') }}"

- name: Judge a file by a CRL at hand, for a moment in the past, without asking anyone
  certops.rotation.revocation_info:
    certificates:
      - path: shop.pem
        chain_path: intermediates.pem
    trust_anchor_paths: [root.pem]
    crl_paths: [issuing.crl, root.crl]
    fetch: false
    at: "2026-11-20T23:15:00Z"
"""

RETURN = r"""
status:
  description: The worst of the verdicts, V(revoked) before V(unknown) before V(good).
  returned: success
  type: str
  sample: revoked
certificates:
  description: One entry for each of O(certificates), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    certificate:
      description: Facts of the certificate; null if a server sent none.
      type: dict
      returned: always
      sample: {serial: "1f0a", names: [shop.example.org], not_after: "2026-12-20T00:00:00Z"}
    verdict:
      description: What can be claimed about it.
      type: dict
      returned: always
      contains:
        status:
          description: V(good), V(revoked) or V(unknown).
          type: str
          returned: always
        reasons:
          description:
            - Why; words like V(stale), V(scope_mismatch), V(issuer_revoked), V(no_pointer), V(crl_number_went_back).
            - A source that could not be asked is V(unreachable), V(timeout), V(name_not_resolved), V(http_error),
              V(address_refused), V(redirect_refused) or V(too_large).
          type: list
          elements: str
          returned: always
        detail:
          description: What is wrong with the chain, in a sentence; empty if nothing is.
          type: str
          returned: always
        is_soft:
          description: Unknown, but only because the certificate lives too short to have revocation information.
          type: bool
          returned: always
        decided_at:
          description: The time it was judged for.
          type: str
          returned: always
        revoked_at:
          description: Since when; null if it is not revoked.
          type: str
          returned: always
        revocation_reason:
          description: The reason as in RFC 5280, V(unspecified) if there is none; null if it is not revoked.
          type: str
          returned: always
        invalidity_date:
          description: Since when the key is known or suspected to be compromised, if a CRL says so.
          type: str
          returned: always
        notes:
          description:
            - What else is worth knowing. V(sources_disagree) for verified sources that contradict each other,
              V(propagation) for sources that are older than the revocation.
          type: list
          elements: str
          returned: always
        evidence:
          description: What each source said, and what it said it with.
          type: list
          elements: dict
          returned: always
          contains:
            serial:
              description: Which certificate it is about, in lower-case hexadecimal.
              type: str
              returned: always
            source:
              description: Where the bytes came from.
              type: dict
              returned: always
              contains:
                kind:
                  description: V(crl), V(ocsp) or V(staple).
                  type: str
                  returned: always
                url:
                  description: The URL, or the path of a file; null for what came stapled.
                  type: str
                  returned: always
                method:
                  description: V(GET), V(POST) or V(file); null for what came stapled.
                  type: str
                  returned: always
                seconds:
                  description: How long getting it took; null for what was not fetched.
                  type: float
                  returned: always
                cache_hit:
                  description: Whether the bytes are a copy that an earlier run kept in O(cache_dir).
                  type: bool
                  returned: always
                cache_state:
                  description:
                    - Of such a copy, V(fresh) if the source was not asked again, V(revalidated) if it said that this is
                      what it has, V(source_silent) if it was asked and gave no answer. Else null.
                  type: str
                  returned: always
            status:
              description: What it says, V(good), V(revoked) or V(unknown).
              type: str
              returned: always
            reasons:
              description: Why, in the words of C(verdict.reasons).
              type: list
              elements: str
              returned: always
            detail:
              description: The same in a sentence.
              type: str
              returned: always
            this_update:
              description: When its signer knew what it says, in ISO 8601; null if there is no answer.
              type: str
              returned: always
            next_update:
              description: Until when it counts, in ISO 8601; null if that is not said.
              type: str
              returned: always
            age:
              description: Seconds from C(this_update) to the time that was judged for; null without an answer.
              type: int
              returned: always
            produced_at:
              description: When an OCSP response was signed, in ISO 8601; null for CRLs.
              type: str
              returned: always
            archive_cutoff:
              description: Since when the responder keeps what it knows of expired certificates; null if not said.
              type: str
              returned: always
            crl_number:
              description: The CRLNumber; null for OCSP and for CRLs without one.
              type: int
              returned: always
            reasons_covered:
              description: The revocation reasons that a CRL speaks for, where they are not all of them; else null.
              type: list
              elements: str
              returned: always
            delta:
              description: The delta CRL that continues this CRL, with the same keys; null without one.
              type: dict
              returned: always
            signer:
              description: Name of who signed it; null if nothing was verified.
              type: str
              returned: always
            sha256:
              description: SHA-256 of the bytes, in lower-case hexadecimal; null without an answer.
              type: str
              returned: always
            size:
              description: Number of bytes; null without an answer.
              type: int
              returned: always
    staple:
      description: What the stapled response of a server is worth; null for certificates that are given.
      type: dict
      returned: always
      sample: {status: good, this_update: "2026-11-20T00:00:00Z", next_update: "2026-11-27T00:00:00Z"}
    error:
      description: What kept a server from sending a certificate; null if nothing did.
      type: dict
      returned: always
      sample: {code: connection_refused, msg: nothing listens on 192.0.2.7 port 443}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import reporting_errors
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging_options import (
    REVOCATION_ARGUMENT_SPEC,
    judging_from,
    moment_from,
    read_file,
)
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._ansible.subject import (
    judge_subjects,
    read_subjects,
    worst_status,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.starttls import STARTTLS_PORTS

CERTIFICATE_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "path": {"type": "path"},
    "content": {"type": "str"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "server_name": {"type": "str"},
    "key_type": {"type": "str", "choices": ["rsa", "ec"], "no_log": False},
    "starttls": {"type": "str", "choices": sorted(STARTTLS_PORTS)},
    "chain_path": {"type": "path"},
    "chain_content": {"type": "str"},
}

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    **REVOCATION_ARGUMENT_SPEC,
    "certificates": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": CERTIFICATE_ARGUMENT_SPEC,
        "mutually_exclusive": [["path", "content", "host"], ["chain_path", "chain_content"]],
        "required_one_of": [["path", "content", "host"]],
    },
    "crl_paths": {"type": "list", "elements": "path", "default": []},
    "ocsp_response_paths": {"type": "list", "elements": "path", "default": []},
    "concurrency": {"type": "int", "default": 16},
}


def given_from(params: dict[str, Any]) -> Given:
    """The CRLs and OCSP responses that were brought along."""
    return Given(
        crls=tuple((path, read_file(path)) for path in params["crl_paths"]),
        ocsp_responses=tuple((path, read_file(path)) for path in params["ocsp_response_paths"]),
    )


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    with reporting_errors(module):
        judging = judging_from(params, given_from(params), warn=module.warn)
        subjects = read_subjects(params["certificates"], params["timeout"], params["concurrency"])
        judged = judge_subjects(judging, subjects, moment_from(params), params["concurrency"])
        module.exit_json(changed=False, status=worst_status(judged), certificates=to_result(judged))


if __name__ == "__main__":
    main()
