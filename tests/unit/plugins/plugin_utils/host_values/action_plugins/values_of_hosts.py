"""An action that returns what `host_values` finds, for the test beside it."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.certops.rotation.plugins.plugin_utils.host_values import host_values
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(None, task_vars)
        variables = task_vars or {}
        return {"values": plain(host_values(self, variables, "__request", variables["ansible_play_hosts"]))}
