# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of real hosts through rotations: two runs at once, clients that do not stop, a CA that is gone."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import serial_hex
from ansible_collections.certops.rotation.tests.support.lab_round import Round
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld
from cryptography import x509

MEBIBYTE = 1024 * 1024
DOWNLOAD = 24  # MiB: more than the buffers on the way hold
CLIENTS = 3


class Clients:
    """Browsers of one host: each request over a new connection, chain and name verified; and one long download."""

    def __init__(self, world: LabWorld, host: str) -> None:
        self.serials: Counter[str] = Counter()
        self.failures: list[str] = []
        self.downloaded = 0
        self._name = f"{host}.lab.test"
        self._context = ssl.create_default_context(cafile=str(world.place / "ca" / "root.crt"))
        self._context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._ended = threading.Event()
        self._began = threading.Event()
        work = [*[self._ask_on] * CLIENTS, self._download]
        self._threads = [threading.Thread(target=target) for target in work]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        assert self._began.wait(20)
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._name, timeout=20, context=self._context)

    def _ask_on(self) -> None:
        while not self._ended.wait(0.005):
            try:
                self._ask()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))

    def _ask(self) -> None:
        connection = self._connection()
        connection.request("GET", "/here", headers={"Connection": "close"})
        der = connection.sock.getpeercert(binary_form=True)
        answer = connection.getresponse()
        if answer.status != 200 or answer.read() != b"here\n":
            self.failures.append(f"status {answer.status}")
        connection.close()
        self.serials[serial_hex(x509.load_der_x509_certificate(bytes(der or b"")).serial_number)] += 1

    def _download(self) -> None:
        """Reads on slowly until told to end, then the rest: it outlives every reload in between."""
        connection = self._connection()
        connection.request("GET", "/large")
        answer = connection.getresponse()
        self.downloaded += len(answer.read(MEBIBYTE))
        self._began.set()
        self._ended.wait()
        try:
            while part := answer.read(MEBIBYTE):
                self.downloaded += len(part)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"download: {error!r}")


def test_clients_see_nothing_of_two_runs_at_once(world: LabWorld) -> None:
    hosts = ["web07", "web08"]
    world.on("web07", f"echo here > /var/www/html/here; head -c {DOWNLOAD}M /dev/zero > /var/www/html/large")
    due = Round(world, hosts)
    with Clients(world, "web07") as clients:
        time.sleep(0.5)
        runs = [world.start("certops.rotation.rotate", "--limit", ",".join(hosts)) for _one in range(2)]
        outputs = [run.communicate(timeout=180)[0] for run in runs]
        time.sleep(0.5)
    print(*outputs)
    again = world.rotate("--limit", ",".join(hosts))
    print(again.output)
    for host in hosts:
        due.assert_finished(host, orders=None)
    assert clients.failures == []
    assert clients.downloaded == DOWNLOAD * MEBIBYTE
    assert clients.serials[due.served["web07"].serial] > 20
    assert len(clients.serials) >= 2
    print(f"{clients.serials.total()} requests, {len(clients.serials)} certificates")
