# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS servers on loopback, and peers that behave as a TLS server should not.

    with TlsServer(leaf, staple=response) as server:
        handshake(Endpoint("127.0.0.1", server.port), timeout=5)

Each server answers in threads of its own, counts its connections in ``handshakes`` and ends with its ``with`` block.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.certops.rotation.tests.support.pki import Issued
from OpenSSL import SSL


def closed_port(address: str = "127.0.0.1") -> int:
    """A port on which nothing listens."""
    with _listener(address) as sock:
        return int(sock.getsockname()[1])


class LoopbackServer:
    """Calls ``serve(connection)`` in a thread for each connection to a port of its own."""

    def __init__(self, serve: Callable[[socket.socket], None], address: str = "127.0.0.1") -> None:
        self._serve = serve
        self._sock = _listener(address)
        self._sock.settimeout(0.1)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.address = address
        self.port = int(self._sock.getsockname()[1])
        self.connections = 0

    def __enter__(self) -> Any:
        self._sock.listen(128)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ending.set()
        self._thread.join()
        self._sock.close()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _peer = self._sock.accept()
            except TimeoutError:
                continue
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        with connection, contextlib.suppress(OSError, SSL.Error):
            self._serve(connection)


class TlsServer(LoopbackServer):
    """A TLS server with one or more certificates (RSA beside ECDSA) and, per server name, others.

    :param staple: the OCSP response to staple, exactly these bytes.
    :param by_name: certificates for server names; a name that is in neither gets the default ones.
    """

    def __init__(
        self,
        *issued: Issued,
        staple: bytes | None = None,
        by_name: dict[str, Issued] | None = None,
        tls12: bool = False,
        require_client_certificate: bool = False,
        address: str = "127.0.0.1",
    ) -> None:
        super().__init__(self._shake, address)
        self.handshakes = 0
        self._staple = staple or b""
        self._by_name = {name: self._context([one], tls12, False) for name, one in (by_name or {}).items()}
        self._default = self._context(issued, tls12, require_client_certificate)
        self._default.set_tlsext_servername_callback(self._choose)

    def set_staple(self, staple: bytes | None) -> None:
        """What later handshakes carry."""
        self._staple = staple or b""

    def _context(self, issued: Sequence[Issued], tls12: bool, require_client_certificate: bool) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        if tls12:
            context.set_max_proto_version(SSL.TLS1_2_VERSION)
        for one in issued:
            context.use_certificate(one.certificate)
            context.use_privatekey(one.key)
        for certificate in issued[0].intermediates:
            context.add_extra_chain_cert(certificate)
        if require_client_certificate:
            context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *args: True)
        context.set_ocsp_server_callback(lambda connection, data: self._staple)
        return context

    def _choose(self, connection: SSL.Connection) -> None:
        name = (connection.get_servername() or b"").decode()
        if name in self._by_name:
            connection.set_context(self._by_name[name])

    def _shake(self, sock: socket.socket) -> None:
        connection = SSL.Connection(self._default, sock)
        connection.set_accept_state()
        connection.do_handshake()
        self.handshakes += 1
        connection.recv(1)


def plain_text_server(text: bytes = b"220 mail.example.org ESMTP\r\n") -> LoopbackServer:
    """A peer that talks at once, and not TLS."""

    def serve(sock: socket.socket) -> None:
        sock.sendall(text)
        sock.recv(4096)

    return LoopbackServer(serve)


def silent_server(seconds: float = 5.0) -> LoopbackServer:
    """A peer that accepts and never says a word."""
    return LoopbackServer(lambda sock: time.sleep(seconds))


def dripping_server(seconds: float = 5.0) -> LoopbackServer:
    """A peer that sends a byte of a TLS record now and then, so that no single read ever takes long."""

    def serve(sock: socket.socket) -> None:
        for byte in b"\x16\x03\x03\x40\x00" + b"\x02" * int(seconds * 10):
            sock.sendall(bytes([byte]))
            time.sleep(0.1)

    return LoopbackServer(serve)


def closing_server() -> LoopbackServer:
    """A peer that reads the ClientHello and closes."""

    def serve(sock: socket.socket) -> None:
        sock.recv(4096)

    return LoopbackServer(serve)


def resetting_server() -> LoopbackServer:
    """A peer that reads the ClientHello and resets the connection."""

    def serve(sock: socket.socket) -> None:
        sock.recv(4096)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return LoopbackServer(serve)


def alerting_server(alert: int) -> LoopbackServer:
    """A peer that answers the ClientHello with this fatal alert."""

    def serve(sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(bytes([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, alert]))
        sock.recv(4096)

    return LoopbackServer(serve)


def _listener(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.bind((address, 0))
    return sock
