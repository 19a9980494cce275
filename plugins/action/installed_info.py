# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a host: what is installed for its rotations, or which certificates its nginx serves."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.modules.installed_info import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.modules.key_csr import ARGUMENT_SPEC as KEY_CSR_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import lean_step
from ansible_collections.certops.rotation.plugins.plugin_utils.look import (
    LookingAction,
    look_only,
    require_sound_configuration,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import Rotation


class ActionModule(LookingAction):
    step = "look"
    module_name = "certops.rotation.installed_info"
    argument_spec = ARGUMENT_SPEC
    lean_steps = (lean_step("installed_info", ARGUMENT_SPEC), lean_step("key_csr", KEY_CSR_SPEC))

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        if not rotations:
            return self.discover(rotations) if self.options["nginx_dump"] else None
        # The same command of the module runs either: one prints the configuration it tests, the other only tests it.
        answer = look_only(self, rotations, {"root": self.options["root"], "nginx_dump": self.options["test"]})
        require_sound_configuration(self, rotations, answer.get("nginx"))
        return None
