# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of an ACME server: it watches, answers some requests itself, and adds renewal information (ARI).

with AcmeProxy(pebble) as proxy:
    proxy.directory_url                            # the server believes that it is reached so
    proxy.refuse("/order-plz", "rateLimited", retry_after="3600")
    proxy.hint(cert_id, start, end)                # from now on, the directory has renewalInfo
    proxy.orders                                   # payloads of newOrder, as they came
    proxy.held.wait()                              # with proxy.hold("/certZ/"): such a request is kept waiting
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import json
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ansible_collections.certops.rotation.tests.support.pebble import Pebble

PREFIX = "urn:ietf:params:acme:error:"


@dataclass
class Reply:
    """What the proxy says instead of the server, so many times."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 10**9


class AcmeProxy:
    """Shows the server's own certificate to the client. Ends with its ``with`` block."""

    def __init__(self, pebble: Pebble) -> None:
        self.pebble = pebble
        self.requests: list[tuple[str, str]] = []
        self.orders: list[dict[str, Any]] = []
        self.meta: dict[str, Any] = {}
        """What is added to the directory's meta."""
        self.held, self.release = threading.Event(), threading.Event()
        self._replies: dict[str, Reply] = {}
        self._hints: dict[str, Reply] = {}
        self._hold: str | None = None
        self._replaced: set[str] = set()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pebble.ca_bundle, pebble.place / "server.key")
        # Handshakes belong to the threads of the requests.
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def directory_url(self) -> str:
        return f"https://{self.host}/dir"

    def refuse(
        self, path: str, error: str, *, status: int = 403, times: int = 10**9, retry_after: str = "", **more: Any
    ) -> None:
        """Answer requests whose path starts so with a problem document of that type."""
        problem = {"type": PREFIX + error, "detail": f"refused for the test: {error}", **more}
        headers = {"Content-Type": "application/problem+json", **({"Retry-After": retry_after} if retry_after else {})}
        self._replies[path] = Reply(status, json.dumps(problem).encode(), headers, times)

    def say(self, path: str, body: bytes, *, status: int = 200, times: int = 10**9, **headers: str) -> None:
        """Answer requests whose path starts so with these bytes."""
        self._replies[path] = Reply(
            status, body, {name.replace("_", "-"): value for name, value in headers.items()}, times
        )

    def hint(self, cert_id: str, start: str, end: str, *, retry_after: str = "21600", explanation: str = "") -> None:
        """What the server says about the renewal of one certificate."""
        body: dict[str, Any] = {"suggestedWindow": {"start": start, "end": end}}
        if explanation:
            body["explanationURL"] = explanation
        headers = {"Content-Type": "application/json", "Retry-After": retry_after}
        self._hints[cert_id] = Reply(200, json.dumps(body).encode(), headers)

    def offer_hints(self) -> None:
        """Have renewalInfo in the directory, with nothing to say yet."""
        self._hints.setdefault("", Reply(404, b""))

    def replaced(self, cert_id: str) -> None:
        """From now on this certificate has a successor already."""
        self._replaced.add(cert_id)

    def hold(self, path: str) -> None:
        """Keep the next request whose path starts so waiting, after the server has answered it, until the end."""
        self._hold = path

    def asked(self, path: str) -> int:
        """How many requests there were whose path starts so."""
        return sum(one.startswith(path) for _method, one in self.requests)

    # --- one request ---

    def reply(self, method: str, path: str, body: bytes) -> Reply:
        self.requests.append((method, path))
        own = self._own(path, body)
        if own is not None:
            return own
        status, headers, content = self._forwarded(method, path, body)
        if path == "/dir" and status == 200:
            content = self._with_hints(content)
        if self._hold is not None and path.startswith(self._hold):
            self._hold = None
            self.held.set()
            self.release.wait(60)
        return Reply(status, content, headers)

    def _own(self, path: str, body: bytes) -> Reply | None:
        if path == "/order-plz":
            order = payload(body)
            self.orders.append(order)
            if order.get("replaces") in self._replaced and "/order-plz" not in self._replies:
                self.refuse("/order-plz", "alreadyReplaced", status=409, times=1)
        for start, reply in self._replies.items():
            if path.startswith(start) and reply.times > 0:
                reply.times -= 1
                return reply
        if path.startswith("/renewal-info/"):
            return self._hints.get(path.rpartition("/")[2], Reply(404, b""))
        return None

    def _with_hints(self, content: bytes) -> bytes:
        directory = json.loads(content)
        directory.setdefault("meta", {}).update(self.meta)
        if self._hints:
            directory["renewalInfo"] = f"https://{self.host}/renewal-info"
        return json.dumps(directory).encode()

    def _forwarded(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        trust = ssl.create_default_context(cafile=str(self.pebble.ca_bundle))
        connection = http.client.HTTPSConnection("127.0.0.1", self.pebble.port, timeout=30, context=trust)
        with contextlib.closing(connection):
            # The server makes its URLs of what it is told here.
            headers = {"Host": self.host, "Content-Type": "application/jose+json"}
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name in _KEPT}
            return answer.status, kept, answer.read()


_KEPT = {"Content-Type", "Location", "Link", "Replay-Nonce", "Retry-After"}


def payload(body: bytes) -> dict[str, Any]:
    """What a signed request says."""
    text = json.loads(body)["payload"]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) or b"{}")
    return decoded


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: AcmeProxy

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def log_message(self, *args: Any) -> None:
        """Quiet."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.proxy.reply(self.command, self.path, body)
        with contextlib.suppress(OSError):
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
