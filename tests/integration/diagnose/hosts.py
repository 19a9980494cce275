# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a network of its own, in which traffic can be dropped and names not resolved; and one with a wrong clock.

The first needs root. Its network namespace, veth pair and rules end with the ``with`` block.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from ansible_collections.certops.rotation.tests.integration.diagnose.world import CaServer, World
from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost
from ansible_collections.certops.rotation.tests.support.pki import Issued

_NUMBERS = itertools.count()


def why_no_namespaces() -> str:
    """Empty if they can be made."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [name for name in ("ip", "nft", "nsenter", "unshare") if not shutil.which(name)]
    return f"not installed: {', '.join(missing)}" if missing else ""


def why_no_wrong_clock() -> str:
    """Empty if programs can be given one."""
    return "" if shutil.which("faketime") else "not installed: faketime"


class PrefixedNginx(Nginx):
    """Started with another command before it, and reached at the world's address."""

    def __init__(self, world: World, vhosts: Sequence[Vhost], workers: int, before: Sequence[str]) -> None:
        self.before, self.address = list(before), world.address
        super().__init__(world.place / "nginx", vhosts, workers)

    def start(self) -> Nginx:
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen([*self.before, *self.command], stdin=nothing, stdout=nothing, stderr=nothing)
        deadline = time.monotonic() + self.start_timeout
        while not all(self._answers(vhost.port) for vhost in self.vhosts):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"nginx did not start: {self._said()}")
            time.sleep(0.02)
        return self

    def _answers(self, port: int) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((self.address, port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        """faketime waits for nginx instead of becoming it, so what is ended is nginx; its wrapper ends with it."""
        if self.pid_file.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        super().stop()


class Elsewhere(Vhost):
    """A server block that listens on all addresses."""

    @property
    def text(self) -> str:
        return super().text.replace("listen 127.0.0.1:", "listen ", 1)


class HostModulesWith(HostModules):
    """The host's processes have these variables too."""

    more: Mapping[str, str] | None = None

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), **(self.more or {})}


class NamespaceWorld(World):
    """The host, nginx and all, is in a namespace; the CA and the control node are here."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.host_modules = HostModulesWith(place / "certops")
        self.modules = self.host_modules
        number = (os.getpid() * 16 + next(_NUMBERS)) % 16384
        self.name, self._link = f"certops-diag-{number}", f"cdiag{number}"
        net, last = f"198.18.{number >> 6}", (number & 63) * 4
        self.here, self.there = f"{net}.{last + 1}", f"{net}.{last + 2}"
        self.address = self.here
        self.before = ["nsenter", f"--net=/run/netns/{self.name}"]
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self._stack.close)
            self._connect()
            made = super().__enter__()
            undo.pop_all()
        return made

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        self._stack.close()

    def _connect(self) -> None:
        _run("ip", "netns", "add", self.name)
        self._stack.callback(_run, "ip", "netns", "del", self.name)
        _run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _run("ip", "addr", "add", f"{self.here}/30", "dev", self._link)
        _run("ip", "link", "set", self._link, "up")
        for command in (f"ip addr add {self.there}/30 dev eth0", "ip link set eth0 up", "ip link set lo up"):
            _run(*self.before, *command.split())
        self.modules.before = self.before

    def filter(self, rule: str) -> None:
        """What the host sends to the CA's port is met by this, in the host's own network."""
        port = self.ca.server_address[1]
        rules = f"table inet d {{ chain out {{ type filter hook output priority 0; tcp dport {port} {rule}; }}; }}\n"
        _run(*self.before, "nft", "-f", "-", given=rules)

    def without_names(self) -> None:
        """From now on nothing that is started on the host resolves a name."""
        empty = self.write("nothing", "")
        hide = f'mount --bind {empty} /etc/hosts && mount --bind {empty} /etc/resolv.conf && exec "$@"'
        self.before = ["unshare", "--mount", *self.before, "sh", "-c", hide, "sh"]
        self.modules.before = self.before

    def named(self) -> str:
        """A URL of the responder by name, which leads to another address of it from here."""
        server = CaServer()
        server.answer_of = self.ca.answer_of  # type: ignore[method-assign]
        self._stack.enter_context(server)
        return f"http://localhost:{server.server_address[1]}/ocsp"

    def proxied(self) -> None:
        """A proxy that the host knows from its environment, and that reaches the CA."""
        proxy = CaServer(address=self.here)
        proxy.answer_of = self.ca.answer_of  # type: ignore[method-assign]
        self._stack.enter_context(proxy)
        self.host_modules.more = {"http_proxy": proxy.url}

    def vhost(self, issued: Issued, extra: str | None = None, **how: Any) -> Vhost:
        made = super().vhost(issued, extra, **how)
        return Elsewhere(made.names, made.certificate, made.key, made.extra)

    def made_nginx(self, vhosts: Sequence[Vhost], workers: int) -> Nginx:
        self.address = self.there
        return PrefixedNginx(self, vhosts, workers, self.before)


def wrong_clock(place: Path) -> dict[str, str]:
    """Variables for a Python that libfaketime gives a wrong clock.

    Its monotonic clock must stay, or else waiting never ends; but then clock_nanosleep, by which Python sleeps, fails.
    """
    folder = place / "sleep-by-select"
    folder.mkdir(exist_ok=True)
    patch = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
    (folder / "sitecustomize.py").write_text(patch)
    return {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": str(folder)}


class WrongClockWorld(World):
    """The host's processes live in another time (libfaketime)."""

    def __init__(self, place: Path, offset: str) -> None:
        super().__init__(place)
        modules = HostModulesWith(place / "certops")
        more = wrong_clock(place)
        path = os.pathsep.join([more.pop("PYTHONPATH"), modules.environment()["PYTHONPATH"]])
        modules.more = {**more, "PYTHONPATH": path}
        self.before = ["env", *(f"{name}={value}" for name, value in more.items()), "faketime", "-f", offset]
        modules.before = self.before
        self.modules = modules

    def made_nginx(self, vhosts: Sequence[Vhost], workers: int) -> Nginx:
        return PrefixedNginx(self, vhosts, workers, self.before)


def _run(*command: str, given: str | None = None) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, input=given, timeout=20)
