# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep, rotate, repair, finish or stop: what is to be done about one certificate, with reasons a person can read.

Decided twice. First from outside, on what is served; that decision has a premise (the key that is served is the one the
host has), which the host checks before it makes a key. Then again, with what was found on the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import canonical, covers
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import (
    Pair,
    faults,
    host_key,
    is_nothing_installed,
    is_unproven,
    live_pair,
    live_version,
    predecessor_from_record,
    predecessor_of,
    served_pairs,
    superseded,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_policy import PlanPolicy

# Revoked for one of these, the key itself is in other hands or not to be trusted.
COMPROMISED = frozenset({"keyCompromise", "cACompromise", "aACompromise"})
# What a verdict says of every certificate with those dates, and no operator has to be told a second time.
_SAID_BY_THE_DATES = frozenset({"expired", "not_yet_valid"})
_NOT_CHECKABLE = frozenset({"short_lived"})
# A new certificate from the same CA would be as silent.
_NOT_HELPED_BY_ROTATION = frozenset({"no_pointer", "short_lived"})


@dataclass(frozen=True)
class PlanReason:
    """Why: a word for programs, a sentence for people."""

    code: str
    text: str

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "text": self.text}


@dataclass(frozen=True)
class Decision:
    """What is to be done about one certificate."""

    action: str
    """keep, rotate, repair (reload and verify), finish (verify, revoke, retire), stop (nothing, and say so loudly)"""
    reasons: tuple[PlanReason, ...] = ()
    premise: str | None = None
    """SHA-256 of the public key that the host must have when the new key is made; None: nothing is presumed"""
    compromised: bool = False
    """The predecessor must never be served again"""
    revocation_reason: str | None = None
    predecessor: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """``rotation.decision``."""
        return {
            "action": self.action,
            "reasons": [reason.as_dict() for reason in self.reasons],
            "premise": {"spki_sha256": self.premise} if self.premise else {},
            "compromised": self.compromised,
            "revocation_reason": self.revocation_reason,
        }


def decide(rotation: Mapping[str, Any], policy: PlanPolicy, at: datetime) -> Decision:
    """What is to be done, judged for the moment ``at``."""
    served, live = served_pairs(rotation), live_pair(rotation)
    decision = _of_listeners(rotation)
    if decision is None and live is not None:
        decision = _of_installed(rotation, served, live, policy, at)
    if decision is None:
        subject = with_version(served[0], rotation, live) if served else live
        decision = _of_subject(rotation, subject, policy, at) if subject else _of_nothing(rotation, policy)
    if policy.leave_shared and rotation.get("shared") and decision.action == "rotate":
        decision = _left(decision, rotation)
    return with_notes(decision, rotation, served, at)


def sentence(rotation: Mapping[str, Any]) -> str:
    """The decision in a line: ``web1/shop: rotate: the certificate served is revoked since …``."""
    decision = rotation.get("decision") or {}
    reasons = "; ".join(reason["text"] for reason in decision.get("reasons") or ())
    action = decision.get("action") or "not decided"
    return f"{rotation.get('host', '?')}/{rotation.get('name', '?')}: {action}" + (f": {reasons}" if reasons else "")


def _left(decision: Decision, rotation: Mapping[str, Any]) -> Decision:
    """Due, and still no key is made: hosts that this run cannot see share it, and one of them may have made it."""
    text = f"the key of {rotation['shared']} is shared, so it is left to a run that sees all of its hosts"
    return Decision("keep", (PlanReason("left_to_the_fleet", text), *decision.reasons), warnings=(text,))


def _of_listeners(rotation: Mapping[str, Any]) -> Decision | None:
    """A listener that speaks something else than TLS is a wrong declaration: better no guess at all."""
    wrong = [entry for entry in faults(rotation) if entry["error"].get("code") == "not_tls"]
    if not wrong:
        return None
    return Decision("stop", (PlanReason("listener_not_tls", f"{_place(wrong[0])} does not speak TLS"),))


def _of_installed(
    rotation: Mapping[str, Any], served: Sequence[Pair], live: Pair, policy: PlanPolicy, at: datetime
) -> Decision | None:
    """What the host adds: a run that did not come to its end, or a pair that waits for a reload. None: nothing."""
    live = replace(live, status=_status_of(live, served))
    ailing = _ailments(rotation, live, policy, at)
    others = [pair for pair in served if pair.sha256 != live.sha256]
    unfinished = superseded(rotation)
    if ailing:
        reasons = (differs(others, live), *ailing) if others else ailing
        return _rotate_live(live, reasons, policy, rotation) if others or not live.matches_its_key else None
    if unfinished or (not served and is_unproven(rotation)):
        return going_on(unfinished or {}, served, others, live)
    if not others:
        return None
    if policy.is_forced(rotation):
        return _rotate_live(live, (differs(others, live), _forced(policy)), policy, rotation)
    if live.version is None:
        # Replaced by hand at the vhost's own paths: there is no release to reload into, so it becomes one.
        return _rotate_live(live, (differs(others, live),), policy, rotation)
    return Decision("repair", (differs(others, live),))


