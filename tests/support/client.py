# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that do not stop asking while something happens to the server.

with Hammer(world, "shop.example.org") as client:
    world.rotate()
assert not client.failures
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts, serial_hex
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshake
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld
from cryptography import x509
from cryptography.x509 import ocsp

_PAUSE = 0.01


@dataclass(frozen=True)
class Answer:
    """What one connection brought: the serial, and the serial and status that its staple is about."""

    serial: str
    staple: tuple[str, str] | None = None


class Hammer:
    """New connections from several threads, one after the other, until the ``with`` block ends.

    Each verifies chain and name, as a browser does, and reads a whole answer. With ``staples`` each is only a
    handshake, and its staple is looked into.
    """

    def __init__(self, world: LocalWorld, name: str, *, threads: int = 3, staples: bool = False) -> None:
        self.seen: list[Answer] = []
        self.failures: list[str] = []
        self._name, self._port = name, world.port_of(name)
        self._ask = self._staple if staples else self._request
        self._context = ssl.create_default_context(cafile=str(world.place / "ca" / "root.crt"))
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._hammer) for _one in range(threads)]

    def __enter__(self) -> Hammer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _hammer(self) -> None:
        while not self._ended.wait(_PAUSE):
            try:
                self.seen.append(self._ask())
            except (OSError, ValueError) as error:
                self.failures.append(repr(error))

    def _request(self) -> Answer:
        with connected(self._context, self._port, self._name) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {self._name}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
            der = connection.getpeercert(binary_form=True)
        if der is None or not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(b"here\n"):
            raise ValueError(f"answered {answer!r}")
        return Answer(certificate_facts(x509.load_der_x509_certificate(der)).serial)

    def _staple(self) -> Answer:
        shown = handshake(Endpoint("127.0.0.1", self._port, self._name), timeout=5)
        if not shown.chain:
            raise ValueError(str(shown.error))
        serial = certificate_facts(x509.load_der_x509_certificate(shown.chain[0])).serial
        if shown.staple is None:
            return Answer(serial)
        response = ocsp.load_der_ocsp_response(shown.staple)
        return Answer(serial, (serial_hex(response.serial_number), response.certificate_status.name))


class Download:
    """One slow download, begun when it is made."""

    def __init__(self, world: LocalWorld, name: str, path: str) -> None:
        self.body = b""
        self.failure: str | None = None
        self._arguments = (world.place / "ca" / "root.crt", world.port_of(name), name, path)
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._download)
        self._thread.start()
        if not self._begun.wait(10):
            raise AssertionError("the download does not begin")

    def _download(self) -> None:
        root, port, name, path = self._arguments
        try:
            with connected(ssl.create_default_context(cafile=str(root)), port, name) as connection:
                connection.settimeout(30)
                connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
                answer = connection.recv(1024)
                self._begun.set()
                while part := connection.recv(65536):
                    answer += part
            self.body = answer.partition(b"\r\n\r\n")[2]
        except OSError as error:
            self.failure = repr(error)

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def wait(self) -> bytes:
        self._thread.join()
        return self.body


@contextlib.contextmanager
def connected(context: ssl.SSLContext, port: int, name: str) -> Iterator[ssl.SSLSocket]:
    """A verified connection to loopback."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=name) as connection,
    ):
        yield connection


class Sampler:
    """Keeps every distinct text that ``look`` brings, looking again and again until the ``with`` block ends."""

    def __init__(self, *places: Path, processes: bool = False, every: float = 0.01) -> None:
        self.texts: set[bytes] = set()
        self._places, self._processes, self._every = places, processes, every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            for place in self._places:
                self._take(place.rglob("*"))
            if self._processes:
                self._take(entry / "cmdline" for entry in Path("/proc").iterdir() if entry.name.isdigit())
            time.sleep(self._every)

    def _take(self, paths: Iterable[Path]) -> None:
        with contextlib.suppress(OSError):
            for path in paths:
                with contextlib.suppress(OSError):
                    self.texts.add(path.read_bytes())
