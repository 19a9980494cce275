# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who shares a certificate with whom, and who brings the key: one host's rotation leads, the others' receive.

``rotation["share"]`` is ``{group, role: lead|receiver, lead: host}``. A lead whose key is ``live`` already has its part
behind it, and the others take over its certificate. Else it makes a new key, and the one order of the group is its own.

Appointed with every plan anew, from what is decided and found: nothing about it is remembered anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import canonical
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_pair, live_version
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    Rotation,
    RotationAction,
    action_of,
    active,
)

LEAD, RECEIVER = "lead", "receiver"


def appoint(
    action: RotationAction,
    rotations: Mapping[str, Iterable[Rotation]],
    *,
    settled: bool,
    denied: Collection[str] = (),
) -> None:
    """Give every rotation that is due and shared its part. What was prepared for another part is prepared anew.

    :param settled: hosts were looked at, so that it is known which of them has a key that can be sealed.
    :param denied: keys that must not go anywhere, whatever was decided about the hosts that have them.
    """
    everyone = [one for of_host in rotations.values() for one in of_host if one.get("shared")]
    for rotation in everyone:
        rotation.pop("share", None)
    _refuse_differing(action, everyone)
    for members in _groups(active(everyone)):
        due = [one for one in members if action_of(one) == "rotate"]
        if due:
            _appoint(members, due, settled, [one for one in members if _may_bring(one, denied, action.now())])


def role_of(rotation: Mapping[str, Any]) -> str | None:
    return (rotation.get("share") or {}).get("role")


def is_to_seal(rotation: Mapping[str, Any]) -> bool:
    """A lead with nothing else to do in this run: its key is live, and others are to get it."""
    return not rotation.get("error") and bool((rotation.get("share") or {}).get("is_live"))


def waits_for_key(rotation: Mapping[str, Any]) -> bool:
    """A receiver that has only a one-time key yet."""
    prepared = rotation.get("prepared") or {}
    return role_of(rotation) == RECEIVER and not rotation.get("error") and bool(prepared.get("certificate_pem"))


def receivers_of(lead: Mapping[str, Any], rotations: Iterable[Rotation]) -> list[Rotation]:
    """The rotations that get the lead's key and certificate."""
    if role_of(lead) != LEAD:
        return []
    mine = (lead["share"]["group"], lead["host"])
    return [
        one for one in rotations if role_of(one) == RECEIVER and (one["share"]["group"], one["share"]["lead"]) == mine
    ]


def sealed_version(lead: Mapping[str, Any]) -> dict[str, Any]:
    """``version`` and ``spki_sha256`` of the key that a lead brings; empty if it has none."""
    if (lead.get("share") or {}).get("is_live"):
        found = live_version(lead) or {}
    else:
        found = lead.get("prepared") or {}
    return {name: found[name] for name in ("version", "spki_sha256") if found.get(name)}


def envelope_for(rotation: Rotation, task_vars: Mapping[str, Any], variable: str) -> str:
    """What the lead's task, registered as ``variable``, sealed for this rotation. RotationError ``key_not_sealed``."""
    lead = rotation["share"]["lead"]
    hostvars = task_vars["hostvars"]
    # Raw: registered results are data.
    variables = hostvars.raw_get(lead) if hasattr(hostvars, "raw_get") else hostvars.get(lead)
    registered = (variables or {}).get(variable) or {}
    wanted = (rotation["host"], rotation["name"], rotation["prepared"]["version"])
    for entry in registered.get("sealed") or ():
        if (entry["host"], entry["name"], entry["version"]) == wanted:
            if entry.get("sealed_key_b64"):
                return str(entry["sealed_key_b64"])
            raise _not_sealed(lead, str(entry["error"]["msg"]))
    raise _not_sealed(lead, str(registered.get("msg") or "it was not asked to"))


def _not_sealed(lead: str, why: str) -> RotationError:
    return RotationError(
        "key_not_sealed",
        f"{lead} did not seal the key that this host shares with it: {why}",
        remedy="Nothing was touched. Run the same playbook again; another host leads if this one stays away.",
        lead=lead,
    )


def _may_bring(rotation: Rotation, denied: Collection[str], at: datetime) -> bool:
    """What is kept need not be good: in an emergency, all that it is not about is kept."""
    is_revoked = (rotation.get("verdict") or {}).get("status") == "revoked"
    # What waits for a reload is not what is served, and the verdict is about that.
    if action_of(rotation) == "rotate" or (action_of(rotation) == "keep" and is_revoked):
        return False
    pair = live_pair(rotation)
    keys = {pair.spki_sha256, pair.key_spki_sha256} if pair else {_served_key(rotation)}
    return not keys & set(denied) and (pair is None or pair.not_after > at)


