# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA that a predecessor came from, which need not be the one that its successor is from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificate
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issuer
from ansible_collections.certops.rotation.plugins.plugin_utils.predecessor import reason_of


def predecessor_pem(rotation: Mapping[str, Any]) -> str:
    """The certificate, as PEM; what follows it is its chain."""
    predecessor = rotation.get("predecessor") or {}
    return str(predecessor.get("certificate_pem") or predecessor.get("chain_pem") or "")


def predecessor_certificate(rotation: Mapping[str, Any]) -> x509.Certificate:
    """:raises RotationError: ``not_a_certificate``, ``certificate_unreadable``."""
    return read_certificate(predecessor_pem(rotation).encode(), "the predecessor")


def issuer_of_predecessor(rotation: Mapping[str, Any], issuers: OpenIssuers) -> tuple[str, Issuer]:
    """Its name and itself: who knows the certificate as its own, else who cannot tell, the rotation's issuer first.

    One that cannot tell and is not named is asked only if it is the only one: it refuses what is not its own.

    :raises RotationError: ``issuer_not_configured``, or whatever is wrong with the certificate or the issuer.
    """
    certificate = predecessor_certificate(rotation)
    named = str(rotation.get("issuer") or "")
    answers: dict[str, bool | None] = {named: issuers.get(named).issued(certificate)} if named else {}
    if not answers.get(named):
        answers.update((name, issuer.issued(certificate)) for name, issuer in issuers.working() if name != named)
    certain = [name for name, answer in answers.items() if answer]
    possible = [name for name, answer in answers.items() if answer is None]
    if named in possible or len(possible) == 1:
        certain.append(named if named in possible else possible[0])
    if certain:
        return certain[0], issuers.get(certain[0])
    by = certificate.issuer.rfc4514_string()
    raise RotationError(
        "issuer_not_configured",
        f"{rotation['predecessor']['serial']} was issued by {by}, which is none of the issuers: revoke it there",
        remedy="Add that CA to the issuers, name it, or revoke the certificate with the CA's own means.",
        issuer=by,
    )


def require_accepted_reason(rotation: Mapping[str, Any], name: str, issuer: Issuer) -> None:
    """:raises RotationError: ``reason_not_accepted``, before the CA is asked."""
    reason = reason_of(rotation)
    if reason not in issuer.accepted_reasons:
        accepted = sorted(issuer.accepted_reasons)
        raise RotationError(
            "reason_not_accepted",
            f"the issuer {name} does not revoke for the reason {reason}; it accepts {', '.join(accepted)}",
            remedy="Give one of these: superseded for what was replaced, cessationOfOperation for names given up,"
            " keyCompromise for a key in other hands.",
            reason=reason,
            accepted=accepted,
        )
