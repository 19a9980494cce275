# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet of the guides on loopback: web1, web2 and api1, a CA, and every path of the guides below one folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import shlex
import shutil
import subprocess
import termios
import time
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.kill import kill
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.nginx import free_port

HOSTS = ("web1", "web2", "api1")
_LONGEST = 120.0
Server = TypeVar("Server")


class GuideWorld(LocalFleet):
    """Commands run as they stand in a guide, from a folder that has the files they name."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.reports = place / "certops-reports"
        self.instead: dict[str, str] = {}
        """What stands in the guides, and what is there in its place."""
        self.memory: dict[str, Any] = {}
        """What one command left for the next."""
        self._until_end = contextlib.ExitStack()

    def __enter__(self) -> GuideWorld:
        super().__enter__()
        for folder in ("root", "textfile"):
            (self.place / folder).mkdir()
        # Nobody has these folders to give away, and no name of example.org leads here.
        self.instead = {
            "/srv/ca": str(self.place / "ca"),
            "/srv/www/pki": str(self.published),
            "/root/": f"{self.place}/root/",
            "/var/lib/node_exporter/textfile": str(self.place / "textfile"),
            "http://pki.example.org": self.publisher.url,
            "http://ca.example.org": self.publisher.url,
        }
        self.variables.update(rotate_report_directory=str(self.reports), emergency_max_fail_percentage=0)
        self._write_inventory({})
        return self

    def __exit__(self, *exc: object) -> None:
        self._until_end.close()
        super().__exit__(*exc)

    def until_end(self, server: contextlib.AbstractContextManager[Server]) -> Server:
        """Started now, ended with the world."""
        return self._until_end.enter_context(server)

    def serve(self) -> None:
        self.start(HOSTS)
        for host in HOSTS:
            nginx = self.fleet[host]
            self.host_variables[host] = {
                "rotate_nginx_dump": [*nginx.command, "-T"],
                "emergency_drill_port": free_port(),
                "emergency_drill_server_path": str(nginx.prefix / "conf.d" / "drill.conf"),
            }
        self.inventory()

    def inventory(self, *hosts: str) -> Path:
        """All of them, or those alone. Guides call the file by either name."""
        written = super().inventory()
        if hosts:
            whole = json.loads(written.read_text())["all"]
            playbook.write_inventory(written, {host: whole["hosts"][host] for host in hosts}, whole["vars"])
        shutil.copy2(written, self.place / "inventory")
        return written

    def here(self, text: str) -> str:
        for guide, ours in self.instead.items():
            text = text.replace(guide, ours)
        return text

    def run(self, command: str, answer: str = "", until: str = "") -> playbook.Run:
        """A command of a guide; ``answer`` is typed when it asks for one, and what never ends is ended at ``until``."""
        words = shlex.split(self.here(command))
        programs = Path(playbook.command()).parent
        words[0] = str(programs / words[0]) if (programs / words[0]).exists() else words[0]
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        environ = playbook.environment(PATH=path, PWD=str(self.place), COLUMNS="150")
        if answer:
            return _typed(words, answer, self.place, environ)
        if until:
            return _watched(words, until, self.place, environ)
        ended = subprocess.run(
            words, cwd=self.place, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=_LONGEST, check=False,
        )  # fmt: skip
        return playbook.Run(ended.returncode, ended.stdout)

    def serials(self) -> dict[str, str]:
        return {host: self.served_by(host).serial for host in self.fleet}

    def newest(self, name: str = "report.json") -> Path:
        return self.reports / "latest" / name


def _watched(words: list[str], until: str, place: Path, environ: dict[str, str]) -> playbook.Run:
    """What goes on for ever, ended with all that it started when it has written that."""
    log, deadline = place / "watched.log", time.monotonic() + _LONGEST
    with log.open("w") as file:
        process = subprocess.Popen(
            words, cwd=place, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
    try:
        while until not in log.read_text() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        is_so = until in log.read_text()
    finally:
        if process.poll() is None:
            kill(process)
    return playbook.Run(0 if is_so else 1, log.read_text())


def _typed(words: list[str], answer: str, place: Path, environ: dict[str, str]) -> playbook.Run:
    """On a terminal of its own, as a person has one: Ansible asks nobody else."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        words, cwd=place, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    written, deadline = "", time.monotonic() + _LONGEST
    try:
        with contextlib.suppress(OSError):  # the other end is closed
            while time.monotonic() < deadline:
                if select.select([ours], [], [], 1)[0]:
                    written += os.read(ours, 65536).decode(errors="replace")
                if answer and "Type yes" in written.rpartition("TASK [")[2]:
                    # Ansible throws away what was typed before it asked.
                    time.sleep(0.3)
                    os.write(ours, f"{answer}\r".encode())
                    answer = ""
        process.wait(10)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return playbook.Run(process.returncode, written.replace("\r\n", "\n"))
