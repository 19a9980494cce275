# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why is this certificate refused, or its revocation status not trusted? An ordered list of causes.

Pure: everything seen is in the rotation, under ``client_view`` (what the control node saw as a client) and under
``host_view`` (what the host saw). Whether anything is revoked, stale or signed by the wrong one is the verdict core's
word, quoted here and never judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE, Cause, cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_chain import chain_causes
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_clock import clock_causes
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_peer import peer_causes
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_reach import reach_causes
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_revocation import revocation_causes
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import judged
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_served import served_causes
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_staple import staple_causes
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_table import BY_CODE, CERTAINTIES, RANK

_THEMES = (
    reach_causes,
    clock_causes,
    served_causes,
    chain_causes,
    revocation_causes,
    staple_causes,
    peer_causes,
)


def diagnose(rotation: Mapping[str, Any]) -> list[Cause]:
    """The causes, the gravest of the most certain first; what follows from another one is left out."""
    found = _merged(cause for theme in _THEMES for cause in theme(rotation))
    explained = _explained(found)
    left = [cause for cause in found if cause.code not in explained] or list(_fallback(rotation))
    return sorted(left, key=lambda cause: (CERTAINTIES.index(cause.certainty), RANK[cause.code]))


def lines(rotation: Mapping[str, Any], causes: Sequence[Cause]) -> list[str]:
    """The diagnosis of one certificate in prose."""
    label = f"{rotation.get('host', '?')}/{rotation.get('name', '?')}"
    if rotation.get("error"):
        return [f"{label}: {rotation['error']['msg']}"]
    if not causes:
        return [f"{label}: nothing wrong was found. {_what_was_seen(rotation)}".rstrip()]
    return [text for number, cause in enumerate(causes, 1) for text in _paragraph(label, number, cause)]


def _fallback(rotation: Mapping[str, Any]) -> Iterator[Cause]:
    """Unknown is an answer of its own, also where no theme knows why."""
    for label, one in judged(rotation):
        verdict = one["verdict"]
        if verdict["status"] == "unknown" and not verdict["is_soft"]:
            reasons = ", ".join(verdict["reasons"])
            evidence = [f"{label}: {reasons}" + (f" ({verdict['detail']})" if verdict["detail"] else "")]
            yield cause("revocation_status_unknown", "likely", CONTROL_NODE, evidence)


def _paragraph(label: str, number: int, cause: Cause) -> Iterator[str]:
    kind = BY_CODE[cause.code]
    yield f"{label}: {number}. {cause.certainty}: {kind.sentence} ({cause.code}; seen from {', '.join(cause.where)})"
    for text in cause.evidence:
        yield f"      because {text}"
    yield f"      do: {cause.remedy}"


def _what_was_seen(rotation: Mapping[str, Any]) -> str:
    certificates = ((rotation.get("client_view") or {}).get("certificates") or {}).values()
    said = [f"certificate {one['serial']} is {one['verdict']['status']}" for one in certificates]
    return "; ".join(said)


def _merged(causes: Iterable[Cause]) -> list[Cause]:
    """One cause of a code, with the evidence from all places; the best certainty counts."""
    merged: dict[str, Cause] = {}
    for one in causes:
        known = merged.get(one.code)
        merged[one.code] = one if known is None else known.joined_by(one)
    return list(merged.values())


def _explained(causes: Sequence[Cause]) -> set[str]:
    """Codes of what another cause explains; one that is only possible explains nothing that is more certain."""
    return {
        other.code
        for cause in causes
        for other in causes
        if other.code in BY_CODE[cause.code].explains
        and CERTAINTIES.index(cause.certainty) <= max(CERTAINTIES.index(other.certainty), 1)
    }
