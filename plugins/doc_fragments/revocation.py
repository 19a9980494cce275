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
    description: Seconds that one request or one handshake may take as a whole.
    type: float
    default: 10.0
  max_mebibytes:
    description: Largest CRL that is fetched, in MiB. An OCSP response or a certificate may have 1 MiB.
    type: int
    default: 64
  allow_private_addresses:
    description:
      - Whether addresses that are not public may be asked. Internal CAs live there, so it is allowed by default.
      - Forbid it where certificates of strangers are judged, because they name the URLs.
    type: bool
    default: true
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