def going_on(unfinished: Mapping[str, Any], served: Sequence[Pair], others: Sequence[Pair], live: Pair) -> Decision:
    """An earlier run switched and did not come to its end. What it decided about the predecessor still holds."""
    reasons = [PlanReason("unfinished", f"an earlier run installed {live.version} and did not come to its end")]
    if others:
        reasons.append(differs(others, live))
    return Decision(
        "finish" if served and not others else "repair",
        tuple(reasons),
        compromised=bool(unfinished.get("compromised")),
        revocation_reason=unfinished.get("revocation_reason"),
        predecessor=predecessor_from_record(unfinished) if unfinished else None,
    )


def _rotate_live(
    live: Pair, reasons: Sequence[PlanReason], policy: PlanPolicy, rotation: Mapping[str, Any]
) -> Decision:
    """Rotate although something else is served: the key to replace is the one that the host has."""
    decision = _rotation_of(live, reasons, policy, rotation)
    return replace(decision, premise=host_key(rotation) or live.spki_sha256)


def _of_subject(rotation: Mapping[str, Any], pair: Pair, policy: PlanPolicy, at: datetime) -> Decision:
    """What is to be done about the pair that is served (or, with nothing served, installed)."""
    reasons = list(_ailments(rotation, pair, policy, at))
    if policy.is_forced(rotation):
        reasons.append(_forced(policy))
    unknown = _unknown(rotation, pair)
    if unknown and policy.on_unknown == "rotate" and not _verdict_reasons(rotation) <= _NOT_HELPED_BY_ROTATION:
        reasons.append(unknown)
    if reasons:
        return _rotation_of(pair, reasons, policy, rotation)
    if unknown:
        action = "stop" if policy.on_unknown == "fail" else "keep"
        return Decision(action, (unknown,), warnings=(unknown.text,))
    if not any(entry.get("serial") for entry in rotation.get("served") or ()):
        return _unanswered(rotation, policy)
    what = "good" if pair.status == "good" else "not due, and too short-lived to be revoked"
    return Decision("keep", (PlanReason("good", f"{what}, valid until {as_text(pair.not_after)}"),))


def _of_nothing(rotation: Mapping[str, Any], policy: PlanPolicy) -> Decision:
    """Nothing is served, and nothing is known to be installed."""
    if is_nothing_installed(rotation):
        text = "nothing is installed and nothing is served yet"
        return Decision("rotate", (PlanReason("not_installed", text),))
    if rotation.get("installed") is not None and host_key(rotation):
        text = "a key is installed without a certificate that could be read"
        return Decision("rotate", (PlanReason("not_installed", text),), premise=host_key(rotation))
    return _unanswered(rotation, policy)


def _unanswered(rotation: Mapping[str, Any], policy: PlanPolicy) -> Decision:
    places = "; ".join(f"{_place(entry)}: {entry['error'].get('msg')}" for entry in faults(rotation)[:3])
    reason = PlanReason("unreachable_endpoint", f"nothing could be seen ({places or 'no listener was asked'})")
    return Decision("stop" if policy.on_unknown == "fail" else "keep", (reason,), warnings=(reason.text,))


def _rotation_of(
    pair: Pair, reasons: Sequence[PlanReason], policy: PlanPolicy, rotation: Mapping[str, Any]
) -> Decision:
    codes = {reason.code for reason in reasons}
    revoked_for = (rotation.get("verdict") or {}).get("revocation_reason") if "revoked" in codes else None
    why = "superseded"
    if "forced" in codes:
        why = policy.force_reason
    if revoked_for:
        why = revoked_for
    if "key_denied" in codes or any(weakness.is_computable for weakness in pair.weak_key):
        why = "keyCompromise"
    if "forced" in codes and policy.force_reason == "keyCompromise":
        why = "keyCompromise"
    return Decision(
        "rotate",
        tuple(reasons),
        premise=pair.spki_sha256,
        compromised=why in COMPROMISED,
        revocation_reason=why,
        predecessor=predecessor_of(pair),
    )


