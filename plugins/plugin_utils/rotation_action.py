# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base classes of the action plugins: one for steps over the whole fleet, one for steps on a host.

Both take rotations, hand a plain deep copy to ``work``, and return it. One failing certificate never stops the others:
its error goes into the rotation, and only what the caller said about ``keep_going`` decides whether the task fails.

Heavy libraries are imported at the top of an action's file: the parent process loads them once, forks inherit them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text
from ansible_collections.certops.rotation.plugins.plugin_utils.collected import collected
from ansible_collections.certops.rotation.plugins.plugin_utils.fewer_collections import fewer_collections
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_execution import lean_answer
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import LeanStep
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import pack, unpack
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain

display = Display()

Rotation = dict[str, Any]

_SHOWN = 2048


class RotationAction(ActionBase):
    """What both kinds of step share: options, failing, warning, the end of the task.

    A subclass names its ``step`` (a verb) and its ``argument_spec`` (that of the documented module of the same name).
    """

    TRANSFERS_FILES = False

    step: ClassVar[str] = ""
    argument_spec: ClassVar[Mapping[str, Any]] = {}

    options: dict[str, Any]
    task_vars: dict[str, Any]
    _started: float = 0.0

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    def now(self) -> datetime:
        """The moment to judge for: the option ``at`` if there is one and it is set, else the clock."""
        at = self.options.get("at")
        return from_text(at) if at else datetime.now(timezone.utc)

    def stamp(self, rotation: Rotation, event: str, moment: datetime | None = None) -> None:
        """Note when ``event`` was (default: now, by the clock) in the rotation's ``times``."""
        rotation.setdefault("times", {})[event] = as_text(moment or datetime.now(timezone.utc))
        self._took(rotation)

    def failing(self, rotation: Rotation, error: RotationError) -> None:
        """Put ``error`` into the rotation, unless an earlier one is there: the first failure is the cause."""
        if not rotation.get("error"):
            rotation["error"] = {"step": self.step, **plain(error.as_result())}
            self._took(rotation)

    def _took(self, rotation: Rotation) -> None:
        """Note how long the step has been at work until it was done with this rotation."""
        rotation.setdefault("seconds", {})[self.step] = round(time.monotonic() - self._started, 3)

    def warn(self, rotation: Rotation, text: str) -> None:
        """Say ``text`` now and keep it for the report; the same warning once only."""
        warnings = rotation.setdefault("warnings", [])
        if text not in warnings:
            warnings.append(text)
            display.warning(f"{label(rotation)}: {self.step}: {text}")

    def validated_options(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The task's options as the module's documentation has them; rotations, which can be many, stay as they are."""
        others = {name: plain(value) for name, value in arguments.items() if name != "rotations"}
        validated = ArgumentSpecValidator(dict(self.argument_spec)).validate(others)
        if validated.error_messages:
            raise RotationError("arguments_invalid", "; ".join(validated.error_messages))
        options: dict[str, Any] = plain(validated.validated_parameters)
        options["rotations"] = arguments.get("rotations")
        return options

    def returned(self, rotations: list[Rotation]) -> Any:
        """The rotations of a host as the result has them."""
        return pack(rotations) if self.options.get("packed") else plain(rotations)

    def finish(self, result: dict[str, Any], rotations: Iterable[Rotation]) -> dict[str, Any]:
        """``result``, failed if this step put errors and may not keep going."""
        failed = [one for one in rotations if (one.get("error") or {}).get("step") == self.step]
        lines = [f"{label(one)}: {self.step}: {one['error']['msg']} ({one['error']['code']})" for one in failed]
        if failed and not self.options.get("keep_going"):
            first = failed[0]["error"]
            result.update(failed=True, msg="\n".join(lines), code=first["code"], remedy=first["remedy"])
            return result
        for line in lines:
            display.warning(line)
        return result


class FleetAction(RotationAction):
    """A step over all hosts in one task: ``rotations`` is ``{host: [rotation]}``. No connection is opened.

    ``work(rotations)`` changes the rotations in place and returns what else the result is to say
    (``{"changed": True, "summary": …}``), or nothing.
    """

    _requires_connection = False

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any] | None:
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(None, task_vars)
        self.task_vars, self._started = task_vars or {}, time.monotonic()
        with fewer_collections():
            return self._done()

    def _done(self) -> dict[str, Any]:
        try:
            self.options = self.validated_options(self._task.args)
            rotations = by_host(self.given_rotations())
            if self.options.get("collect"):
                rotations = by_host(collected(rotations, self.task_vars, self.options["collect"]))
            result = {"changed": False, **plain(self.work(rotations) or {})}
        except RotationError as error:
            return {"failed": True, "changed": False, **plain(error.as_result())}
        result["rotations"] = {host: self.returned(of_host) for host, of_host in rotations.items()}
        return self.finish(result, [one for of_host in rotations.values() for one in of_host])

    def given_rotations(self) -> dict[str, list[Rotation]]:
        """Where the rotations come from: the option of that name, unless a step makes them."""
        given = self.options.get("rotations") or {}
        if not isinstance(given, Mapping):
            raise RotationError("arguments_invalid", "rotations must be a dictionary with the hosts' lists.")
        return {str.__str__(host): unpack(of_host) for host, of_host in given.items()}

    def active(
        self, rotations: Mapping[str, Iterable[Rotation]], actions: Collection[str] | None = None
    ) -> Iterator[Rotation]:
        """Rotations of all hosts that have no error, and whose decision is one of ``actions`` if those are given."""
        for of_host in rotations.values():
            yield from active(of_host, actions)


class HostAction(RotationAction):
    """A step on one host: ``rotations`` is the list of that host's, ``module_name`` what is executed there, once.

    Without ``rotations`` the options go to the module as they are. ``work(rotations)`` calls ``run_module`` as often as
    it must (once, typically) and returns what else the result is to say, or nothing. When it has nothing to ask of the
    host it doesn't call ``run_module``, and then no connection is opened.
    """

    module_name: ClassVar[str] = ""
    # Modules that may be run without Ansible's wrapper around them.
    lean_steps: ClassVar[tuple[LeanStep, ...]] = ()
    # Any of these makes a step of the module.
    step_options: ClassVar[tuple[str, ...]] = ("rotations",)
    _reported: dict[str, Any]

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(None, task_vars)
        self.task_vars, self._started = task_vars or {}, time.monotonic()
        self._reported = {}
        arguments = self._task.args
        if not any(arguments.get(option) is not None for option in self.step_options):
            return self.pass_through(plain(arguments))
        try:
            self.options = self.validated_options(arguments)
            rotations = with_host(self.given_rotations(), self.task_vars.get("inventory_hostname"))
            extra = self.work(rotations) or {}
        except RotationError as error:
            return {"changed": False, **self._reported, "failed": True, **plain(error.as_result())}
        result = {"changed": False, **self._reported, **plain(extra), "rotations": self.returned(rotations)}
        return self.finish(result, rotations)

    def given_rotations(self) -> list[Rotation]:
        """Where the rotations come from: the option of that name, unless a step makes them."""
        given: list[Rotation] = unpack(self.options.get("rotations") or [])
        return given

    def module_options(self, *names: str) -> dict[str, Any]:
        """Those of the step's options that the module on the host has too, as far as they were given."""
        return {name: self.options[name] for name in names if self.options.get(name) is not None}

    def pass_through(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Use as an ordinary module, with plain options."""
        for name in ("keep_going", "packed", *self.step_options):
            arguments.pop(name, None)
        result: dict[str, Any] = self._execute_module(
            module_name=self.module_name, module_args=arguments, task_vars=self.task_vars
        )
        return result

    def run_module(
        self, arguments: Mapping[str, Any], concerned: Iterable[Rotation], module_name: str = ""
    ) -> dict[str, Any] | None:
        """Execute the module once. None if that failed; then each rotation concerned carries the error.

        Without ``keep_going`` an unreachable host stays what Ansible knows as one.
        """
        try:
            answer = self._executed(module_name or self.module_name, arguments)
        except AnsibleConnectionFailure as exc:
            if not self.options.get("keep_going"):
                raise
            error = unreachable(exc)
        except AnsibleError as exc:
            # Ansible itself gave up before the module ran: no room or right for its temporary directory, no Python.
            error = RotationError("host_failed", f"The module could not be run: {exc}")
        else:
            self._note(answer)
            if not answer.get("failed") and not answer.get("unreachable"):
                return {key: plain(answer[key]) for key in answer if key not in self._reported}
            error = unreachable(answer.get("msg", "")) if answer.get("unreachable") else module_failure(answer)
        for rotation in concerned:
            self.failing(rotation, error)
        return None

    def _executed(self, module_name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        for step in self.lean_steps:
            if module_name.rpartition(".")[2] == step.module:
                answer = lean_answer(self, step, arguments, self.task_vars)
                if answer is not None:
                    return answer
        executed: dict[str, Any] = self._execute_module(
            module_name=module_name, module_args=dict(arguments), task_vars=self.task_vars
        )
        return executed

    def _note(self, answer: Mapping[str, Any]) -> None:
        """Keep what Ansible wants to see of a module's answer: the diff, warnings, and the interpreter it discovered
        (without which each later task would search for one again)."""
        for key in ("diff", "warnings", "deprecations", "ansible_facts"):
            if answer.get(key):
                self._reported[key] = plain(answer[key]) if key in ("diff", "ansible_facts") else answer[key]
        if answer.get("changed"):
            self._reported["changed"] = True


def active(rotations: Iterable[Rotation], actions: Collection[str] | None = None) -> list[Rotation]:
    """Rotations without an error, and whose decision is one of ``actions`` if those are given."""
    return [one for one in rotations if not one.get("error") and (actions is None or action_of(one) in actions)]


def action_of(rotation: Rotation) -> str | None:
    """What was decided, None before that."""
    return (rotation.get("decision") or {}).get("action")


def label(rotation: Rotation) -> str:
    """How a rotation is called in messages."""
    return f"{rotation.get('host', '?')}/{rotation.get('name', '?')}"


def by_host(rotations: Mapping[str, Any]) -> dict[str, list[Rotation]]:
    """Rotations of the fleet, each knowing its host. RotationError ``arguments_invalid``."""
    for host, of_host in rotations.items():
        if not isinstance(of_host, list) or not all(isinstance(one, dict) for one in of_host):
            raise RotationError("arguments_invalid", f"rotations[{host!r}] must be a list of dictionaries.", host=host)
    return {host: with_host(of_host, host) for host, of_host in rotations.items()}


def with_host(rotations: list[Rotation], host: str | None) -> list[Rotation]:
    """The same rotations, each knowing its host."""
    for rotation in rotations:
        if host and not rotation.get("host"):
            rotation["host"] = str.__str__(host)
    return rotations


def unreachable(reason: object) -> RotationError:
    return RotationError(
        "host_unreachable",
        f"The host cannot be reached: {reason}",
        remedy="Bring the host back and run the same playbook again; it goes on where this run stopped.",
    )


def module_failure(answer: Mapping[str, Any]) -> RotationError:
    """The error that a failed module answered with."""
    facts = answer.get("facts") or {}
    if not answer.get("code"):
        if "module_stderr" in answer or "module_stdout" in answer:
            return no_answer(answer)
        facts = {key: answer[key] for key in ("rc", "exception") if answer.get(key)}
    # Set one by one: a fact may have the name of a parameter of RotationError.
    error = RotationError(answer.get("code") or "host_failed", answer.get("msg") or "The module failed.")
    error.remedy = answer.get("remedy") or ""
    error.facts = dict(facts)
    return error


def no_answer(done: Mapping[str, Any]) -> RotationError:
    """What the host's Python, or the shell in its place, said instead of an answer."""
    errors, output = (str(done.get(key) or "")[-_SHOWN:].strip() for key in ("module_stderr", "module_stdout"))
    said = (errors or output).rpartition("\n")[2]
    return RotationError(
        "host_failed",
        f"The host's Python gave no answer (exit code {done.get('rc')}): {said or 'it said nothing'}",
        remedy="Look at the facts; ansible_python_interpreter must name a Python (3.8 or newer) that the host can run.",
        rc=done.get("rc"),
        module_stderr=errors,
        module_stdout=output,
    )