def _appoint(members: list[Rotation], due: list[Rotation], settled: bool, others: list[Rotation]) -> None:
    source = _with_live_key(others, due) if settled else _seen_with_other_key(others, due)
    lead = source or next((one for one in due if (one.get("prepared") or {}).get("csr_pem")), due[0])
    group, spki = members[0]["shared"], None
    if source is not None:
        spki = (live_version(source) or {}).get("spki_sha256") if settled else _served_key(source)
    for rotation in due:
        _give_part(rotation, group, lead, spki)
    if settled and source is not None:
        source["share"] = {"group": group, "role": LEAD, "lead": source["host"], "is_live": True}


def _give_part(rotation: Rotation, group: str, lead: Rotation, spki: str | None) -> None:
    is_lead = rotation is lead
    rotation["share"] = {"group": group, "role": LEAD if is_lead else RECEIVER, "lead": lead["host"]}
    if spki:
        rotation["share"]["spki_sha256"] = spki
    prepared = rotation.get("prepared") or {}
    if is_lead:
        fits = prepared.get("csr_pem")
    else:
        fits = prepared.get("certificate_pem") or (spki and prepared.get("spki_sha256") == spki)
    if prepared and not fits:
        del rotation["prepared"]


def _with_live_key(others: Iterable[Rotation], due: Iterable[Rotation]) -> Rotation | None:
    """The first whose key was made for this group and is live, good, and new to all that are due."""
    replaced = {_key_to_replace(one) for one in due}
    for rotation in active(others, ("keep", "repair", "finish")):
        version, pair = live_version(rotation) or {}, live_pair(rotation)
        was_shared = ((version.get("record") or {}).get("request") or {}).get("shared") == rotation["shared"]
        is_seen = action_of(rotation) != "keep" or _served_key(rotation)
        is_whole = version.get("has_key") and pair is not None and pair.matches_its_key
        if was_shared and is_seen and is_whole and version.get("spki_sha256") not in replaced:
            return rotation
    return None


def _seen_with_other_key(others: Iterable[Rotation], due: Iterable[Rotation]) -> Rotation | None:
    """The same as far as it can be told from outside; whether its key can be sealed is seen on the host."""
    replaced = {_key_to_replace(one) for one in due}
    for rotation in active(others, ("keep",)):
        if _served_key(rotation) and _served_key(rotation) not in replaced:
            return rotation
    return None


def _served_key(rotation: Mapping[str, Any]) -> str | None:
    keys = {entry.get("spki_sha256") for entry in rotation.get("served") or () if entry.get("serial")}
    return str(keys.pop()) if len(keys) == 1 else None


def _key_to_replace(rotation: Mapping[str, Any]) -> str | None:
    return (rotation.get("predecessor") or {}).get("spki_sha256")


def _groups(members: Iterable[Rotation]) -> Iterator[list[Rotation]]:
    """Those that share a name and ask for the same; hosts with one name and other server names are other groups."""
    found: dict[str, list[Rotation]] = {}
    for rotation in members:
        found.setdefault(repr((rotation["shared"], _wanted(rotation))), []).append(rotation)
    return iter(found.values())


def _wanted(rotation: Mapping[str, Any]) -> tuple[Any, ...]:
    names = sorted(canonical(name) for name in rotation.get("server_names") or ())
    key = sorted((rotation.get("key") or {}).items())
    return names, rotation.get("issuer"), key, bool(rotation.get("must_staple"))


def _refuse_differing(action: RotationAction, members: Iterable[Rotation]) -> None:
    """A group with a name of its own is one group, and has one certificate; a host is in it once."""
    first: dict[str, Rotation] = {}
    seen: set[tuple[str, str]] = set()
    for rotation in active(members):
        group, host = rotation["shared"], str(rotation.get("host"))
        leader = first.setdefault(group, rotation)
        differs = group != rotation["name"] and _wanted(rotation) != _wanted(leader)
        if differs or (group, host) in seen:
            action.failing(rotation, _differing(rotation, leader, differs))
        seen.add((group, host))


def _differing(rotation: Rotation, leader: Rotation, differs: bool) -> RotationError:
    if differs:
        text = f"{rotation['name']} is shared as {rotation['shared']} and asks for another certificate than that of"
        text += f" {leader['host']}"
    else:
        text = f"{rotation['host']} has two certificates that are shared as {rotation['shared']}"
    return RotationError(
        "share_differs", text, remedy="Declare the same server_names, issuer, key and must_staple on all its hosts."
    )
