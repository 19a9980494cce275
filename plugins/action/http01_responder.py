# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the answers to an order's challenges into the host's web root, or take them away again."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.modules.http01_responder import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import HostAction, Rotation, active


class ActionModule(HostAction):
    """Marks each of ``challenges`` as ``placed``; with ``withdraw``, removes the files whatever became of the order."""

    step = "issue"
    module_name = "certops.rotation.http01_responder"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        if self.options["withdraw"]:
            self._withdraw([one for one in rotations if one.get("challenges")])
            return None
        concerned = [one for one in active(rotations) if one.get("challenges")]
        if concerned and self._on_host(concerned, concerned) is not None:
            for rotation in concerned:
                for challenge in rotation["challenges"]:
                    challenge["placed"] = True
        return None

    def _withdraw(self, rotations: list[Rotation]) -> None:
        # The certificate is there by then, or the order has its own error: what is left over is only worth a word.
        if rotations and self._on_host(rotations, []) is None:
            for rotation in rotations:
                self.warn(rotation, "the files that answered the challenges could not be removed from the web root")
        for rotation in rotations:
            del rotation["challenges"]

    def _on_host(self, rotations: list[Rotation], concerned: list[Rotation]) -> dict[str, Any] | None:
        tokens = [
            {name: challenge[name] for name in ("directory", "token", "content")}
            for rotation in rotations
            for challenge in rotation["challenges"]
        ]
        arguments = {**self.module_options("root", "files", "withdraw"), "tokens": tokens}
        return self.run_module(arguments, concerned)
