# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the host, and have it make keys and requests for what is due: one execution for all its certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.modules.installed_info import ARGUMENT_SPEC as LOOK_SPEC
from ansible_collections.certops.rotation.plugins.modules.key_csr import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.http01 import Http01Setup
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import lean_step
from ansible_collections.certops.rotation.plugins.plugin_utils.look import LookingAction, add_look
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import Rotation, action_of, active
from ansible_collections.certops.rotation.plugins.plugin_utils.sharing import RECEIVER, role_of

_OF_THE_REQUEST = ("name", "server_names", "key", "must_staple", "paths", "shared")
_PASSED_ON = ("root", "files", "lock_timeout", "openssl", "deny_list")


class ActionModule(LookingAction):
    step = "prepare"
    module_name = "certops.rotation.key_csr"
    argument_spec = ARGUMENT_SPEC
    lean_steps = (lean_step("key_csr", ARGUMENT_SPEC), lean_step("installed_info", LOOK_SPEC))

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        if not rotations and self.options["nginx_dump"]:
            return self.discover(rotations)
        concerned = active(rotations)
        if self.options["late"]:
            concerned = [one for one in concerned if self._is_due(one)]
        if not concerned:
            return None
        http01 = Http01Setup(self, [one for one in concerned if self._is_due(one)])
        concerned = active(concerned)
        arguments = self._arguments(concerned)
        if http01.nginx_dump:
            arguments["nginx_dump"] = http01.nginx_dump
        answer = self.run_module(arguments, concerned) if concerned else None
        if answer is None:
            return None
        for rotation in active(concerned):
            add_look(self, rotation, answer)
            self._add_prepared(rotation, answer["prepared"].get(rotation["name"]))
        http01.carry_out(answer.get("nginx"))
        return None

    def pass_through(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Issuers may hold secrets, and are nothing for a host."""
        return super().pass_through({name: arguments[name] for name in arguments if name not in ("issuers", "http01")})

    def _is_due(self, rotation: Rotation) -> bool:
        return action_of(rotation) == "rotate" and not rotation.get("prepared")

    def _arguments(self, rotations: list[Rotation]) -> dict[str, Any]:
        passed_on = {name: self.options[name] for name in _PASSED_ON if self.options.get(name) is not None}
        return {**passed_on, "requests": [self._request(rotation) for rotation in rotations]}

    def _request(self, rotation: Rotation) -> dict[str, Any]:
        request = {name: rotation[name] for name in _OF_THE_REQUEST if rotation.get(name) is not None}
        request["action"] = "rotate" if self._is_due(rotation) else "look"
        request["premise"] = (rotation.get("decision") or {}).get("premise") or {}
        if role_of(rotation) == RECEIVER:
            request.update(receive=True, spki_sha256=rotation["share"].get("spki_sha256"))
        if self.options["resume_within"] is not None:
            request["resume_within"] = self.options["resume_within"]
        return request

    def _add_prepared(self, rotation: Rotation, prepared: Mapping[str, Any] | None) -> None:
        if prepared is None:
            return
        error = prepared.get("error")
        if error and error["code"] == "premise_failed" and not self.options["late"]:
            return  # the look shows what is there instead, and the plan is settled with it
        if error:
            self.failing(rotation, RotationError(error["code"], error["msg"], error.get("remedy") or ""))
        elif prepared.get("version"):
            rotation["prepared"] = dict(prepared)
            self.stamp(rotation, "prepared")
