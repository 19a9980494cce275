# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server for an internal CA's published folder: for demo and tests. Standard library only.

    python publisher.py FOLDER [--address 127.0.0.1] [--port 8080]

Static files, as from any web server. OCSP under /ocsp by GET and, what a static server cannot do, by POST: the request
is reduced to the one that the CA has published the answer of. Prints "listening on http://..." when it is ready.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import http.server
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# OCSPResponse with responseStatus unauthorized (RFC 6960 section 4.2.1): said of unknown certificates.
UNAUTHORIZED = bytes.fromhex("30030a0106")
MALFORMED = bytes.fromhex("30030a0101")

_LARGEST_REQUEST = 64 * 1024
_CONTENT_TYPES = {".crl": "application/pkix-crl", ".crt": "application/pkix-cert"}
_NULL = b"\x05\x00"


def _element(data: bytes) -> tuple[bytes, bytes, bytes]:
    """The first DER element of ``data``: content, whole, and what follows it. ValueError if it is cut short."""
    if len(data) < 2:
        raise ValueError("cut short")
    length, start = data[1], 2
    if length >= 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    end = start + length
    if end > len(data):
        raise ValueError("cut short")
    return data[start:end], data[:end], data[end:]


def _sequence(*parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return b"\x30" + bytes([len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return b"\x30" + bytes([0x80 | size]) + len(content).to_bytes(size, "big") + content


def plainest_request(request: bytes) -> bytes:
    """The same question without nonce, name, or further certificates: the form in which answers are published.

    :raises ValueError: for what is not an OCSP request.
    """
    body = _element(_element(request)[0])[0]
    while body[:1] in (b"\xa0", b"\xa1"):  # version, requestorName
        body = _element(body)[2]
    request_list = _element(body)[0]
    cert_id = _element(_element(request_list)[0])[0]
    algorithm, _whole, rest = _element(cert_id)
    name_hash, key_hash, serial = _three(rest)
    # Some clients leave the parameters of the hash algorithm out.
    asked = _sequence(_sequence(_element(algorithm)[1], _NULL), name_hash, key_hash, serial)
    return _sequence(_sequence(_sequence(_sequence(asked))))


def _three(data: bytes) -> list[bytes]:
    found = []
    for _position in range(3):
        _content, whole, data = _element(data)
        found.append(whole)
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers from one folder."""

    server: Publisher
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.requests.append(f"GET {path}")
        if path.startswith("/ocsp/"):
            try:
                return self._answer_ocsp(base64.b64decode(unquote(path.removeprefix("/ocsp/")), validate=True))
            except binascii.Error:
                return self._send(200, MALFORMED, "application/ocsp-response")
        file = (self.server.folder / unquote(path).lstrip("/")).resolve()
        if not file.is_relative_to(self.server.folder) or not file.is_file():
            return self._send(404, b"not found\n", "text/plain")
        return self._send(200, file.read_bytes(), _CONTENT_TYPES.get(file.suffix, "application/octet-stream"))

    def do_POST(self) -> None:
        self.server.requests.append(f"POST {self.path}")
        length = int(self.headers.get("Content-Length", 0))
        if length > _LARGEST_REQUEST:
            return self._send(413, b"too large\n", "text/plain")
        request = self.rfile.read(length)
        if self.path.rstrip("/") != "/ocsp":
            return self._send(404, b"not found\n", "text/plain")
        return self._answer_ocsp(request)

    def _answer_ocsp(self, request: bytes) -> None:
        try:
            path = base64.b64encode(plainest_request(request)).decode()
        except ValueError:
            return self._send(200, MALFORMED, "application/ocsp-response")
        file = self.server.folder / "ocsp" / path
        answer = file.read_bytes() if file.is_file() else UNAUTHORIZED
        return self._send(200, answer, "application/ocsp-response")

    def _send(self, status: int, content: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet: ``Publisher.requests`` tells what was asked."""


class Publisher(http.server.ThreadingHTTPServer):
    """``with Publisher(folder) as publisher: publisher.url`` serves in a thread of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path, address: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((address, port), Handler)
        self.folder = folder.resolve()
        self.requests: list[str] = []
        self.url = f"http://{address}:{self.server_address[1]}"

    def __enter__(self) -> Publisher:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the published folder of an internal CA.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    server = Publisher(arguments.folder, arguments.address, arguments.port)
    print(f"listening on {server.url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
