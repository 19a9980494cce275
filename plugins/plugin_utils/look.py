# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look at the host adds to rotations, and the certificates that only the host's nginx knows of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text
from ansible_collections.certops.rotation.plugins.plugin_utils.discovery import discovered
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    HostAction,
    Rotation,
    RotationAction,
    active,
)

# Beyond this, certificates look expired or not yet valid on one side and not on the other.
_TOLERATED_SKEW_SECONDS = 300


class LookingAction(HostAction):
    """A step that looks at the host before anything else."""

    def discover(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        """Fill ``rotations`` with the certificates of the host's nginx."""
        host = str(self.task_vars.get("inventory_hostname"))
        whole_host: Rotation = {"host": host, "name": "nginx", "server_names": [], "listeners": []}
        arguments = {"root": self.options["root"], "nginx_dump": self.options["nginx_dump"]}
        answer = self.run_module(arguments, [whole_host], "certops.rotation.installed_info")
        found: list[Rotation] = []
        vhosts: list[dict[str, Any]] = []
        if answer is not None:
            request = self.options["defaults"] or {}
            try:
                found, vhosts, problems = discovered(answer.pop("nginx"), request, self.options["root"])
            except RotationError as error:
                self.failing(whole_host, error)
                problems = []
            for rotation in found:
                rotation["host"] = host
                add_look(self, rotation, answer)
            for problem in problems:
                self.warn(found[0] if found else whole_host, problem)
            if not found and not whole_host.get("error"):
                self.warn(whole_host, "nginx has no server block with a certificate to take care of")
        rotations.extend(found if not whole_host.get("error") else [whole_host])
        return {"vhosts": vhosts}


def add_look(action: RotationAction, rotation: Rotation, answer: Mapping[str, Any]) -> None:
    """Put what the host module found into the rotation."""
    installed = answer["certificates"].get(rotation["name"])
    if installed is not None:
        error = installed.get("error")
        if error:
            action.failing(rotation, RotationError(error["code"], error["msg"], error.get("remedy") or ""))
        rotation["installed"] = installed
    rotation["resolvers"] = answer.get("resolvers") or []
    skew = abs((from_text(answer["clock"]) - datetime.now(timezone.utc)).total_seconds())
    if skew > _TOLERATED_SKEW_SECONDS:
        action.warn(rotation, f"the clocks of the host and of this machine differ by {skew:.0f} seconds")


def look_only(action: HostAction, rotations: list[Rotation], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Look at the folders of these rotations, and change nothing. What the host answered; empty if it did not."""
    concerned = active(rotations)
    requests = [
        {name: one[name] for name in ("name", "paths") if one.get(name) is not None} | {"action": "look"}
        for one in concerned
    ]
    answer = action.run_module({**arguments, "requests": requests}, concerned, "certops.rotation.key_csr")
    for rotation in concerned if answer is not None else []:
        add_look(action, rotation, answer or {})
    return answer or {}


def require_sound_configuration(
    action: RotationAction, rotations: Iterable[Rotation], tested: Mapping[str, Any] | None
) -> None:
    """Where the server's own test fails, no reload can work: ``config_test_failed`` before anything is touched."""
    if tested is None or tested["ok"]:
        return
    for rotation in rotations:
        error = RotationError(
            "config_test_failed",
            "the server's configuration does not pass its test, although nothing was changed yet",
            remedy="Repair the configuration of the host, and run again; what is served goes on being served.",
            output=tested["warnings"],
        )
        action.failing(rotation, error)
