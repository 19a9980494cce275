# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a poll is worth an event, by what was told before. Nothing here reads a clock, a file or the network.

One event tells of all certificates that share a fate in one poll, so that a mass revocation starts one run over many
hosts, and not one run for each of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_look import Sighting

REVOKED, RENEWAL, UNKNOWN = "revoked", "renewal_window", "unknown"
_COMPROMISE = frozenset({"keyCompromise", "cACompromise", "aACompromise"})
_EVIDENCE = ("status", "this_update", "next_update", "crl_number", "sha256")
_TEMPLATE = re.compile(r"\{(?=[{%#])")
_FORGET = timedelta(days=30)
_COARSE = timedelta(days=1)
_WORDS = 300
_MOST = 4


@dataclass
class Told:
    """What was told before, and what must be known to tell it at the right time. As it is on disk."""

    told: dict[str, dict[str, str]] = field(default_factory=dict)
    """by kind and subject: when it was told last (``at``), and when it was last seen to be so (``seen``, to the day)"""
    unknown: dict[str, dict[str, Any]] = field(default_factory=dict)
    """by place: for how many polls on end its status has not been known, and since when"""

    def as_data(self) -> dict[str, Any]:
        return {"told": self.told, "unknown": self.unknown}


@dataclass(frozen=True)
class Item:
    """One certificate at one place, and what is new about it."""

    subject: str
    """the same text as long as it is the same news"""
    entry: dict[str, Any]


def news(
    sightings: Sequence[Sighting], told: Told, *, at: datetime, unknown_after: int, repeat_after: float
) -> list[Item]:
    """What has not been told yet, or so long ago (``repeat_after`` seconds, 0: never) that it is told again.

    ``told`` learns what has been seen; what has been told is for ``mark``.
    """
    items: list[Item] = []
    for sighting in sightings:
        items += _about(sighting, told, at, unknown_after)
    watched = {_place(sighting) for sighting in sightings}
    told.unknown = {place: known for place, known in told.unknown.items() if place in watched}
    due = {item.subject: item for item in items if _is_due(told, item.subject, at, repeat_after)}
    _forget(told, at)
    return list(due.values())


def mark(told: Told, items: Sequence[Item], at: datetime) -> None:
    """These have been told."""
    for item in items:
        told.told[item.subject] = {"at": as_text(at), "seen": as_text(at)}


def events(items: Sequence[Item], *, at: datetime, hosts_per_event: int) -> Iterator[tuple[dict[str, Any], list[Item]]]:
    """One event for each kind, those whose host is known apart; of very many hosts, several. And what each tells."""
    for kind in (REVOKED, RENEWAL, UNKNOWN):
        of_kind = [item for item in items if item.entry["kind"] == kind]
        hosts = list(dict.fromkeys(item.entry["host"] for item in of_kind if item.entry["host"]))
        for first in range(0, len(hosts), hosts_per_event):
            batch = hosts[first : first + hosts_per_event]
            members = set(batch)
            chosen = [item for item in of_kind if item.entry["host"] in members]
            yield _event(kind, batch, chosen, at), chosen
        others = [item for item in of_kind if not item.entry["host"]]
        if others:
            yield _event(kind, [], others, at), others


def _event(kind: str, hosts: list[str], items: Sequence[Item], at: datetime) -> dict[str, Any]:
    entries = [item.entry for item in items]
    digest = hashlib.sha256("\n".join(sorted(item.subject for item in items)).encode()).hexdigest()
    reasons = sorted({entry["reason"] for entry in entries if entry["reason"]})
    event: dict[str, Any] = {
        "kind": kind,
        "id": digest[:32],
        "count": len(entries),
        "hosts": hosts,
        "serials": sorted({entry["serial"] for entry in entries if entry["serial"]}),
        "reasons": reasons,
        "key_compromise": not _COMPROMISE.isdisjoint(reasons),
        "certificates": entries,
        "seen_at": as_text(at),
    }
    if hosts:
        # ansible-rulebook confines what it runs to meta.hosts. Without a host there is no limit, and so nothing to run.
        event["limit"] = ":".join(hosts)
        event["meta"] = {"hosts": hosts}
    return event