def _ailments(rotation: Mapping[str, Any], pair: Pair, policy: PlanPolicy, at: datetime) -> tuple[PlanReason, ...]:
    """Everything about ``pair`` that only another certificate can cure."""
    found = [
        _revoked(rotation, pair),
        _denied(pair, policy),
        _weak(pair),
        _broken(pair),
        _ending(pair, policy, at),
        _called_back(rotation, pair, at),
        _names(rotation, pair),
        _key_type(rotation, pair),
        _must_staple(rotation, pair),
    ]
    return tuple(reason for reason in found if reason)


def _revoked(rotation: Mapping[str, Any], pair: Pair) -> PlanReason | None:
    if pair.status != "revoked":
        return None
    verdict = rotation.get("verdict") or {}
    since = f" since {verdict['revoked_at']}" if verdict.get("revoked_at") else ""
    reason = verdict.get("revocation_reason") or "no reason given"
    by = " (its issuer is)" if "issuer_revoked" in _verdict_reasons(rotation) else ""
    return PlanReason("revoked", f"the certificate {pair.serial} is revoked{since}{by} ({reason})")


def _denied(pair: Pair, policy: PlanPolicy) -> PlanReason | None:
    if pair.spki_sha256 not in policy.deny_list:
        return None
    return PlanReason("key_denied", f"its key {pair.spki_sha256[:16]}… is on the deny list")


def _weak(pair: Pair) -> PlanReason | None:
    if not pair.weak_key:
        return None
    what = "; ".join(weakness.text for weakness in pair.weak_key)
    known = ", and so anybody can compute the private key" if any(one.is_computable for one in pair.weak_key) else ""
    return PlanReason("weak_key", f"its key {pair.spki_sha256[:16]}… is weak: {what}{known}")


def _broken(pair: Pair) -> PlanReason | None:
    if pair.matches_its_key:
        return None
    return PlanReason(
        "pair_broken", f"the key on the host does not belong to {pair.serial}; the next reload would fail"
    )


def _ending(pair: Pair, policy: PlanPolicy, at: datetime) -> PlanReason | None:
    if at > pair.not_after:
        return PlanReason("expired", f"the certificate {pair.serial} expired at {as_text(pair.not_after)}")
    before = policy.due_from(pair.not_after - pair.not_before)
    if pair.not_after - at > before:
        return None
    days = (pair.not_after - at).total_seconds() / 86400
    return PlanReason("expiring", f"it ends at {as_text(pair.not_after)}, in {days:.1f} days")


def _called_back(rotation: Mapping[str, Any], pair: Pair, at: datetime) -> PlanReason | None:
    """The CA wants it replaced by now (RFC 9773). A window in the past is how a CA says that it revokes."""
    hint = (rotation.get("renewal_hints") or {}).get(pair.sha256)
    if not hint or at < from_text(hint["renew_at"]):
        return None
    window = f"{hint['window']['start']} to {hint['window']['end']}"
    why = f"; it explains: {hint['explanation_url']}" if hint.get("explanation_url") else ""
    if at >= from_text(hint["window"]["end"]):
        text = f"the CA wants {pair.serial} to be replaced at once (its window, {window}, is past){why}"
        return PlanReason("renewal_overdue", text)
    return PlanReason("renewal_suggested", f"the CA suggests to replace {pair.serial} now (window {window}){why}")


def _names(rotation: Mapping[str, Any], pair: Pair) -> PlanReason | None:
    """Names that are wanted and missing. More names than wanted do no harm until the next rotation."""
    have = [canonical(name) for name in pair.names]
    wanted = [canonical(name) for name in rotation.get("server_names") or ()]
    missing = [name for name in wanted if not any(covers(pattern, name) for pattern in have)]
    if not missing:
        return None
    return PlanReason("names_differ", f"the certificate {pair.serial} is not for {', '.join(missing)}")


def _key_type(rotation: Mapping[str, Any], pair: Pair) -> PlanReason | None:
    """Only a type declared for this very certificate is worth a rotation; a general default is for the next."""
    key = rotation.get("key") or {}
    if "key" not in (rotation.get("declared") or ()) or not pair.key_type:
        return None
    if key.get("type") == "rsa":
        wanted = f"rsa-{key.get('size', 2048)}"
    else:
        wanted = f"ec-{key.get('curve', 'secp256r1')}"
    if wanted == pair.key_type:
        return None
    return PlanReason("key_type_differs", f"its key is {pair.key_type}, {wanted} is declared")


