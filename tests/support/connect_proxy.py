# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy on loopback that opens tunnels (CONNECT), always to the one place it was given."""

from __future__ import annotations

import socket
import threading
from typing import Any

from ansible_collections.certops.rotation.tests.support.tls_server import LoopbackServer


class ConnectProxy(LoopbackServer):
    """``heads`` are the requests it got. Whatever host they name, the tunnel leads to ``port`` on loopback."""

    def __init__(self, port: int) -> None:
        super().__init__(self._tunnel)
        self._target = port
        self.heads: list[str] = []

    @property
    def url(self) -> str:
        return f"http://user:pa%3Ass@127.0.0.1:{self.port}"

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.heads.append(head.decode("latin-1"))
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pour, args=(server, client), daemon=True)
            back.start()
            _pour(client, server)
            back.join()


def _pour(source: Any, sink: Any) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return
