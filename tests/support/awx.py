# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: by ansible-runner, each with an inventory of its own, from the templates in extensions/awx.

    awx = Awx(fleet)
    check = awx.run("certops check", workflow="certops rotation with approval")
    slices = awx.slices("certops rotate", 2, after=[check])
    [slice.status for slice in slices]        # ["successful", "successful"]

What AWX does around ansible-runner is done here as its sources do it: how hosts are dealt to slices, which variables a
job gets, and that artifacts of the jobs before one are variables of it.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ansible_runner  # type: ignore[import-untyped]
import yaml
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet

DATA = playbook.REPOSITORY / "extensions" / "awx" / "data"
FILES = ("defaults", "job_templates", "schedules", "workflow", "credential_types")

_VARIABLE = re.compile(r"{{ (\w+)(?: \| (?:int|bool))? }}")


class _Loader(yaml.SafeLoader):
    """Knows ``!unsafe``, which keeps Ansible from evaluating what AWX is to evaluate."""


class _Kept(str):
    """A text to be left as it is."""


def _kept(loader: yaml.SafeLoader, node: Any) -> _Kept:
    return _Kept(loader.construct_scalar(node))


_Loader.add_constructor("!unsafe", _kept)


def loaded_data(**given: Any) -> dict[str, Any]:
    """The data as load.yml has it, with ``given`` extra variables."""
    texts = [(DATA / f"{name}.yml").read_text() for name in FILES]
    merged = {name: value for text in texts for name, value in yaml.load(text, _Loader).items()} | given
    resolved: dict[str, Any] = _resolved(merged, merged)
    return resolved


def _resolved(value: Any, variables: Mapping[str, Any]) -> Any:
    """The few expressions that are evaluated when the data is loaded."""
    if isinstance(value, dict):
        return {name: _resolved(one, variables) for name, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, variables) for one in value]
    if isinstance(value, _Kept) or not isinstance(value, str):
        return value
    whole = _VARIABLE.fullmatch(value)
    return variables[whole[1]] if whole else _VARIABLE.sub(lambda one: str(variables[one[1]]), value)


@dataclasses.dataclass
class Job:
    """One run of ansible-runner: what AWX would keep of it."""

    folder: Path
    runner: Any
    thread: threading.Thread
    events: list[dict[str, Any]]
    stop: threading.Event

    def end(self, seconds: float = 300) -> Job:
        self.thread.join(seconds)
        if self.thread.is_alive():
            self.stop.set()
            self.thread.join(30)
            raise AssertionError(f"the job did not end: {self.output}")
        return self

    @property
    def status(self) -> str:
        return str(self.runner.status)

    @property
    def rc(self) -> int:
        return int(self.runner.rc)

    @property
    def output(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("artifacts/*/stdout"))

    @property
    def artifacts(self) -> dict[str, Any]:
        """What set_stats left, where AWX reads it: in the last event."""
        found: dict[str, Any] = {}
        for event in self.events:
            found |= (event.get("event_data") or {}).get("artifact_data") or {}
        return found

    def tasks(self) -> set[str]:
        """Names of tasks that hosts have come through."""
        return {event["event_data"]["task"] for event in self.events if event["event"] == "runner_on_ok"}


class Awx:
    """Runs templates on the hosts of a fleet. All jobs share one folder of the control node."""

    def __init__(self, fleet: LocalFleet, **extra_vars: Any) -> None:
        self.fleet, self.extra_vars = fleet, extra_vars
        self.shared = fleet.place / "shared"
        data = loaded_data(certops_awx_directory=str(self.shared))
        self.common = data["__certops_awx_common"]
        self.templates = {one["name"]: one for one in data["certops_awx_job_templates"]}
        self._numbers = itertools.count(101)
        self.jobs: list[Job] = []

    def run(self, name: str, **more: Any) -> Job:
        return self.start(name, **more).end()

    def slices(self, name: str, count: int, *, workflow_job: int = 43, **more: Any) -> list[Job]:
        """All at once. The workflow job of slices has the name of their template."""
        started = [
            self.start(name, part=(number, count), workflow=name, workflow_job=workflow_job, **more)
            for number in range(1, count + 1)
        ]
        return [job.end() for job in started]

    def start(
        self,
        name: str,
        *,
        answers: Mapping[str, Any] | None = None,
        part: tuple[int, int] = (1, 1),
        workflow: str = "",
        workflow_job: int = 41,
        after: Sequence[Job] = (),
        cancel: Callable[[dict[str, Any]], bool] | None = None,
    ) -> Job:
        """:param cancel: whether an event is the one at which somebody presses the button."""
        number = next(self._numbers)
        folder = self.fleet.place / "jobs" / str(number)
        (folder / "project").mkdir(parents=True)
        artifacts = {key: value for job in after for key, value in job.artifacts.items()}
        variables = {
            **self.common,
            **self.extra_vars,
            **self.templates[name]["extra_vars"],
            **(answers or {}),
            **artifacts,
            **_meta_variables(number, name, workflow, workflow_job),
        }
        stop, events = threading.Event(), list[dict[str, Any]]()

        def keep(event: dict[str, Any]) -> bool:
            events.append(event)
            if cancel and cancel(event):
                stop.set()
            return True

        thread, runner = ansible_runner.run_async(
            private_data_dir=str(folder),
            ident=str(number),
            playbook=str(playbook.REPOSITORY / self.templates[name]["playbook"]),
            inventory=str(self._inventory(folder, *part)),
            extravars=variables,
            envvars=_environment(),
            event_handler=keep,
            cancel_callback=stop.is_set,
            quiet=True,
        )
        job = Job(folder, runner, thread, events, stop)
        self.jobs.append(job)
        return job

    def _inventory(self, folder: Path, number: int, count: int) -> Path:
        """Hosts in the order of their names, dealt like cards. A slice knows of no others."""
        whole = json.loads(self.fleet.inventory().read_text())["all"]
        dealt = sorted(whole["hosts"])[number - 1 :: count]
        hosts = {host: whole["hosts"][host] for host in dealt}
        return playbook.write_inventory(folder / "hosts.yml", hosts, whole["vars"])

    def written(self) -> Iterable[Path]:
        """Everything that is kept of all jobs: events, output, artifacts, variables."""
        return [path for job in self.jobs for path in job.folder.rglob("*") if path.is_file()]


def _meta_variables(number: int, name: str, workflow: str, workflow_job: int) -> dict[str, Any]:
    """What AWX tells each job of itself."""
    told: dict[str, Any] = {"job_id": number, "job_template_name": name}
    if workflow:
        told |= {"workflow_job_id": workflow_job, "workflow_job_name": workflow}
    return {f"{prefix}_{key}": value for prefix in ("awx", "tower") for key, value in told.items()}


def _environment() -> dict[str, str]:
    own = {
        key: value
        for key, value in playbook.environment().items()
        if key not in os.environ or key.startswith("ANSIBLE")
    }
    programs = str(Path(sys.executable).parent)
    return {**own, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
