# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server on loopback that answers from a table, also wrongly.

    with HttpServer() as web:
        web.put("/ca.crl", crl)
        web.put("/slow.crl", crl, delay=2)
        web.put("/elsewhere", redirect="file:///etc/passwd")
        web.url("/ca.crl")
        web.requests        # [("GET", "/ca.crl"), …]

``put_ocsp("/ocsp", answer)`` answers GET and POST below a path with ``answer(request)``, the request parsed.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.server
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.x509 import ocsp

OcspAnswer = Callable[[ocsp.OCSPRequest], bytes]


@dataclasses.dataclass(frozen=True)
class Reply:
    """What is sent for a path."""

    body: bytes = b""
    status: int = 200
    redirect: str | None = None
    delay: float = 0.0
    """seconds before the answer"""
    drip: float = 0.0
    """seconds between bytes"""
    announce: int | None = None
    """a Content-Length other than that of the body"""
    endless: bool = False
    """the body again and again"""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """an ETag or Last-Modified among them makes the server answer 304 where that is asked for"""
    reset: bool = False
    """the connection is reset instead"""
    cut: bool = False
    """chunked, and ended before its end"""


class HttpServer:
    """Answers in threads of its own; ends with its ``with`` block."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.replies: dict[str, Reply] = {}
        self.sooner: dict[str, list[Reply]] = {}
        self.responders: dict[str, OcspAnswer] = {}
        self.responder_headers: dict[str, Mapping[str, str]] = {}
        self.ending = threading.Event()
        handler = type("Handler", (_Handler,), {"web": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.scheme = "http"
        if tls is not None:
            self.scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> HttpServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.socket.close()

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def put(self, path: str, body: bytes = b"", **how: Any) -> str:
        """What is sent for ``path`` from now on; returns its URL."""
        self.replies[path] = Reply(body, **how)
        return self.url(path)

    def put_first(self, path: str, *replies: Reply) -> None:
        """What is sent for ``path`` before what is ``put`` there, once each."""
        self.sooner[path] = list(replies)

    def reply(self, path: str) -> Reply:
        sooner = self.sooner.get(path)
        return sooner.pop(0) if sooner else self.replies.get(path, Reply(status=404))

    def put_ocsp(self, path: str, answer: OcspAnswer, headers: Mapping[str, str] | None = None) -> str:
        self.responders[path] = answer
        self.responder_headers[path] = headers or {}
        return self.url(path)

    def count(self, path: str) -> int:
        """How often ``path``, or something below it, was asked for."""
        return sum(asked == path or asked.startswith(path + "/") for _method, asked in self.requests)


class _Handler(http.server.BaseHTTPRequestHandler):
    web: HttpServer

    def do_GET(self) -> None:
        self._note()
        for path, answer in self.web.responders.items():
            if self.path.startswith(path + "/"):
                request = base64.b64decode(urllib.parse.unquote(self.path[len(path) + 1 :]))
                return self._send_ocsp(path, answer, request)
        return self._send(self.web.reply(self.path))

    def do_POST(self) -> None:
        self._note()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.web.responders.get(self.path)
        if answer is None:
            return self._send(self.web.reply(self.path))
        return self._send_ocsp(self.path, answer, body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""

    def _note(self) -> None:
        self.web.requests.append((self.command, self.path))
        self.web.headers.append({name.lower(): value for name, value in self.headers.items()})

    def _send_ocsp(self, path: str, answer: OcspAnswer, request: bytes) -> None:
        headers = self.web.responder_headers.get(path, {})
        self._send(Reply(answer(ocsp.load_der_ocsp_request(request)), headers=headers))

    def _send(self, reply: Reply) -> None:
        time.sleep(reply.delay)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return self.connection.close()
        with contextlib.suppress(OSError):
            is_unchanged = self._is_unchanged(reply)
            status = 302 if reply.redirect is not None and reply.status == 200 else reply.status
            self.send_response(304 if is_unchanged else status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.redirect is not None:
                self.send_header("Location", reply.redirect)
            if reply.cut:
                self.send_header("Transfer-Encoding", "chunked")
            elif not reply.endless and not is_unchanged:
                self.send_header("Content-Length", str(reply.announce or len(reply.body)))
            self.end_headers()
            if not is_unchanged:
                self._send_body(reply)
        return None

    def _is_unchanged(self, reply: Reply) -> bool:
        asked = {"ETag": self.headers.get("If-None-Match"), "Last-Modified": self.headers.get("If-Modified-Since")}
        return any(value is not None and reply.headers.get(name) == value for name, value in asked.items())

    def _send_body(self, reply: Reply) -> None:
        if reply.cut:
            self.wfile.write(b"ff\r\n" + reply.body)
            return
        if reply.drip:
            for byte in reply.body:
                if self.web.ending.wait(reply.drip):
                    return
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            return
        self.wfile.write(reply.body)
        while reply.endless and not self.web.ending.is_set():
            self.wfile.write(reply.body)
