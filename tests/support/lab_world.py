# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA and vhosts in the lab that this process runs in (`lab.py exec` or `with`), and the playbooks on its hosts.

with LabWorld() as world:
    world.create_ca()
    world.first_certificates()
    world.revoke_all("keyCompromise")
    world.rotate()
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Revocation
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.publisher import Publisher

LAB_INVENTORY = "CERTOPS_LAB_INVENTORY"
LAB = playbook.REPOSITORY / "tests" / "lab" / "lab.py"
VHOSTS = playbook.REPOSITORY / "tests" / "lab" / "playbooks" / "vhosts.yml"
TASKS = playbook.REPOSITORY / "roles" / "rotate" / "tasks"
CALLBACKS = LAB.parent / "callback_plugins"
CA_ADDRESS = "198.18.0.1"
CA_PORT = 8080
# The task files with steps of the control node.
FLEET_STEPS = ("detect", "decide", "settle", "issue", "validate", "verify", "revoke", "confirm", "report")
CHAIN = "etc/certops/shop/live/fullchain.pem"
END = "-----END CERTIFICATE-----\n"


class LabWorld:
    """What a test in the lab needs around the hosts; everything of it lies in a folder that goes with it."""

    def __init__(self, variables: Mapping[str, Any] = MappingProxyType({})) -> None:
        """``variables`` for all hosts, beside and before those that it sets itself."""
        self.given_variables = variables
        self.lab_inventory = Path(os.environ[LAB_INVENTORY])
        lab = yaml.safe_load(self.lab_inventory.read_text())["all"]["children"]["lab"]
        self.hosts: dict[str, dict[str, Any]] = lab["hosts"]

    def __enter__(self) -> LabWorld:
        self.place = Path(tempfile.mkdtemp(prefix="certops-lab-world-"))
        self.published = self.place / "public"
        self.published.mkdir()
        self.issuers = {"internal": {"type": "internal_ca", "directory": str(self.place / "ca")}}
        self.host_variables: dict[str, dict[str, Any]] = {}
        self.inventory = self._write_inventory()
        self.publisher = Publisher(self.published, CA_ADDRESS, CA_PORT).__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.publisher.__exit__(*exc)
        shutil.rmtree(self.place)

    @contextlib.contextmanager
    def ca_unreachable(self) -> Iterator[None]:
        """Nobody reaches what the CA publishes, and the CA itself has moved away."""
        place = Path(self.issuers["internal"]["directory"])
        aside = place.rename(place.with_name("ca-moved-away"))
        self.publisher.__exit__()
        try:
            yield
        finally:
            aside.rename(place)
            self.publisher = Publisher(self.published, CA_ADDRESS, CA_PORT).__enter__()

    def _write_inventory(self) -> Path:
        """A folder of two: the lab's own inventory, and what the roles are to know."""
        folder = self.place / "inventory"
        (folder / "group_vars").mkdir(parents=True)
        (folder / "host_vars").mkdir()
        (folder / "lab.yml").symlink_to(self.lab_inventory)
        self.variables: dict[str, Any] = {
            "rotate_issuers": self.issuers,
            "rotate_report_directory": str(self.place / "reports"),
            "rotate_certificates": [
                {
                    "name": "shop",
                    "server_names": "{{ [lab_fqdn, 'shop.' ~ lab_fqdn] + more_names | default([]) }}",
                    "listeners": [
                        {"address": "{{ lab_ipv4 }}", "port": 443},
                        {"address": "{{ lab_ipv6 }}", "port": 443},
                        {"address": "{{ lab_ipv4 }}", "port": 8443},
                    ],
                }
            ],
            **self.given_variables,
        }
        (folder / "group_vars" / "all.yml").write_text(json.dumps(self.variables))
        return folder

    def play(self, name: str | Path, *arguments: str, **environment: str) -> playbook.Run:
        """Run a playbook on the lab's hosts, 20 at a time over kept connections."""
        return playbook.run(
            name, self.inventory, arguments, cwd=self.place, timeout=600, ANSIBLE_FORKS="20", **environment
        )

    def start(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a playbook on the lab's hosts; the caller ends it."""
        return playbook.start(name, self.inventory, arguments, cwd=self.place, ANSIBLE_FORKS="20", **environment)

    def configure(self, host: str, **variables: Any) -> None:
        """Set variables of one host, beside those it has; None takes one away."""
        known = {**self.host_variables.get(host, {}), **variables}
        self.host_variables[host] = {name: value for name, value in known.items() if value is not None}
        file = self.inventory / "host_vars" / f"{host}.json"
        file.write_text(json.dumps(self.host_variables[host]))

    def create_ca(self, *arguments: str) -> None:
        self.must(self.play(
            "certops.rotation.internal_ca",
            "-e", f"internal_ca_directory={self.issuers['internal']['directory']}",
            "-e", f"internal_ca_base_url=http://ca.lab.test:{CA_PORT}",
            "-e", f"internal_ca_publish_directory={self.published}",
            *arguments,
        ))  # fmt: skip

    def first_certificates(self) -> None:
        """Vhosts without a certificate, and the rotation that brings them one."""
        self.must(self.play(VHOSTS))
        self.rotate(expect_changed=True)

    def rotate(self, *arguments: str, expect_changed: bool | None = None, **environment: str) -> playbook.Run:
        """Rotate; AssertionError unless every host succeeded, and changed or didn't as expected."""
        ended = self.must(self.play("certops.rotation.rotate", *arguments, **environment))
        changed = {host: bool(ended.changed.get(host)) for host in self.hosts}
        if expect_changed is not None and set(changed.values()) != {expect_changed}:
            raise AssertionError(f"changed: {changed}\n{ended.output}")
        return ended

    def ping(self) -> None:
        subprocess.run(
            [playbook.command("ansible"), "all", "-i", str(self.inventory), "-m", "ping", "-f", "20"],
            cwd=self.place, env=playbook.environment(), check=True, capture_output=True,
        )  # fmt: skip

    def revoke_all(self, reason: str = "keyCompromise") -> None:
        """Revoke what is installed on every host."""
        self.revoke(*self.hosts, reason=reason)

    def revoke(self, *hosts: str, reason: str = "keyCompromise") -> None:
        """Revoke what is installed on these hosts."""
        roots = self.roots()
        served = [(roots[host] / CHAIN).read_text().partition(END)[0] + END for host in hosts]
        outcomes = open_issuer("internal", self.issuers).revoke([Revocation(pem, reason) for pem in served])
        refused = [outcome for outcome in outcomes if isinstance(outcome, RotationError)]
        if refused:
            raise AssertionError(refused)

    def roots(self) -> dict[str, Path]:
        """The root file systems of the hosts as their own processes see them, with what is mounted there."""
        found = {host: self.lab_inventory.parent / "hosts" / host / "root" for host in self.hosts}
        for host, pid in re.findall(r"^(\S+) .* on, pid (\d+)", self.lab("status").stdout, re.MULTILINE):
            [first, *_others] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            found[host] = Path(f"/proc/{first}/root")
        return found

    def report(self, place: str = "reports") -> dict[str, Any]:
        """The newest report."""
        report: dict[str, Any] = json.loads((self.place / place / "latest" / "report.json").read_text())
        return report

    @staticmethod
    def at(commands: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Environment that makes a rotation run shell commands before it goes into a step (the name of a task file)."""
        by_task = {_first_step(step): list(of_step) for step, of_step in commands.items()}
        return {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "at_task",
            "AT_TASK": json.dumps(by_task),
        }

    @staticmethod
    def fleet_steps() -> list[str]:
        """The names of a rotation's tasks that run once for all hosts, in their order."""
        steps = [step for name in FLEET_STEPS for step in _tasks(name)]
        return [step["name"] for step in steps if step.get("run_once") and "ansible.builtin.debug" not in step]

    def module_executions(self) -> int:
        """How many module executions the hosts' own journals have seen so far."""
        return sum(self._executions_on(host) for host in self.hosts)

    def _executions_on(self, host: str) -> int:
        count = "journalctl -q --no-pager -o cat | grep -c Invoked || true"
        return int(self.lab("run", host, "--", "sh", "-c", count).stdout)

    def on(self, host: str, script: str) -> str:
        """Run a shell script in a host, without ssh; what it printed."""
        return self.lab("run", host, "--", "sh", "-ec", script).stdout

    @staticmethod
    def lab(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of `lab.py`, on the lab around this process."""
        line = [sys.executable, str(LAB), command, "--quiet", *arguments]
        return subprocess.run(line, check=True, capture_output=True, text=True, timeout=120)

    @staticmethod
    def must(ended: playbook.Run) -> playbook.Run:
        if ended.returncode:
            raise AssertionError(ended.output)
        return ended


def _tasks(step: str) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = yaml.safe_load((TASKS / f"{step}.yml").read_text())
    return tasks


def _first_step(file: str) -> str:
    return next(str(task["name"]) for task in _tasks(file) if any(key.startswith("certops.") for key in task))
