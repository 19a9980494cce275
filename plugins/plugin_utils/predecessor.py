# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to become of the certificate that was replaced: revoked with proof, or why not. No network, no CA."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

Rotation = dict[str, Any]

_DONE = ("revoked", "already_revoked", "accepted_not_published", "visible")


class Fate(str, enum.Enum):
    """What ``certificate_revoke`` has to do about a predecessor."""

    NOTHING = "nothing"
    """There is none, or an earlier step has dealt with it, or this step is not for it."""
    ALREADY_REVOKED = "already_revoked"
    NOT_WANTED = "not_wanted"
    WITHHELD = "withheld"
    """Others serve it still, or a later run is to finish; see ``still_served``."""
    REVOKE = "revoke"


def fate(rotation: Mapping[str, Any], *, wanted: bool, first: bool) -> Fate:
    """``wanted``: predecessors are revoked at all. ``first``: before the successor is served."""
    predecessor = rotation.get("predecessor") or {}
    if not predecessor.get("serial") or (rotation.get("revocation") or {}).get("state") in _DONE:
        return Fate.NOTHING
    if (rotation.get("decision") or {}).get("action") not in ("rotate", "repair", "finish"):
        return Fate.NOTHING
    if first and not is_compromised(rotation):
        return Fate.NOTHING
    if predecessor.get("already_revoked") and not _needs_another_reason(rotation):
        return Fate.ALREADY_REVOKED
    if rotation.get("withheld") is not None and not first:
        return Fate.WITHHELD
    return Fate.REVOKE if wanted else Fate.NOT_WANTED


def is_compromised(rotation: Mapping[str, Any]) -> bool:
    decision = rotation.get("decision") or {}
    return bool(decision.get("compromised")) or decision.get("revocation_reason") == "keyCompromise"


def reason_of(rotation: Mapping[str, Any]) -> str:
    """What the predecessor is to be revoked for."""
    return str((rotation.get("decision") or {}).get("revocation_reason") or "superseded")


def settle(rotation: dict[str, Any], state: str, at: str | None, *, by: str | None = None) -> None:
    """Note what became of the predecessor, and whose right it was."""
    rotation["revocation"] = {
        "serial": rotation["predecessor"]["serial"],
        "reason": reason_of(rotation),
        "state": state,
        "at": at,
        "by": by,
        "seen_in": [],
    }


def settle_withheld(rotation: dict[str, Any]) -> None:
    """Note that the predecessor is to be revoked later, and whom that waits for. Its key stays: it may have to sign."""
    settle(rotation, "waiting", None)
    rotation["revocation"]["waits_for"] = list(rotation["withheld"]["hosts"])


def _needs_another_reason(rotation: Mapping[str, Any]) -> bool:
    """Revoked for something harmless while its key is known to be compromised: others must learn of it."""
    known = (rotation.get("verdict") or {}).get("revocation_reason")
    return reason_of(rotation) == "keyCompromise" and known != "keyCompromise"


def require_proof(rotation: Mapping[str, Any]) -> None:
    """New proven before old revoked.

    :raises RotationError: ``proof_missing``, ``predecessor_still_served``.
    """
    proof, predecessor = rotation.get("proof") or {}, rotation["predecessor"]
    new = (rotation.get("issued") or {}).get("serial")
    if not proof.get("serial") or proof["serial"] != new:
        raise RotationError(
            "proof_missing",
            f"nothing proves that the successor {new or '(none)'} of {predecessor['serial']} is served",
            remedy="Run the verify step first, or all of the rotation again; revoke_first is for a key under abuse.",
            proof=proof.get("serial"),
            successor=new,
        )
    if proof["serial"] == predecessor["serial"]:
        raise RotationError(
            "predecessor_still_served", f"the certificate to revoke, {new}, is the one proven to be served"
        )
    left = sorted(set(_served_by(rotation, predecessor["serial"])) - set(_places(proof.get("checked"))))
    if left:
        raise RotationError(
            "predecessor_still_served",
            f"{predecessor['serial']} was served at {', '.join(left)}, and nothing proves that it is not any more",
            remedy="Add these listeners to the certificate, or take them down, and run again.",
            places=left,
        )


def _served_by(rotation: Mapping[str, Any], serial: str) -> Iterator[str]:
    """Places that served the certificate when they were last looked at."""
    return _places(one for one in rotation.get("served") or () if one.get("serial") == serial)


def _places(entries: Any) -> Iterator[str]:
    for one in entries or ():
        yield f"{one.get('address')} port {one.get('port')} as {one.get('server_name')}"
