# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One variable, evaluated for every host by a step that runs once for all of them.

A `run_once` task sees the variables of one host. `hostvars` has those of the others, but only what the inventory, facts
and extra variables say: neither role defaults nor `vars:` of the play or the role. A user who writes
`server_names: ["{{ inventory_hostname }}"]` as a role variable must get each host's own name, so the variables that do
not come from the inventory are taken from the task and evaluated again with each host's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.template import Templar

_REFERENCE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_DEEPEST_REFERENCE = 10
# What the task knows about the host it happens to run for; the others have their own in `hostvars`.
_OF_THE_CURRENT_HOST = frozenset(
    {
        "inventory_hostname",
        "inventory_hostname_short",
        "inventory_dir",
        "inventory_file",
        "group_names",
        "ansible_facts",
    }
)


def host_values(
    action: ActionBase, task_vars: Mapping[str, Any], variable: str, hosts: Sequence[str]
) -> dict[str, Any]:
    """The value of `variable` for each of `hosts`, with the precedence that a task of that host would see."""
    hostvars = task_vars["hostvars"]
    own = _inventory_variables(hostvars, task_vars["inventory_hostname"])
    role = action._task._role
    defaults = role.get_default_vars() if role else {}
    shared = {name: value for name, value in task_vars.items() if not _is_own(name, value, own)}
    return {
        host: _evaluate(action, variable, _variables_of(_inventory_variables(hostvars, host), shared, defaults))
        for host in hosts
    }


def _inventory_variables(hostvars: Any, host: str) -> Mapping[str, Any]:
    variables: Mapping[str, Any] = hostvars.raw_get(host)
    return variables


def _is_own(name: str, value: Any, own: Mapping[str, Any]) -> bool:
    """Does this variable of the task come from the inventory of the host it runs for?"""
    return name in _OF_THE_CURRENT_HOST or (name in own and (own[name] is value or own[name] == value))


def _variables_of(
    inventory: Mapping[str, Any], shared: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The host's own variables below those of play and role, but above role defaults."""
    stronger = {
        name: value
        for name, value in shared.items()
        if not (name in inventory and name in defaults and value == defaults[name])
    }
    return {**inventory, **stronger}


def _evaluate(action: ActionBase, variable: str, variables: Mapping[str, Any]) -> Any:
    templar = Templar(loader=action._loader, variables=variables)
    return templar.template(_dereferenced(variables[variable], variables))


def _dereferenced(value: Any, variables: Mapping[str, Any]) -> Any:
    """``value`` with every mere reference to another variable replaced by what that one holds, itself not evaluated.

    Compiling a template costs more than all else here, and most of them say no more than a variable's name.
    """
    for _depth in range(_DEEPEST_REFERENCE):
        match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if match is None or match[1] not in variables:
            break
        value = variables[match[1]]
    if isinstance(value, Mapping):
        return {key: _dereferenced(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_dereferenced(item, variables) for item in value]
    return value
