# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide in an emergency: what is affected is replaced, whatever else is wrong with a certificate waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.affected import Affected
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.plan import (
    COMPROMISED,
    Decision,
    PlanReason,
    differs,
    going_on,
    with_notes,
    with_version,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import (
    Pair,
    host_key,
    live_pair,
    predecessor_of,
    served_pairs,
    superseded,
)


def decide_affected(rotation: Mapping[str, Any], affected: Affected, at: datetime) -> Decision:
    """What is to be done about one certificate, judged for the moment ``at``.

    The same words as ``decide``: rotate what is affected, finish or repair what an earlier run replaced, keep the rest.
    """
    served, live = served_pairs(rotation), live_pair(rotation)
    hit = [pair for pair in served if _why(affected, pair)]
    decision = _of_installed(rotation, affected, served, live, hit) if live is not None else None
    if decision is None and hit:
        decision = _rotate(with_version(hit[0], rotation, live), affected)
    if decision is None:
        decision = Decision("keep", (PlanReason("not_affected", "it is not affected"),))
    return with_notes(decision, rotation, served, at)


def _of_installed(
    rotation: Mapping[str, Any], affected: Affected, served: list[Pair], live: Pair, hit: list[Pair]
) -> Decision | None:
    """What the host adds: its own pair may be affected, or be the replacement already."""
    others = [pair for pair in served if pair.sha256 != live.sha256]
    if _why(affected, live):
        return _rotate(live, affected, host_key(rotation))
    unfinished = superseded(rotation)
    if unfinished and _why_record(affected, unfinished):
        # When it was replaced it may have been for something harmless.
        return replace(going_on(unfinished, served, others, live), **_grave(affected))
    if hit and live.version is not None:
        return _repair(hit, live, affected)
    return None


def _rotate(pair: Pair, affected: Affected, key: str | None = None) -> Decision:
    return Decision(
        "rotate",
        (PlanReason("affected", _why(affected, pair) or ""),),
        premise=key or pair.spki_sha256,
        predecessor=predecessor_of(pair),
        **_grave(affected),
    )


def _repair(hit: list[Pair], live: Pair, affected: Affected) -> Decision:
    """Replaced on disk, and the server goes on with what it loaded before."""
    return Decision(
        "repair",
        (PlanReason("affected", _why(affected, hit[0]) or ""), differs(hit, live)),
        predecessor=predecessor_of(hit[0]),
        **_grave(affected),
    )


def _grave(affected: Affected) -> dict[str, Any]:
    return {"compromised": affected.reason in COMPROMISED, "revocation_reason": affected.reason}


def _why(affected: Affected, pair: Pair) -> str | None:
    return affected.why(spki_sha256=pair.spki_sha256, serial=pair.serial, sha256=pair.sha256)


def _why_record(affected: Affected, supersedes: Mapping[str, Any]) -> str | None:
    try:
        facts = certificate_facts(read_certificate(str(supersedes.get("certificate_pem") or "").encode()))
    except RotationError:
        return affected.why(spki_sha256=supersedes.get("spki_sha256"), serial=supersedes.get("serial"))
    return affected.why(spki_sha256=facts.spki_sha256, serial=facts.serial, sha256=facts.sha256)
