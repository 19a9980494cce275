# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA with its servers on loopback, in which one thing at a time can be broken, and one real nginx.

with World(tmp_path) as world:
    world.start(world.vhost(world.leaf()))
    world.ca.ocsp = lambda asked: Answer(ocsp_error("try_later"))
    world.codes()      # the causes that a diagnosis names
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import http.server
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from ansible_collections.certops.rotation.plugins.action import client_view_info, diagnosis_info, host_view_info
from ansible_collections.certops.rotation.tests.support.action import run_action, run_host_action
from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued, ocsp_error, pem
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

HOST = "web1"
NAME = "shop.example.org"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one of the CA's servers sends."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    silence: float = 0.0


@dataclasses.dataclass(frozen=True)
class Asked:
    """An OCSP request."""

    certificate: x509.Certificate
    algorithm: hashes.HashAlgorithm
    by: str = ""
    """the address that asks"""
    version: str = ""
    """of HTTP"""


class CaServer(http.server.ThreadingHTTPServer):
    """OCSP at ``/ocsp``, CRLs and certificates at their paths. ``ocsp`` may be replaced, and ``files`` changed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, issuing: Authority | None = None, address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), _Handler)
        self.url = f"http://{address}:{self.server_address[1]}"
        self.files: dict[str, bytes | Answer] = {}
        self.known: dict[int, x509.Certificate] = {}
        self.ocsp: Callable[[Asked], Answer] = self.good
        self.issuing = issuing
        self.ahead = 0.0
        """seconds that the servers' clock is wrong, as their Date tells"""
        self.takes_post = True

    def good(self, asked: Asked, **how: Any) -> Answer:
        return self.signed(asked, "good", **how)

    def signed(self, asked: Asked, status: str, **how: Any) -> Answer:
        assert self.issuing is not None
        return Answer(self.issuing.ocsp(asked.certificate, status, algorithm=asked.algorithm, **how))

    def answer_of(self, path: str, body: bytes, by: str, version: str) -> Answer:
        """For an absolute URL too, as a proxy is asked."""
        if path.startswith("http://"):
            path = urllib.parse.urlsplit(path).path
        if not path.startswith("/ocsp"):
            found = self.files.get(path, Answer(status=404))
            return found if isinstance(found, Answer) else Answer(found)
        try:
            request = body or base64.b64decode(urllib.parse.unquote(path[len("/ocsp/") :]), validate=True)
            parsed = ocsp.load_der_ocsp_request(request)
            return self.ocsp(Asked(self.known[parsed.serial_number], parsed.hash_algorithm, by, version))
        except (KeyError, ValueError, binascii.Error):
            return Answer(ocsp_error("unauthorized"))

    def __enter__(self) -> CaServer:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Peers go away, as they may."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: CaServer

    def do_GET(self) -> None:
        self._send(self.server.answer_of(self.path, b"", self.client_address[0], self.request_version))

    def do_POST(self) -> None:
        if not self.server.takes_post:
            return self._send(Answer(status=405))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return self._send(self.server.answer_of(self.path, body, self.client_address[0], self.request_version))

    def _send(self, answer: Answer) -> None:
        time.sleep(answer.silence)
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() + self.server.ahead)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