def _must_staple(rotation: Mapping[str, Any], pair: Pair) -> PlanReason | None:
    wanted = bool(rotation.get("must_staple"))
    if pair.must_staple is None or pair.must_staple == wanted:
        return None
    if not wanted and "must_staple" not in (rotation.get("declared") or ()):
        return None
    return PlanReason(
        "must_staple_differs", f"Must-Staple is {'wanted and absent' if wanted else 'present, not wanted'}"
    )


def _forced(policy: PlanPolicy) -> PlanReason:
    return PlanReason("forced", f"forced, to be revoked for {policy.force_reason}")


def differs(others: Sequence[Pair], live: Pair) -> PlanReason:
    serials = ", ".join(pair.serial for pair in others)
    return PlanReason("served_differs_from_installed", f"{serials} is served, {live.serial} is installed")


def _unknown(rotation: Mapping[str, Any], pair: Pair) -> PlanReason | None:
    """Why nothing can be said about the status; None if something can, or if there is nothing to say."""
    if pair.status in ("good", "revoked") or not any(one.get("serial") for one in rotation.get("served") or ()):
        return None
    verdict, reasons = rotation.get("verdict") or {}, _verdict_reasons(rotation)
    if verdict.get("is_soft") or (reasons and reasons <= _NOT_CHECKABLE | _SAID_BY_THE_DATES):
        return None
    why = ", ".join(sorted(reasons)) or "it was not judged"
    return PlanReason("unknown_revocation_status", f"whether {pair.serial} is revoked is unknown ({why})")


def _verdict_reasons(rotation: Mapping[str, Any]) -> set[str]:
    return {str(reason) for reason in (rotation.get("verdict") or {}).get("reasons") or ()}


def _status_of(live: Pair, served: Sequence[Pair]) -> str | None:
    """The status of the installed pair: what was found where it is served, else what was found for the file."""
    return next((pair.status for pair in served if pair.sha256 == live.sha256), live.status)


def with_version(pair: Pair, rotation: Mapping[str, Any], live: Pair | None) -> Pair:
    """``pair`` with the version folder that it comes from, if it is the live one."""
    version = live_version(rotation)
    if version is None or live is None or live.sha256 != pair.sha256:
        return pair
    return replace(pair, version=version["version"])


def with_notes(decision: Decision, rotation: Mapping[str, Any], served: Sequence[Pair], at: datetime) -> Decision:
    """The decision, with warnings about what does not decide it."""
    notes = list(decision.warnings)
    if served:
        notes.extend(f"{_place(entry)} did not answer: {entry['error'].get('msg')}" for entry in faults(rotation))
    if len(served) > 1:
        notes.append("different certificates are served: " + ", ".join(pair.serial for pair in served))
    reasons = list(decision.reasons)
    for pair in served:
        if at < pair.not_before:
            notes.append(
                f"the certificate {pair.serial} is not valid before {as_text(pair.not_before)}: is a clock wrong?"
            )
    for reason in _staple_notes(rotation, at):
        reasons.append(reason)
        notes.append(reason.text)
    return replace(decision, reasons=tuple(reasons), warnings=tuple(dict.fromkeys(notes)))


def _staple_notes(rotation: Mapping[str, Any], at: datetime) -> list[PlanReason]:
    """Staples that are wrong or get old, one reason a code."""
    found: dict[str, PlanReason] = {}
    for entry in rotation.get("served") or ():
        staple = entry.get("staple") or {}
        status = staple.get("status")
        if entry.get("must_staple") and status == "absent":
            found["staple_missing"] = PlanReason("staple_missing", f"{_place(entry)} staples nothing, and must")
        elif status in ("invalid", "unknown", "revoked") and entry.get("status") != "revoked":
            why = ", ".join(staple.get("reasons") or ()) or status
            found["staple_bad"] = PlanReason("staple_bad", f"{_place(entry)} staples what is of no use ({why})")
        elif status == "good" and _is_old(staple, at):
            text = f"the staple at {_place(entry)} ends at {staple['next_update']}"
            found["staple_old"] = PlanReason("staple_old", text)
    return list(found.values())


def _is_old(staple: Mapping[str, Any], at: datetime) -> bool:
    """Less than a quarter of its time is left. nginx itself asks again an hour after it fetched one."""
    if not staple.get("this_update") or not staple.get("next_update"):
        return False
    start, end = from_text(staple["this_update"]), from_text(staple["next_update"])
    return (end - at) < (end - start) / 4


def _place(entry: Mapping[str, Any]) -> str:
    name = entry.get("server_name")
    address = str(entry.get("address"))
    where = f"[{address}]:{entry.get('port')}" if ":" in address else f"{address}:{entry.get('port')}"
    return f"{where} ({name})" if name else where
