# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of everything that judges revocation."""

from __future__ import annotations


class ModuleDocFragment:
    """``certops.rotation.revocation``; the options are in ``module_utils/_ansible/judging_options.py``."""

    DOCUMENTATION = r"""
options:
  fetch:
    description:
      - Whether CRLs, OCSP responses and missing issuers may be fetched from where the certificates say they are.
      - Without it only what is given is judged, so that a verdict can be reproduced.
      - Proxies are those of the environment (E(http_proxy), E(https_proxy), E(no_proxy)).
    type: bool
    default: true
  timeout:
    description:
      - Seconds that one request, its redirects and retries included, or one handshake may take as a whole.
      - While O(retries) are left, an attempt that gets no answer is given up after half of the time that remains.
    type: float
    default: 10.0
  retries:
    description:
      - How often a request is made again for what may pass, such as a timeout, a connection that is reset, the HTTP
        statuses 408, 429, 500, 502, 503 and 504. With growing pauses, or when the server wants to be asked again.
    type: int
    default: 2
  max_mebibytes:
    description: Largest CRL that is fetched, in MiB. An OCSP response or a certificate may have 1 MiB.
    type: int
    default: 64
  allow_private_addresses:
    description:
      - Whether addresses that are not public may be asked. Internal CAs live there, so it is allowed by default.
      - Forbid it where certificates of strangers are judged, because they name the URLs. The connection is made to the
        address that was checked. Through a proxy, names are resolved by the proxy, which must then refuse.
      - Link-local and multicast addresses, and those of the metadata services of clouds, are always refused.
    type: bool
    default: true
  cache_dir:
    description:
      - Folder that keeps verified CRLs, OCSP responses and issuers, and the CRL numbers that were seen, for later runs.
      - Any number of runs may use it at once; what several need is fetched once. It holds at most 256 MiB of answers.
      - An answer is used without asking for as long as the server's HTTP headers say, which is not at all without
        such headers. Then the server is asked whether it is the same still. Where the server does not answer, it counts
        until its nextUpdate. It is verified again each time.
      - It is made with mode 0700. One that belongs to another user, or that others may write to, is not used, with a
        warning.
      - The default is C($XDG_CACHE_HOME/certops/revocation), or C(~/.cache/certops/revocation). If empty, nothing is
        kept.
    type: path
  prefer:
    description:
      - Which sources are asked.
      - V(any) takes the CRL, which all certificates of a CA share, and OCSP if that gives no answer.
      - V(ocsp) and V(crl) ask that kind alone wherever a certificate has it.
      - V(both) asks all of them, so that a disagreement is seen.
    type: str
    choices: [any, ocsp, crl, both]
    default: any
  tolerance:
    description: Seconds by which the clocks of CAs and this machine may differ.
    type: int
    default: 300
  max_age:
    description: Seconds after which an answer counts as stale, even where its signer says that it is still fresh.
    type: int
  judge_issuers:
    description: Whether the CAs between the certificate and its trust anchor are judged too.
    type: bool
    default: true
  nonce:
    description:
      - Whether OCSP responders are asked for an answer made just now (RFC 9654). Most answer with a prepared one, which
        is accepted; an answer to another nonce is not.
    type: bool
    default: false
  trusted_responder_paths:
    description:
      - Files with certificates, PEM or DER, whose OCSP responses count for every CA (RFC 6960 section 4.2.2.2).
    type: list
    elements: path
    default: []
  at:
    description: The time to judge for, in ISO 8601. Now, if not given.
    type: str
  trust_anchors:
    description:
      - Certificates, as PEM, of the roots that are trusted.
      - Without this and O(trust_anchor_paths) these are the roots that the system's OpenSSL trusts.
    type: str
  trust_anchor_paths:
    description: Files with such certificates, PEM or DER.
    type: list
    elements: path
    default: []
requirements:
  - cryptography >= 43
"""
