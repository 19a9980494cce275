# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A handshake and what comes after it: under TLS 1.3 a server refuses a client certificate only then.

Asks for ``/`` like any client, with a client certificate if there is one, and reads the answer: an alert, or the page
with which nginx refuses, and the server's ``Date``. Nothing is verified here; ``tls.py`` tells what the server shows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import select
import socket
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import library
from ansible_collections.certops.rotation.plugins.module_utils._fetch import tls_alert
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import USER_AGENT
from ansible_collections.certops.rotation.plugins.module_utils._fetch.reach import date_of
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint

if TYPE_CHECKING:
    from OpenSSL import SSL
else:
    SSL = library("OpenSSL.SSL")

_LARGEST = 4096
_TITLE = re.compile(r"<title>([^<]{1,200})</title>")
_Result = TypeVar("_Result")


@dataclasses.dataclass(frozen=True)
class ClientCertificate:
    """Paths on this machine; OpenSSL reads the key by itself."""

    certificate_path: str
    key_path: str


@dataclasses.dataclass(frozen=True)
class Talk:
    """What a server said to a client."""

    presented: bool
    """a client certificate was there to be sent"""
    shown: bool = False
    """the server had shown its own certificate by then"""
    after_handshake: bool = False
    alert: int | None = None
    status: int | None = None
    says: str = ""
    """the title of the page, or the error"""
    clock_ahead: float | None = None
    """seconds that the server's Date is ahead of this machine's clock"""
    accepted: tuple[tuple[bytes, str], ...] = ()
    """names of the CAs whose client certificates the server accepts, in DER and as text"""


def talk(endpoint: Endpoint, *, timeout: float, client: ClientCertificate | None = None) -> Talk:
    """Never raises for what a network or a peer does. RotationError ``client_certificate_unusable``."""
    context = _context(client)
    seen = Talk(presented=client is not None)
    deadline = time.monotonic() + timeout
    try:
        with socket.create_connection((endpoint.address, endpoint.port), timeout=timeout) as sock:
            sock.setblocking(False)
            return _Conversation(SSL.Connection(context, sock), sock, deadline, endpoint).held(seen)
    except (OSError, UnicodeError) as exc:
        return dataclasses.replace(seen, says=str(exc))


def _context(client: ClientCertificate | None) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    if client is not None:
        try:
            context.use_certificate_chain_file(client.certificate_path)
            context.use_privatekey_file(client.key_path)
            context.check_privatekey()
        except (SSL.Error, OSError) as exc:
            raise RotationError(
                "client_certificate_unusable",
                f"{client.certificate_path} and {client.key_path} cannot be used as a client certificate and its key",
                remedy="give the certificate and the unencrypted private key that belongs to it, both as PEM",
            ) from exc
    return context


@dataclasses.dataclass
class _Conversation:
    connection: SSL.Connection
    sock: socket.socket
    deadline: float
    endpoint: Endpoint

    def held(self, seen: Talk) -> Talk:
        name = self.endpoint.server_name
        self.connection.set_connect_state()
        if name and re.search("[a-z]", name.rpartition(".")[2], re.IGNORECASE):
            self.connection.set_tlsext_host_name(name.encode("idna"))
        try:
            self._patiently(self.connection.do_handshake)
        except (SSL.Error, TimeoutError) as exc:
            return _refused(dataclasses.replace(seen, shown=self._has_shown()), exc)
        seen = dataclasses.replace(seen, shown=True, after_handshake=True, accepted=_accepted(self.connection))
        try:
            request = f"GET / HTTP/1.1\r\nHost: {name or self.endpoint.address}\r\nUser-Agent: {USER_AGENT}\r\n"
            self._patiently(lambda: self.connection.send(f"{request}Connection: close\r\n\r\n".encode()))
            return _answered(seen, self._read())
        except (SSL.Error, TimeoutError) as exc:
            return _refused(seen, exc)

    def _read(self) -> bytes:
        data = b""
        while len(data) < _LARGEST:
            try:
                part = self._patiently(lambda: self.connection.recv(_LARGEST))
            except (SSL.ZeroReturnError, SSL.SysCallError):
                break
            data += part
        return data

    def _patiently(self, action: Callable[[], _Result]) -> _Result:
        while True:
            remaining = self.deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("it took too long")
            try:
                return action()
            except SSL.WantReadError:
                select.select([self.sock], [], [], remaining)
            except SSL.WantWriteError:
                select.select([], [self.sock], [], remaining)

    def _has_shown(self) -> bool:
        return bool(self.connection.get_peer_cert_chain(as_cryptography=True))


def _refused(seen: Talk, exc: Exception) -> Talk:
    details = exc.args[0] if exc.args and isinstance(exc.args[0], list) else []
    reasons = [str(detail[-1]) for detail in details if detail]
    alert = next((number for reason in reasons if (number := tls_alert.number_of(reason)) is not None), None)
    says = "; ".join(reasons) or str(exc) or "the peer closed the connection"
    return dataclasses.replace(seen, alert=alert, says=says)


def _answered(seen: Talk, data: bytes) -> Talk:
    head, _end, body = data.decode("latin-1").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    words = first.split(" ", 2)
    status = int(words[1]) if len(words) > 1 and words[0].startswith("HTTP/") and words[1].isdigit() else None
    title = _TITLE.search(body)
    moment = date_of(headers)
    return dataclasses.replace(
        seen,
        status=status,
        says=title[1].strip() if title else first[:100],
        clock_ahead=None if moment is None else (moment - datetime.now(timezone.utc)).total_seconds(),
    )


def _accepted(connection: SSL.Connection) -> tuple[tuple[bytes, str], ...]:
    with contextlib.suppress(SSL.Error, UnicodeError):
        names = connection.get_client_ca_list()
        return tuple((name.der(), _text(name.get_components())) for name in names)
    return ()


def _text(components: list[tuple[bytes, bytes]]) -> str:
    return ",".join(f"{kind.decode()}={value.decode('utf-8', 'replace')}" for kind, value in reversed(components))
