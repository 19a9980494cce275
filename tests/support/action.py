# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action plugin run in this process, with Ansible's own task, connection and templar around it.

For what a step does with its rotations. How it meets loops, registered variables and several hosts is for tests that
run ``ansible-playbook``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible_collections.certops.rotation.tests.support.host_module import HostModules


def run_action(
    plugin: type[Any],
    arguments: Mapping[str, Any],
    *,
    check_mode: bool = False,
    task_vars: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the action returns. It must be plain data: it goes through JSON on the way."""
    result = made_action(plugin, arguments, check_mode=check_mode).run(task_vars=dict(task_vars or {}))
    plain: dict[str, Any] = json.loads(json.dumps(result))
    if plain != result:
        raise AssertionError(f"not plain data: {result}")
    return plain


def made_action(plugin: type[Any], arguments: Mapping[str, Any], *, check_mode: bool = False) -> Any:
    """The action, ready to be run."""
    task, context, loader = Task(), PlayContext(), DataLoader()
    task.args, task.action, task.check_mode = dict(arguments), plugin.__module__.rpartition(".")[2], check_mode
    connection = connection_loader.get("local", context, os.devnull)
    return plugin(
        task=task,
        connection=connection,
        play_context=context,
        loader=loader,
        templar=Templar(loader=loader),
        shared_loader_obj=None,
    )


def run_host_action(
    plugin: type[Any],
    arguments: Mapping[str, Any],
    modules: HostModules,
    *,
    check_mode: bool = False,
    host: str = "web1",
) -> dict[str, Any]:
    """The same for an action that executes a module on a host: the real module runs, in a process of its own."""

    class OnThisHost(plugin):
        def _execute_module(
            self, module_name: str, module_args: Mapping[str, Any], task_vars: Mapping[str, Any]
        ) -> dict[str, Any]:
            return modules.run(module_name.rpartition(".")[2], check=check_mode, **module_args)

    OnThisHost.__module__ = plugin.__module__
    options = {"root": str(modules.root), **arguments}
    return run_action(OnThisHost, options, check_mode=check_mode, task_vars={"inventory_hostname": host})
