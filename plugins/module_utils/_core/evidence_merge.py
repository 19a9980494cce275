# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of an incident's report over several runs: the later tells the state, the evidence of the earlier stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Dict

from ansible_collections.certops.rotation.plugins.module_utils._core.evidence_record import earliest

Entry = Dict[str, Any]

MOST_HISTORY = 10

_DONE = frozenset({"rotated", "repaired", "finished"})
_NOTHING_TO_DO = frozenset({"kept", "undecided"})
# What belongs to one successor; of a try that was given up it would be no evidence for the next.
_OF_THE_SUCCESSOR = ("prepared", "issued", "validated", "installed", "served")
_OF_THE_PREDECESSOR = ("revoked", "visible", "retired")
_STEPS_OF_REVOCATION = ("skipped", "accepted_not_published", "revoked", "already_revoked", "visible")


def merged(earlier: Iterable[Mapping[str, Any]], later: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """All entries of both, one for each certificate on each host, by host and name."""
    entries: dict[tuple[str, str], Entry] = {_key(entry): dict(entry) for entry in earlier}
    found = list(later)
    for entry in found:
        known = entries.get(_key(entry))
        entries[_key(entry)] = dict(entry) if known is None else continued(known, entry)
    _settle_hosts(entries, {_key(entry): entry for entry in found})
    return [entries[key] for key in sorted(entries)]


def continued(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Entry:
    """One entry as a later run of the same incident leaves it."""
    entry = {**later, **_who(earlier, later)}
    entry["before"] = _before(earlier, later)
    is_new_try = _is_new_try(earlier, later)
    if not is_new_try:
        entry["after"] = {name: later["after"].get(name) or earlier["after"].get(name) for name in earlier["after"]}
    entry["times"] = _times(earlier, later, is_new_try)
    _keep_evidence(entry, earlier, later)
    _keep_outcome(entry, earlier, later)
    for name in ("serving", "unseen", "installed"):
        if name not in later and name in earlier:
            entry[name] = earlier[name]
    entry["history"] = _history(earlier, is_new_try)
    return entry


def _settle_hosts(entries: dict[tuple[str, str], Entry], later: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
    """Why a host could not be looked at is history once it was, and its certificates have entries of their own."""
    seen: dict[str, list[Entry]] = {}
    for key in later:
        if not _is_of_whole_host(later[key]):
            seen.setdefault(key[0], []).append(entries[key])
    for key in [key for key in entries if key[0] in seen and key not in later and _is_of_whole_host(entries[key])]:
        said = _history(entries.pop(key), False)
        for entry in seen[key[0]]:
            entry["history"] = _bounded([*said, *(entry.get("history") or ())])


def _is_of_whole_host(entry: Mapping[str, Any]) -> bool:
    """Nothing is known but why nothing is: no certificate was found yet, and none was declared."""
    if not entry.get("error") or entry.get("server_names"):
        return False
    return not any((entry.get(name) or {}).get("serial") for name in ("before", "after"))


def _key(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry.get("host")), str(entry.get("name"))


def is_replaced(entry: Mapping[str, Any]) -> bool:
    """The successor has been proven to be served, by whatever run."""
    return bool(entry.get("proof"))


def _who(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Entry:
    """Wave and run that replaced the certificate; as long as none has, those of the last that tried."""
    first, second = (earlier, later) if is_replaced(earlier) else (later, earlier)
    return {name: found for name in ("wave", "replaced_by") if (found := first.get(name) or second.get(name))}


def _before(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Any:
    """The compromised predecessor: the first that was seen, unless somebody put another into its place before us."""
    known, new = earlier["before"].get("serial"), later["before"].get("serial")
    if known and (not new or is_replaced(earlier) or new == earlier["after"].get("serial")):
        return earlier["before"]
    if known == new and not later["before"].get("verdict"):
        return {**later["before"], "verdict": earlier["before"].get("verdict") or {}}
    return later["before"]


def _is_new_try(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> bool:
    """The later run ordered another successor, because the first never came to be served."""
    known, new = earlier["after"].get("serial"), later["after"].get("serial")
    return bool(known and new and known != new and not is_replaced(earlier))


def _times(earlier: Mapping[str, Any], later: Mapping[str, Any], is_new_try: bool) -> dict[str, str]:
    if later.get("told_by") and is_replaced(earlier):
        # The host's clock is not that of the runs, which have told of it already.
        return {**later["times"], **earlier["times"]}
    given_up = _OF_THE_SUCCESSOR if is_new_try else ()
    kept = {verb: at for verb, at in earlier["times"].items() if verb not in given_up}
    if _is_other_predecessor(earlier, later):
        new = {verb: at for verb, at in later["times"].items() if verb not in _OF_THE_PREDECESSOR}
        return earliest(kept, new)
    return earliest(kept, later["times"])


def _is_other_predecessor(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> bool:
    """The later run replaced the replacement; what became of that is not what the incident is about."""
    known, new = earlier["before"].get("serial"), later["before"].get("serial")
    return bool(is_replaced(earlier) and known and new and known != new)


def _keep_evidence(entry: Entry, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> None:
    for name in ("installation", "proof"):
        if not later.get(name) and earlier.get(name):
            entry[name] = earlier[name]
    if later.get("proof") and earlier.get("proof") and not later["proof"].get("checked"):
        entry["proof"] = earlier["proof"]
    if _is_other_predecessor(earlier, later):
        for name in ("revocation", "retirement"):
            entry.pop(name, None)
            if earlier.get(name):
                entry[name] = earlier[name]
        return
    revocation = _revocation(earlier.get("revocation"), later.get("revocation"))
    if revocation:
        entry["revocation"] = revocation
    retirement = _retirement(earlier.get("retirement"), later.get("retirement"))
    if retirement:
        entry["retirement"] = retirement


def _revocation(earlier: Mapping[str, Any] | None, later: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """How far it has ever been seen to be, and every place in which it was seen."""
    if not earlier or not later or earlier.get("serial") != later.get("serial"):
        found = later or earlier
        return dict(found) if found else None
    furthest = max(later, earlier, key=_step_of)
    places: dict[tuple[Any, Any], Any] = {}
    for place in [*(earlier.get("seen_in") or ()), *(later.get("seen_in") or ())]:
        places.setdefault((place.get("kind"), place.get("url")), place)
    known = {name: earlier.get(name) or later.get(name) for name in ("at", "by")}
    return {**furthest, **known, "seen_in": list(places.values())}


def _step_of(revocation: Mapping[str, Any]) -> int:
    state = revocation.get("state")
    return _STEPS_OF_REVOCATION.index(state) if state in _STEPS_OF_REVOCATION else -1


def _retirement(earlier: Mapping[str, Any] | None, later: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not earlier or not later:
        found = later or earlier
        return dict(found) if found else None
    destroyed = dict.fromkeys([*(earlier.get("destroyed") or ()), *(later.get("destroyed") or ())])
    return {**later, "destroyed": list(destroyed), "at": earlier.get("at") or later.get("at")}


def _keep_outcome(entry: Entry, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> None:
    """Not to be due any more is what becomes of a certificate that was replaced; so is to be finished after a wave."""
    is_going_on = later["outcome"] in ("to_finish", "finished") and not _is_other_predecessor(earlier, later)
    if earlier["outcome"] == "rotated" and is_going_on:
        entry.update(outcome="rotated", decision=earlier["decision"])
        return
    if not is_replaced(earlier) or not (later["outcome"] in _NOTHING_TO_DO or later.get("told_by")):
        return
    entry["outcome"] = earlier["outcome"] if earlier["outcome"] in _DONE else "rotated"
    entry["decision"] = earlier["decision"]
    entry["warnings"] = list(dict.fromkeys([*earlier["warnings"], *later["warnings"]]))
    entry.pop("told_by", None)
    if earlier.get("told_by"):
        entry["told_by"] = earlier["told_by"]


def _history(earlier: Mapping[str, Any], is_new_try: bool) -> list[dict[str, Any]]:
    """What earlier runs said and the entry does not say any more; the newest are kept."""
    said = list(earlier.get("history") or ())
    if earlier.get("error") or is_new_try:
        line: dict[str, Any] = {"run": earlier.get("run"), "outcome": earlier["outcome"]}
        if earlier.get("error"):
            error: Mapping[str, Any] = earlier["error"]
            line["error"] = {name: error.get(name) for name in ("step", "code", "msg", "remedy")}
        if is_new_try:
            line["after"] = earlier["after"].get("serial")
            line["times"] = {verb: at for verb, at in earlier["times"].items() if verb in _OF_THE_SUCCESSOR}
        said.append(line)
    return _bounded(said)


def _bounded(said: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(said[-MOST_HISTORY:])
