# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real nginx on loopback: its own prefix directory, high ports, run as the current user, ended by its own pid.

with Nginx(tmp_path / "nginx", [Vhost(("shop.example.org",), chain, key)]) as nginx:
    nginx.served("shop.example.org")      # the certificate a client gets, as DER
    nginx.service                         # the option ``service`` of our modules
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])) or "nginx"


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Vhost:
    """One server block. ``extra`` is put into it as it is; ``content`` is what it answers with."""

    names: Sequence[str]
    certificate: Path
    key: Path
    extra: str = ""
    port: int = field(default_factory=free_port)
    content: str = 'return 200 "here\\n";'

    @property
    def text(self) -> str:
        return f"""
    server {{
        listen 127.0.0.1:{self.port} ssl;
        server_name {" ".join(self.names)};
        ssl_certificate {self.certificate};
        ssl_certificate_key {self.key};
        {self.extra}
        {self.content}
    }}"""


class Nginx:
    """A master with two workers. Started by ``with`` or ``start``; ``stop`` ends this master and nothing else."""

    start_timeout = 10.0

    def __init__(self, prefix: Path, vhosts: Sequence[Vhost], workers: int = 2) -> None:
        self.prefix, self.vhosts, self.workers = prefix, list(vhosts), workers
        self.configuration = prefix / "nginx.conf"
        self.pid_file = prefix / "nginx.pid"
        self.error_log = prefix / "error.log"
        self._process: subprocess.Popen[bytes] | None = None
        (prefix / "conf.d").mkdir(parents=True, exist_ok=True)
        self.write()

    def write(self, broken: str = "") -> None:
        """Write the configuration; ``broken`` is put at its end."""
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"    {kind}_temp_path {self.prefix}/{kind};\n" for kind in kinds)
        user = "user root;" if os.geteuid() == 0 else ""
        servers = "".join(vhost.text for vhost in self.vhosts)
        self.configuration.write_text(
            f"{user}\ndaemon off;\nworker_processes {self.workers};\npid {self.pid_file};\n"
            f"error_log {self.error_log} notice;\nevents {{ worker_connections 128; }}\n"
            f"http {{\n    access_log off;\n{temporary}    include {self.prefix}/conf.d/*.conf;\n"
            f"{servers}\n}}\n{broken}\n"
        )

    @property
    def command(self) -> list[str]:
        return [PROGRAM, "-p", str(self.prefix), "-c", str(self.configuration)]

    @property
    def service(self) -> dict[str, Any]:
        return {
            "kind": "signal",
            "name": "nginx",
            "test": [*self.command, "-t"],
            "pid_file": str(self.pid_file),
            "timeout": 10,
        }

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    def start(self) -> Nginx:
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + self.start_timeout
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"nginx did not start: {self._said()}")
            time.sleep(0.02)
        return self

    def _said(self) -> str:
        return self.error_log.read_text() if self.error_log.exists() else "it was still reading its configuration"

    def _is_up(self) -> bool:
        if not self.pid_file.exists():
            return False
        for vhost in self.vhosts:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", vhost.port)):
                    return False
        return True

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Nginx:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def workers_now(self) -> set[int]:
        """The processes whose parent is the master."""
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[1]) == self.pid:
                    found.add(int(entry.name))
        return found

    def served(self, name: str, port: int | None = None) -> bytes:
        """The certificate, in DER, that a client which asks for this name gets."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        address = ("127.0.0.1", port or self.vhosts[0].port)
        with (
            socket.create_connection(address, timeout=5) as raw,
            context.wrap_socket(raw, server_hostname=None if re.fullmatch(r"[\d.]+", name) else name) as sock,
        ):
            certificate = sock.getpeercert(binary_form=True)
        if certificate is None:
            raise AssertionError("no certificate was served")
        return certificate
