# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each host registered in a step of its own, for a step that runs once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.plugin_utils.packing import unpack
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain

Rotations = dict[str, list[dict[str, Any]]]


def collected(rotations: Rotations, task_vars: Mapping[str, Any], variable: str) -> Rotations:
    """``rotations``, those of each host replaced by what it registered as ``variable``, if it did.

    A host whose step failed without an answer gets its error into its rotations. What is left over from another run of
    the same role in the same play (the times of detection differ) is not taken.
    """
    # With `serial`, the hosts of earlier batches have registered something too, and that is done with.
    others = task_vars.get("ansible_play_batch" if rotations else "ansible_play_hosts_all")
    hosts = dict.fromkeys([*rotations, *map(str, others or ())])
    found = {host: _of_host(rotations.get(host, []), _registered(task_vars, host, variable)) for host in hosts}
    return {host: of_host for host, of_host in found.items() if of_host or host in rotations}


def _registered(task_vars: Mapping[str, Any], host: str, variable: str) -> Mapping[str, Any]:
    # Raw: registered results are data, and evaluating all of hostvars would cost more than the step itself.
    hostvars = task_vars["hostvars"]
    variables = hostvars.raw_get(host) if hasattr(hostvars, "raw_get") else hostvars.get(host)
    registered = variables.get(variable) if isinstance(variables, Mapping) else None
    return registered if isinstance(registered, Mapping) else {}


def _of_host(given: list[dict[str, Any]], registered: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = registered.get("rotations")
    if isinstance(found, (list, str)):
        rotations: list[dict[str, Any]] = unpack(found)
        return rotations if _continues(given, rotations) else given
    if registered.get("failed") or registered.get("unreachable"):
        for rotation in given:
            if not rotation.get("error"):
                rotation["error"] = _failure(registered)
    return given


def _continues(given: list[dict[str, Any]], found: list[dict[str, Any]]) -> bool:
    detected = {one.get("name"): (one.get("times") or {}).get("detected") for one in given}
    return all(detected.get(one.get("name")) in (None, (one.get("times") or {}).get("detected")) for one in found)


def _failure(registered: Mapping[str, Any]) -> dict[str, Any]:
    unreachable = bool(registered.get("unreachable"))
    return {
        "step": "host",
        "code": "host_unreachable" if unreachable else str(plain(registered.get("code")) or "host_failed"),
        "msg": str(plain(registered.get("msg")) or "The step on the host failed."),
        "remedy": str(plain(registered.get("remedy")) or ""),
        "facts": {},
    }