def _about(sighting: Sighting, told: Told, at: datetime, unknown_after: int) -> Iterator[Item]:
    place = _place(sighting)
    status = sighting.verdict["status"]
    if status != "unknown":
        told.unknown.pop(place, None)
        told.told.pop(f"{UNKNOWN} {place}", None)
    certificate = sighting.certificate
    revoked = f"{REVOKED} {place} {_identity(certificate)}" if certificate else ""
    if status == "revoked":
        yield Item(revoked, _entry(REVOKED, sighting, at, **_revocation(sighting.verdict)))
    elif status == "good":
        told.told.pop(revoked, None)  # a hold that was lifted; if it comes back, that is news
    hint = sighting.hint
    if certificate and hint and status != "revoked" and from_text(hint["renew_at"]) <= at:
        window = hint["window"]
        code = "renewal_overdue" if from_text(window["end"]) <= at else "renewal_suggested"
        more = {"since": window["start"], "reason": code, "source": {"kind": "ari", "url": None}}
        yield Item(
            f"{RENEWAL} {place} {_identity(certificate)} {window['start']} {window['end']}",
            _entry(RENEWAL, sighting, at, **more, window=window, explanation_url=hint.get("explanation_url")),
        )
    if status == "unknown":
        counted = told.unknown.setdefault(place, {"polls": 0, "since": as_text(at)})
        counted["polls"] = min(counted["polls"] + 1, max(unknown_after, 1))
        if 0 < unknown_after <= counted["polls"]:
            more = {"since": counted["since"], "reason": next(iter(sighting.verdict["reasons"]), None), "source": None}
            yield Item(f"{UNKNOWN} {place}", _entry(UNKNOWN, sighting, at, **more))


def _place(sighting: Sighting) -> str:
    return f"{sighting.target.host or ''} {sighting.target.name or ''} {sighting.place}"


def _identity(certificate: Mapping[str, Any]) -> str:
    return str(certificate.get("sha256") or f"{certificate.get('issuer_name')} {certificate.get('serial')}")


def _revocation(verdict: Mapping[str, Any]) -> dict[str, Any]:
    told_by = next((one for one in verdict["evidence"] if one["status"] == "revoked"), None)
    source = {"kind": told_by["source"]["kind"], "url": told_by["source"]["url"]} if told_by else None
    reason = verdict.get("revocation_reason") or next(iter(verdict["reasons"]), None)
    return {"since": verdict.get("revoked_at"), "reason": reason, "source": source}


def _entry(kind: str, sighting: Sighting, at: datetime, **more: Any) -> dict[str, Any]:
    target, certificate, verdict = sighting.target, sighting.certificate or {}, sighting.verdict
    entry = {
        "kind": kind,
        "host": target.host,
        "name": target.name,
        **{name: sighting.where.get(name) for name in ("address", "ip", "port", "server_name", "starttls", "path")},
        **{name: certificate.get(name) for name in ("spki_sha256", "sha256", "not_after")},
        "serial": certificate.get("serial") or target.serial,
        "issuer": target.issuer,
        "issuer_name": certificate.get("issuer_name"),
        "status": verdict["status"],
        "verdict_reasons": list(verdict["reasons"]),
        "detail": str(verdict.get("detail") or "")[:_WORDS],
        # What the verdict rests on; that others say something else is in the report of the run.
        "evidence": [_short(one) for one in verdict["evidence"] if one["status"] == verdict["status"]][:_MOST],
        "seen_at": as_text(at),
        **more,
    }
    return {name: _harmless(value) for name, value in entry.items()}


def _harmless(value: Any) -> Any:
    """Names and URLs in certificates are whatever somebody put there, and rules hand events to playbooks as variables.

    Nothing in them is to be taken for a template, or for more than text by a terminal.
    """
    if isinstance(value, str):
        return _TEMPLATE.sub("{ ", "".join(one if one.isprintable() else "?" for one in value))
    if isinstance(value, Mapping):
        return {name: _harmless(one) for name, one in value.items()}
    return [_harmless(one) for one in value] if isinstance(value, list) else value


def _short(evidence: Mapping[str, Any]) -> dict[str, Any]:
    source = evidence["source"]
    return {"kind": source["kind"], "url": source["url"], **{name: evidence.get(name) for name in _EVIDENCE}}


def _is_due(told: Told, subject: str, at: datetime, repeat_after: float) -> bool:
    known = told.told.get(subject)
    if known is None:
        return True
    if at - from_text(known["seen"]) >= _COARSE:
        known["seen"] = as_text(at)
    return 0 < repeat_after <= (at - from_text(known["at"])).total_seconds()


def _forget(told: Told, at: datetime) -> None:
    """What has not been so for a month: replaced, or no longer watched."""
    for subject in [one for one, known in told.told.items() if at - from_text(known["seen"]) > _FORGET]:
        del told.told[subject]