class World:
    """Everything lies below ``place`` and ends with the ``with`` block."""

    address = "127.0.0.1"

    def __init__(self, place: Path) -> None:
        self.place = place
        self.modules = HostModules(place / "certops")
        self.nginx: Nginx | None = None
        self.options: dict[str, Any] = {}
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        self.ca = CaServer(address=self.address).__enter__()
        self.root = Authority.root("Diagnosed Root")
        self.issuing = self.root.intermediate("Diagnosed CA", crl_urls=[f"{self.ca.url}/root.crl"])
        self.ca.issuing = self.issuing
        self.publish()
        (self.place / "root.pem").write_text(self.root.pem)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.nginx is not None:
            self.nginx.stop()
        self.ca.__exit__(*exc)

    def publish(self, revoked: Sequence[int] = (), **how: Any) -> None:
        """CRLs of both CAs."""
        self.ca.files["/root.crl"] = self.root.crl()
        self.ca.files["/ca.crl"] = self.issuing.crl(revoked, **how)

    def leaf(self, *names: str, by: Authority | None = None, **wanted: Any) -> Issued:
        """A certificate with all pointers, unless they are given otherwise."""
        wanted.setdefault("ocsp_urls", [f"{self.ca.url}/ocsp"])
        wanted.setdefault("crl_urls", [f"{self.ca.url}/{'root' if by is self.root else 'ca'}.crl"])
        issued = (by or self.issuing).issue(names or (NAME,), **wanted)
        self.ca.known[issued.serial] = issued.certificate
        return issued

    def stapling(self, *more: str, trust: str | None = None) -> str:
        """Directives of a server block that staples as it should."""
        path = self.write("trust.pem", self.issuing.pem + self.root.pem if trust is None else trust)
        return "\n".join(["ssl_stapling on;", "ssl_stapling_verify on;", f"ssl_trusted_certificate {path};", *more])

    def vhost(self, issued: Issued, extra: str | None = None, *, chain: str | None = None, name: str = NAME) -> Vhost:
        certificate = self.write(f"{issued.serial}.crt", issued.chain_pem if chain is None else chain)
        key = self.write(f"{issued.serial}.key", issued.key_pem)
        return Vhost([name], certificate, key, self.stapling() if extra is None else extra)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.place / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def start(self, *vhosts: Vhost, workers: int = 1) -> Nginx:
        self.nginx = self.made_nginx(vhosts, workers)
        self.nginx.start()
        return self.nginx

    def made_nginx(self, vhosts: Sequence[Vhost], workers: int) -> Nginx:
        return Nginx(self.place / "nginx", vhosts, workers)

    def prime(self) -> None:
        """Shake hands until nginx has had time to fetch its staple."""
        assert self.nginx is not None
        for _time in range(2):
            for vhost in self.nginx.vhosts:
                self.staple(vhost)
            time.sleep(0.4)

    def staple(self, vhost: Vhost) -> bytes | None:
        from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshake

        return handshake(Endpoint(self.address, vhost.port, vhost.names[0]), timeout=5).staple

    def rotation(self, **more: Any) -> dict[str, Any]:
        port = self.nginx.vhosts[0].port if self.nginx else 1
        listeners = [{"address": self.address, "port": port}]
        return {"host": HOST, "name": "shop", "server_names": [NAME], "listeners": listeners, **more}

    def diagnosed(self, *, look: bool = True, **more: Any) -> list[dict[str, Any]]:
        """The causes for the one certificate, by the real steps of the playbook."""
        trusted = {"trust_anchors": [str(self.place / "root.pem")], "timeout": 4.0, "cache_dir": ""}
        wanted = {**trusted, "slow_after": 2.0, **self.options, "rotations": {HOST: [self.rotation(**more)]}}
        seen = run_action(client_view_info.ActionModule, wanted)
        rotations = _rotations(seen)
        if look:
            dump = [*self.nginx.command, "-T"] if self.nginx else []
            given = {"rotations": rotations, "nginx_dump": dump, "timeout": 4.0, "slow_after": 2.0}
            rotations = run_host_action(host_view_info.ActionModule, given, self.modules)["rotations"]
        ended = run_action(diagnosis_info.ActionModule, {**trusted, "rotations": {HOST: rotations}})
        self.lines = ended["lines"]
        causes: list[dict[str, Any]] = ended["diagnoses"][HOST]["shop"]
        return causes

    def codes(self, **more: Any) -> list[str]:
        return [cause["code"] for cause in self.diagnosed(**more)]


def _rotations(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    assert not result.get("failed"), result
    rotations: list[dict[str, Any]] = result["rotations"][HOST]
    return rotations


def pems(*certificates: x509.Certificate) -> str:
    return "".join(pem(one) for one in certificates)
