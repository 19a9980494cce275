# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a host step without Ansible's wrapper around a module, where that comes to the same (decision 0007)."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from ansible import constants as C  # noqa: N812 - its name everywhere in Ansible
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import LeanStep
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain

display = Display()

_INTERPRETER = re.compile(r"/[A-Za-z0-9_./+-]+")
_TO_DISCOVER = ("", "auto", "auto_legacy", "auto_silent", "auto_legacy_silent")
_LOGGED = 1000


def lean_answer(
    action: ActionBase, step: LeanStep, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the module would have answered; None where only Ansible's own way of running it will do.

    Raises what ``_execute_module`` raises: AnsibleConnectionFailure, AnsibleError.
    """
    interpreter = _interpreter(action, task_vars) if _is_direct(action) else None
    parameters = _parameters(step, arguments) if interpreter else None
    environment = _environment(action) if parameters is not None else None
    if interpreter is None or parameters is None or environment is None:
        return None
    display.vvv(f"Lean execution of {step.module} by {interpreter}")
    mark = f"certops-{secrets.token_hex(8)} "
    request = {
        "mark": mark,
        "params": parameters,
        "check_mode": bool(action._task.check_mode),
        "log": _log_entry(action, step, parameters, task_vars),
    }
    done = action._low_level_execute_command(step.command(interpreter, environment), in_data=step.input(request))
    return _answer(done, mark)


def _is_direct(action: ActionBase) -> bool:
    """Whether what a POSIX shell on the host itself is given on standard input reaches the program that it starts."""
    connection, task = action._connection, action._task
    return (
        not task.async_val
        and not task.delegate_to
        and getattr(connection._shell, "SHELL_FAMILY", None) == "sh"
        and not getattr(connection, "_remote_is_local", False)
        and bool(action._is_pipelining_enabled("new", False))
    )


def _interpreter(action: ActionBase, task_vars: Mapping[str, Any]) -> str | None:
    """The host's Python, if that is known without asking the host."""
    configured = C.config.get_config_value("INTERPRETER_PYTHON", variables=task_vars)
    found = action._templar.template(configured)
    if found in (None, *_TO_DISCOVER):
        found = (task_vars.get("ansible_facts") or {}).get("discovered_interpreter_python")
    return str(found) if isinstance(found, str) and _INTERPRETER.fullmatch(found) else None


def _environment(action: ActionBase) -> str | None:
    """The task's environment for the shell; None if it is meant for Python, which ours passes over."""
    variables: dict[str, Any] = {}
    prefix = str(action._compute_environment_string(variables))
    return None if any(name.startswith("PYTHON") for name in variables) else prefix


def _parameters(step: LeanStep, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments as the module would see them; None if the host has a say in that, or if they are wrong."""
    given = plain(arguments)
    if any("~" in path or "$" in path for path in _paths(step.argument_spec, given)):
        return None
    validated = ArgumentSpecValidator(dict(step.argument_spec)).validate(given)
    if validated.error_messages:
        return None
    parameters: dict[str, Any] = plain(validated.validated_parameters)
    return parameters


def _paths(spec: Mapping[str, Any], given: Any) -> Iterator[str]:
    """Values of options that are paths, in which the host's user and environment may be meant."""
    for name, option in spec.items():
        value = given.get(name) if isinstance(given, Mapping) else None
        for each in value if isinstance(value, list) else [value]:
            if "path" in (option.get("type"), option.get("elements")) and isinstance(each, str):
                yield each
            elif option.get("options"):
                yield from _paths(option["options"], each)


def _log_entry(
    action: ActionBase, step: LeanStep, parameters: Mapping[str, Any], task_vars: Mapping[str, Any]
) -> dict[str, str] | None:
    """A line for the host's log, as a module writes one, under the same conditions."""
    if action._task.no_log or C.config.get_config_value("DEFAULT_NO_TARGET_SYSLOG", variables=task_vars):
        return None
    entries = [one for value in parameters.values() if isinstance(value, list) for one in value]
    names = sorted({one["name"] for one in entries if isinstance(one, dict) and one.get("name")})
    message = "Invoked with " + json.dumps({"root": parameters.get("root"), "names": names})
    about = C.config.get_config_value("TARGET_LOG_INFO", variables=task_vars)
    return {
        "name": f"ansible-certops.rotation.{step.module}",
        "facility": str(task_vars.get("ansible_syslog_facility", C.DEFAULT_SYSLOG_FACILITY)),
        "message": (f"{about} {message}" if about else message)[:_LOGGED],
    }


def _answer(done: Mapping[str, Any], mark: str) -> dict[str, Any]:
    """What stands behind the mark; without one, what was said instead, under the names that Ansible uses."""
    _before, found, after = str(done["stdout"]).partition("\n" + mark)
    if found:
        try:
            answer: dict[str, Any] = json.loads(after.partition("\n")[0])
            return answer
        except ValueError:
            pass  # cut off
    return {"failed": True, "rc": done["rc"], "module_stdout": done["stdout"], "module_stderr": done["stderr"]}
