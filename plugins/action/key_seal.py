# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a lead seal its keys for the hosts that wait for them: one execution for all of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.modules.key_seal import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.collected import collected
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import lean_step
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import unpack
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    HostAction,
    Rotation,
    active,
    by_host,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.sharing import (
    receivers_of,
    sealed_version,
    waits_for_key,
)

_PASSED_ON = ("root", "lock_timeout", "openssl")


class ActionModule(HostAction):
    """Returns ``sealed``. A key that is not sealed is no error of the lead, whose own installation goes on."""

    step = "share"
    module_name = "certops.rotation.key_seal"
    argument_spec = ARGUMENT_SPEC
    lean_steps = (lean_step("key_seal", ARGUMENT_SPEC),)
    step_options = ("rotations", "receivers", "collect")

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        everyone = self._everyone()
        seals = [
            (lead, [one for one in receivers_of(lead, everyone) if waits_for_key(one)])
            for lead in active(rotations)
            if sealed_version(lead)
        ]
        seals = [(lead, waiting) for lead, waiting in seals if waiting]
        if not seals or self.check_mode:
            return {"sealed": []}
        arguments = {**self.module_options(*_PASSED_ON), "seals": [_request(*seal) for seal in seals]}
        # The lead's own rotations stay as they are: probes take the error, if the host cannot be reached any more.
        probes: list[Rotation] = [{"host": lead.get("host"), "name": lead["name"]} for lead, _waiting in seals]
        answer = self.run_module(arguments, probes)
        answers = answer["sealed"] if answer is not None else [{"error": probe["error"]} for probe in probes]
        return {
            "sealed": [
                one
                for (_lead, waiting), answer in zip(seals, answers, strict=True)
                for one in _envelopes(waiting, answer)
            ]
        }

    def _everyone(self) -> list[Rotation]:
        given = self.options["receivers"]
        fleet = by_host({str.__str__(host): unpack(of_host) for host, of_host in given.items()})
        if self.options.get("collect"):
            fleet = by_host(collected(fleet, self.task_vars, self.options["collect"]))
        return [one for of_host in fleet.values() for one in of_host]


def _request(lead: Rotation, waiting: Sequence[Rotation]) -> dict[str, Any]:
    return {
        "name": lead["name"],
        **sealed_version(lead),
        "shared": lead["share"]["group"],
        "certificates": [one["prepared"]["certificate_pem"] for one in waiting],
    }


def _envelopes(waiting: Sequence[Rotation], answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each that waits, its envelope or why there is none."""
    found: list[dict[str, Any]] = []
    for number, rotation in enumerate(waiting):
        entry = {"host": rotation["host"], "name": rotation["name"], "version": rotation["prepared"]["version"]}
        if answer.get("error"):
            entry["error"] = {name: answer["error"].get(name) for name in ("code", "msg", "remedy")}
        else:
            entry["sealed_key_b64"] = answer["envelopes_b64"][number]
        found.append(entry)
    return found
