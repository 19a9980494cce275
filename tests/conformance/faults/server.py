# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on loopback that breaks in the way its URL path names: ``http://127.0.0.1:PORT/ocsp/try_later``.

One function is one fault, and its docstring is its documentation::

    @fault
    def ocsp_try_later(asked: Asked) -> Answer:
        \"\"\"tryLater, the responder is busy.\"\"\"
        return Answer(ocsp_error("try_later"))

The first word of its name says what it stands in for: ``ocsp`` or ``crl``. What must come out: ``expected.py``.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.server
import inspect
import socket
import struct
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.hierarchy import hierarchy, leaf_of
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is sent."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """beside Content-Length, which is right unless it is given here; empty text leaves one out"""
    raw: bytes | None = None
    """all that is sent, instead of HTTP"""
    silence: float = 0.0
    """seconds before anything is sent"""
    drip: float = 0.0
    """seconds before each byte of the body"""
    endless: bool = False
    """the body again and again"""
    reset: bool = False
    """the connection is cut hard after what is sent"""


@dataclasses.dataclass(frozen=True)
class Asked:
    """One request, and what is needed to answer it."""

    server: FaultServer
    leaf: Issued
    method: str
    rest: str
    """of the path, behind the name of the fault"""
    request: bytes
    """an OCSP request in DER; empty for a CRL"""
    headers: Mapping[str, str]
    count: int
    """the how many-th request this is for this fault, from 1"""

    @property
    def ca(self) -> Authority:
        return hierarchy().ca


@dataclasses.dataclass(frozen=True)
class Fault:
    """How a server breaks, and how it is asked."""

    name: str
    description: str
    answer: Callable[[Asked], Answer]
    policy: RevocationPolicy
    client: Mapping[str, Any]
    """fields of the HttpClient"""
    urls: Callable[[FaultServer], list[str]] | None
    """where the certificate points to; None: to this fault"""

    @property
    def kind(self) -> str:
        return self.name.partition("_")[0]

    @property
    def path(self) -> str:
        return "/" + self.name.replace("_", "/", 1)


FAULTS: dict[str, Fault] = {}


def broken(
    policy: RevocationPolicy | None = None, *, urls: Callable[[FaultServer], list[str]] | None = None, **client: Any
) -> Callable[[Callable[[Asked], Answer]], Callable[[Asked], Answer]]:
    """Registers a fault that is asked with a policy and limits of its own."""

    def register(answer: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
        name, description = answer.__name__, inspect.cleandoc(answer.__doc__ or "")
        if not description or name in FAULTS:
            raise ValueError(f"fault {name} " + ("stands twice" if description else "has no docstring"))
        chosen = dataclasses.replace(policy or RevocationPolicy(), judge_issuers=False)
        FAULTS[name] = Fault(name, description, answer, chosen, client, urls)
        return answer

    return register


fault = broken()


class FaultServer:
    """Answers in threads of its own; ends with its ``with`` block."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.leaves: dict[str, Issued] = {}
        self.ending = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"faults": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_about: None  # type: ignore[method-assign]  # peers go away, as they should
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> FaultServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.socket.close()

    def url(self, name: str, rest: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{FAULTS[name].path}{rest}"

    def leaf(self, each: Fault) -> Issued:
        """The certificate that points to this fault; made once."""
        if each.name not in self.leaves:
            urls = each.urls(self) if each.urls else [self.url(each.name)]
            pointers: dict[str, Any] = {f"{each.kind}_urls": urls}
            self.leaves[each.name] = leaf_of(hierarchy().ca, **pointers)
        return self.leaves[each.name]

    def counted(self, name: str) -> int:
        with self._lock:
            self.counts[name] = self.counts.get(name, 0) + 1
            return self.counts[name]


class _Handler(http.server.BaseHTTPRequestHandler):
    faults: FaultServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        each, rest = self._fault()
        encoded = urllib.parse.unquote(rest.lstrip("/")) if each.kind == "ocsp" else ""
        with contextlib.suppress(ValueError):
            return self._answer(each, rest, base64.b64decode(encoded))
        return self._answer(each, rest, b"")

    def do_POST(self) -> None:
        each, rest = self._fault()
        self._answer(each, rest, self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *args: Any) -> None:
        """Quiet."""

    def _fault(self) -> tuple[Fault, str]:
        _empty, kind, name, *rest = self.path.split("/", 3)
        return FAULTS[f"{kind}_{name}"], "".join(f"/{each}" for each in rest)

    def _answer(self, each: Fault, rest: str, request: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        server = self.faults
        count = server.counted(each.name)
        asked = Asked(server, server.leaf(each), self.command, rest, request, headers, count)
        with contextlib.suppress(OSError):
            self._send(each.answer(asked))

    def _send(self, answer: Answer) -> None:
        self.close_connection = True
        if self.faults.ending.wait(answer.silence):
            return
        if answer.raw is not None:
            self.wfile.write(answer.raw)
        else:
            self._send_head(answer)
            self._send_body(answer)
        self.wfile.flush()
        if answer.reset:
            # No orderly end, but an RST.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _send_head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def _send_body(self, answer: Answer) -> None:
        if not answer.drip:
            self.wfile.write(answer.body)
        for byte in answer.body if answer.drip else b"":
            if self.faults.ending.wait(answer.drip):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
        while answer.endless and not self.faults.ending.is_set():
            self.wfile.write(answer.body)
