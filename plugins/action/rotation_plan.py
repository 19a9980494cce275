# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide, and later settle what was decided with what was found on the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.plan import Decision, decide, sentence
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_emergency import decide_affected
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_pair
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_policy import PlanPolicy, policy_from
from ansible_collections.certops.rotation.plugins.modules.rotation_plan import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.deny_list_file import denied_in
from ansible_collections.certops.rotation.plugins.plugin_utils.predecessor import Fate, fate, reason_of
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    FleetAction,
    Rotation,
    action_of,
    active,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.sharing import (
    RECEIVER,
    appoint,
    is_to_seal,
    role_of,
)

_ACTIONS = ("keep", "rotate", "repair", "finish", "stop")
_TO_DO = frozenset({"rotate", "repair", "finish"})
_REMEDIES = {
    "listener_not_tls": "Correct the listeners of the certificate.",
    "unknown_revocation_status": "Make CRL or OCSP responder reachable from the control node, or set on_unknown.",
    "unreachable_endpoint": "Start the service, correct the listeners, or open the way from the control node.",
}


class ActionModule(FleetAction):
    """A pure function, run for every rotation."""

    step = "decide"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        policy, at = policy_from(self.options["policy"]), self.now()
        policy = replace(policy, deny_list=policy.deny_list | denied_in(self.options["deny_list_path"]))
        for rotation in list(self.active(rotations)):
            self._decide(rotation, policy, at)
        appoint(self, rotations, settled=self.options["settle"], denied=policy.deny_list)
        everything = [one for of_host in rotations.values() for one in of_host]
        due = _hosts(rotations, is_to_do)
        # In check mode no key was made for anyone, which is no reason to look a second time.
        late = [] if self.check_mode else _hosts(rotations, is_late)
        return {
            "plan": [sentence(one) for one in everything],
            "deny_list": sorted(policy.deny_list),
            "due": due,
            "late": late,
            "sealing": [] if self.check_mode else sorted({lead for one in everything if (lead := _seals_for(one))}),
            "compromised": _hosts(rotations, has_key_to_revoke_by),
            "concerned": _concerned(rotations, due),
            "next": "due_late" if late else "due" if due else "conclude",
            "summary": _summary(everything),
        }

    def _decide(self, rotation: Rotation, policy: PlanPolicy, at: datetime) -> None:
        if policy.affected:
            decision = decide_affected(rotation, policy.affected, at)
        else:
            decision = decide(rotation, policy, at)
        rotation["decision"] = decision.as_dict()
        if decision.action == "rotate" and rotation.get("issuer") in policy.issuer_instead:
            rotation["issuer"] = policy.issuer_instead[rotation["issuer"]]
        rotation.pop("predecessor", None)
        if decision.predecessor:
            rotation["predecessor"] = dict(decision.predecessor)
        if decision.action != "rotate":
            # What the first decision had made on the host is left for the next rotation, or given up by it.
            rotation.pop("prepared", None)
        if decision.action in ("repair", "finish"):
            _take_installed_as_issued(rotation)
        if decision.action == "stop":
            self.failing(rotation, _stop(decision))
        for warning in decision.warnings:
            self.warn(rotation, warning)
        self.stamp(rotation, "decided")


def _take_installed_as_issued(rotation: Rotation) -> None:
    """What is to be proven, revoked and retired behind is the certificate that is installed already."""
    live = live_pair(rotation)
    if live is None:
        return
    facts = certificate_facts(read_certificates(live.chain_pem.encode())[0])
    rotation["issued"] = {
        "chain_pem": live.chain_pem,
        "trust_pem": None,
        "serial": facts.serial,
        "spki_sha256": facts.spki_sha256,
        "not_before": as_text(facts.not_before),
        "not_after": as_text(facts.not_after),
        "issuer_name": facts.issuer,
        "ocsp_urls": list(facts.ocsp_urls),
        "crl_urls": list(facts.crl_urls),
        "must_staple": facts.must_staple,
        "order": None,
    }


def is_to_do(rotation: Mapping[str, Any]) -> bool:
    return not rotation.get("error") and (action_of(dict(rotation)) in _TO_DO or is_to_seal(rotation))


def is_late(rotation: Mapping[str, Any]) -> bool:
    """To be rotated, and nobody made a key for it yet."""
    return not rotation.get("error") and action_of(dict(rotation)) == "rotate" and not rotation.get("prepared")


def _seals_for(rotation: Rotation) -> str | None:
    """The host that has to seal its key for this one."""
    if role_of(rotation) != RECEIVER or rotation.get("error") or (rotation.get("prepared") or {}).get("resumed"):
        return None
    return str(rotation["share"]["lead"])


def has_key_to_revoke_by(rotation: Mapping[str, Any]) -> bool:
    """To be revoked because its key is in other hands: that key should sign, where the CA takes its signature."""
    return reason_of(rotation) == "keyCompromise" and fate(rotation, wanted=True, first=True) is Fate.REVOKE


def _hosts(rotations: Mapping[str, Iterable[Rotation]], asked: Any) -> list[str]:
    return [host for host, of_host in rotations.items() if any(asked(one) for one in of_host)]


def _concerned(rotations: Mapping[str, list[Rotation]], due: list[str]) -> list[str]:
    """The hosts that have to go on: those with something to do, or to fail for; at least one, to write the report.

    A task that is skipped costs a fork for every host, so the hosts where all is well leave the role early, together.
    """
    failing = _hosts(rotations, lambda one: bool(one.get("error")))
    found = [host for host in rotations if host in due or host in failing]
    return found or list(rotations)[:1]


def _stop(decision: Decision) -> RotationError:
    first = decision.reasons[0]
    return RotationError(first.code, first.text, _REMEDIES.get(first.code, ""))


def _summary(everything: list[Rotation]) -> dict[str, int]:
    counts = {action: sum(1 for one in active(everything) if action_of(one) == action) for action in _ACTIONS}
    return {**counts, "failed": len(everything) - len(active(everything))}
