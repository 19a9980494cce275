# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that are no nginx: an OpenSSL server that checks client certificates, and a port that does not answer."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.certops.rotation.tests.support.nginx import free_port
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def crl_pem(crl: bytes) -> str:
    return x509.load_der_x509_crl(crl).public_bytes(Encoding.PEM).decode()


@contextlib.contextmanager
def openssl_server(
    place: Path, own: Issued, accepts: Authority, *, crl: bytes | None = None, checks: bool = True
) -> Iterator[int]:
    """The port of an ``openssl s_server`` that wants a client certificate, and checks it against a CRL."""
    port, folder = free_port(), place / f"peer-{own.serial}"
    folder.mkdir()
    (folder / "own.pem").write_text(own.pem + own.key_pem)
    (folder / "chain.pem").write_text("".join(own.chain_pem.partition(own.pem)[2]))
    (folder / "ca.pem").write_text("".join([accepts.pem, *(one for one in _above(accepts))]))
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(folder / "own.pem"),
               "-cert_chain", str(folder / "chain.pem"), "-CAfile", str(folder / "ca.pem"), "-partial_chain",
               "-Verify", "2", "-verify_return_error", "-www", "-quiet"]  # fmt: skip
    command += ["-crl_check"] if checks else []
    if crl is not None:
        (folder / "crl.pem").write_text(crl_pem(crl))
        command += ["-CRL", str(folder / "crl.pem")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _above(authority: Authority) -> list[str]:
    return [one.public_bytes(Encoding.PEM).decode() for one in authority.intermediates[1:]]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError("openssl s_server does not start")


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port for which the kernel drops every SYN, as a firewall would: its queue is full, and nobody accepts."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _number in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        time.sleep(0.05)
        yield int(address[1])
