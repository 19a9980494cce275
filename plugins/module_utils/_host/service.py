# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web server as a service: test its configuration, reload it, and wait until the reload has had an effect."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.command import run
from ansible_collections.certops.rotation.plugins.module_utils._host.workers import (
    Process,
    children,
    is_called,
    process,
    takes_connections,
)

SERVICE_SPEC: dict[str, Any] = {
    "type": "dict",
    "default": {},
    "options": {
        "kind": {"type": "str", "default": "systemd", "choices": ["systemd", "service", "signal", "command", "none"]},
        "name": {"type": "str", "default": "nginx"},
        "test": {"type": "list", "elements": "str", "default": ["nginx", "-t"]},
        "reload": {"type": "list", "elements": "str", "default": []},
        "pid_file": {"type": "path"},
        "timeout": {"type": "float", "default": 30.0},
    },
}

_NAME = r"[A-Za-z0-9][A-Za-z0-9@._:-]{0,99}"
_DEFAULT_PID_FILE = "/run/nginx.pid"
_POLL = 0.02
_OLD_WORKERS = 2.0  # an old worker with long downloads may stay for hours: do not wait for its end
_LOOK_INTO_LOG = "Look into the service's error log: a reload by signal tells its errors only there."


@dataclass(frozen=True)
class Reload:
    """A reload that had an effect."""

    master_pid: int | None
    new_workers: int
    old_workers_left: int
    seconds: float


class Service:
    """One service on this host, driven in one of four ways, or not at all (``none``)."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.kind: str = options["kind"]
        self.name: str = options["name"]
        self._test: list[str] = options["test"]
        self._reload: list[str] = options["reload"]
        self._pid_file: str | None = options.get("pid_file")
        self._timeout: float = options["timeout"]
        if not re.fullmatch(_NAME, self.name):
            raise RotationError("name_invalid", f"{self.name[:120]!r} is not the name of a service")
        if self.kind == "command" and not self._reload:
            raise RotationError("service_incomplete", "A service of kind command needs the option reload")

    def master(self) -> Process | None:
        """The running master process; None if this kind of service has none to watch.

        RotationError ``service_not_running``: nothing must be switched for a service that could not take it up.
        """
        if self.kind == "none" or (self.kind == "command" and self._pid_file is None):
            return None
        pid = self._systemd_pid() if self.kind == "systemd" and self._pid_file is None else self._pid_from_file()
        found = process(pid) if pid else None
        if found is None:
            if self.kind == "service" and self._pid_file is None:
                return None  # a service that keeps its process number elsewhere: its exit code has to do
            raise self._not_running("has no running process")
        if self.kind in ("signal", "service") and not is_called(found.pid, self.name):
            raise self._not_running(f"is not process {found.pid}, which its pid file names")
        return found

    @property
    def test_command(self) -> list[str]:
        """What tests the configuration; empty if nothing does."""
        return [] if self.kind == "none" else self._test

    def test(self) -> str:
        """Test the configuration; returns its warnings. RotationError ``config_test_failed`` with its own words."""
        if self.kind == "none" or not self._test:
            return ""
        outcome = run(self._test, timeout=self._timeout)
        if outcome.code != 0:
            raise RotationError(
                "config_test_failed",
                f"{self._test[0]} refuses the configuration",
                output=outcome.tail,
                exit_code=outcome.code,
                command=self._test,
            )
        return "\n".join(line for line in outcome.tail.splitlines() if "[warn]" in line)

    def reload(self) -> Reload:
        """Reload and wait for new workers. RotationError ``reload_failed`` or ``reload_without_effect``."""
        started = time.monotonic()
        master = self.master()
        before = children(master) if master is not None else set()
        self._ask_to_reload(master)
        if master is None:
            return Reload(None, 0, 0, round(time.monotonic() - started, 3))
        fresh = self._wait_for_new_workers(master, before, started + self._timeout)
        left = _wait_for_old_workers(before, min(time.monotonic() + _OLD_WORKERS, started + self._timeout))
        return Reload(master.pid, len(fresh), left, round(time.monotonic() - started, 3))

    def _ask_to_reload(self, master: Process | None) -> None:
        if self.kind == "none":
            return
        if self.kind == "signal":
            if master is None:
                raise self._not_running("has no running process")
            os.kill(master.pid, signal.SIGHUP)
            return
        argv = {
            "systemd": ["systemctl", "reload", self.name],
            "service": ["service", self.name, "reload"],
            "command": self._reload,
        }[self.kind]
        outcome = run(argv, timeout=self._timeout)
        if outcome.code != 0:
            raise RotationError(
                "reload_failed",
                f"{argv[0]} failed to reload {self.name}",
                remedy=_LOOK_INTO_LOG,
                output=outcome.tail,
                exit_code=outcome.code,
                command=argv,
            )

    def _wait_for_new_workers(self, master: Process, before: set[Process], deadline: float) -> set[Process]:
        while process(master.pid) == master:
            fresh = children(master) - before
            if fresh:
                return fresh
            if time.monotonic() > deadline:
                raise RotationError(
                    "reload_without_effect",
                    f"{self.name} started no new worker within {self._timeout:g} seconds of the reload",
                    remedy=_LOOK_INTO_LOG,
                    master_pid=master.pid,
                )
            time.sleep(_POLL)
        raise RotationError(
            "reload_failed",
            f"The master process of {self.name} ended at the reload",
            remedy=_LOOK_INTO_LOG,
            master_pid=master.pid,
        )

    def _systemd_pid(self) -> int:
        outcome = run(["systemctl", "show", "-p", "ActiveState", "-p", "MainPID", self.name], timeout=self._timeout)
        shown = dict(line.partition("=")[::2] for line in outcome.output.decode("utf-8", "replace").splitlines())
        if shown.get("ActiveState") not in ("active", "reloading"):
            raise self._not_running("is %s for systemd" % (shown.get("ActiveState") or "unknown"))
        pid = shown.get("MainPID", "0")
        return int(pid) if pid.isdigit() else 0

    def _pid_from_file(self) -> int:
        path = self._pid_file or _DEFAULT_PID_FILE
        try:
            with open(path, "rb") as handle:
                text = handle.read(32).strip()
        except OSError:
            return 0
        return int(text) if text.isdigit() else 0

    def _not_running(self, why: str) -> RotationError:
        return RotationError(
            "service_not_running",
            f"{self.name} {why}",
            kind=self.kind,
            pid_file=self._pid_file,
            remedy="Start it, or say with the option service how it is run; kind none leaves it alone.",
        )


def reload_result(reload: Reload, service: Service, warnings: str) -> dict[str, Any]:
    """The ``reload`` part of a result."""
    return dict(asdict(reload), kind=service.kind, name=service.name, warnings=warnings)


def _wait_for_old_workers(before: set[Process], deadline: float) -> int:
    """How many of the old workers still take connections at the deadline."""
    while True:
        left = sum(1 for worker in before if takes_connections(worker))
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_POLL)
