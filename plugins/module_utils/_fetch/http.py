# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Getting bytes over HTTP from places that a certificate names, so: bounded in time, size, redirects and schemes.

Proxies are those of the environment (``http_proxy``, ``https_proxy``, ``no_proxy``). Nothing is parsed here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.client
import socket
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any, Protocol

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.connection import Line, connected, left
from ansible_collections.certops.rotation.plugins.module_utils._fetch.content_encoding import decoded
from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError, within
from ansible_collections.certops.rotation.plugins.module_utils._fetch.retry import retry_after, retrying

VERSION = "0.1.0"
USER_AGENT = f"certops.rotation/{VERSION}"
_SCHEMES = ("http", "https")
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 1 << 16
_MEBIBYTE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Fetched:
    """An answer with status 200, or 304 to a request with conditions."""

    url: str
    """where it came from in the end"""
    method: str
    body: bytes
    headers: Mapping[str, str]
    """names in lower case"""
    seconds: float
    status: int = 200
    cached: str | None = None
    """None for what was fetched now; else, as ``Source.cache_state``, what became of a copy kept by an earlier run"""


class Fetcher(Protocol):
    """What judging needs of the network; tests may answer from a dictionary."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched: ...

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Fetched: ...


@dataclasses.dataclass(frozen=True)
class HttpClient:
    """Limits, and requests within them. ``timeout`` bounds each as a whole, redirects and retries included.

    Every method raises RotationError: scheme_refused, url_refused, address_refused, redirect_refused,
    proxy_unsupported, name_not_resolved, unreachable, timeout, http_error (``status`` in its facts), too_large,
    encoding_unsupported.
    """

    timeout: float = 10.0
    max_bytes: int = 64 * _MEBIBYTE
    max_redirects: int = 3
    allow_private: bool = True
    """Addresses that are not public may be asked. Internal CAs live there. When refused, the connection is made to an
    address that was checked; with a proxy, the proxy is the one that must refuse. Link-local addresses and those of
    cloud metadata are refused in any case."""
    retries: int = 0
    """how often a request is made again for what may pass"""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        return self._request(url, "GET", None, dict(headers or {}), max_bytes or self.max_bytes)

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Fetched:
        return self._request(url, "POST", body, dict(headers or {}), max_bytes or self.max_bytes)

    def _request(self, url: str, method: str, body: bytes | None, headers: dict[str, str], max_bytes: int) -> Fetched:
        started = time.monotonic()
        deadline = started + self.timeout
        exchange = _Exchange(self, method, body, headers, max_bytes, deadline)
        attempts = functools.partial(
            retrying, functools.partial(exchange.follow, url), retries=self.retries, deadline=deadline
        )
        try:
            answer = within(self.timeout, attempts)
        except OutOfTimeError as exc:
            exchange.cut()
            raise _timeout(url) from exc
        return Fetched(answer.url, method, answer.body, answer.headers, time.monotonic() - started, answer.status)


@dataclasses.dataclass(frozen=True)
class _Answer:
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclasses.dataclass(frozen=True)
class _Exchange:
    """One request with the redirects it leads to."""

    client: HttpClient
    method: str
    body: bytes | None
    headers: dict[str, str]
    max_bytes: int
    deadline: float
    open_lines: list[Line] = dataclasses.field(default_factory=list)

    def cut(self) -> None:
        """End the thread that was left behind with a peer that sends one byte now and then."""
        for line in tuple(self.open_lines):
            with contextlib.suppress(OSError, AttributeError):
                line.connection.sock.shutdown(socket.SHUT_RDWR)

    def follow(self, url: str, answer_by: float) -> _Answer:
        """:param answer_by: when the head of the answer must be there; what flows may flow until the deadline."""
        _check_url(url)
        for _hop in range(self.client.max_redirects + 1):
            answer = self._ask(url, answer_by)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return self._accepted(answer)
            url = self._redirected(url, location, answer.status)
        raise RotationError("redirect_refused", f"{url}: more than {self.client.max_redirects} redirects", url=url)

    def _accepted(self, answer: _Answer) -> _Answer:
        is_conditional = any(name.lower() in ("if-none-match", "if-modified-since") for name in self.headers)
        if answer.status == 200 or (answer.status == 304 and is_conditional):
            return answer
        facts: dict[str, Any] = {"url": answer.url, "status": answer.status}
        pause = retry_after(answer.headers)
        if pause is not None:
            facts["retry_after"] = pause
        raise RotationError("http_error", f"{answer.url}: HTTP status {answer.status}", **facts)

    def _ask(self, url: str, answer_by: float) -> _Answer:
        try:
            with connected(url, deadline=answer_by, allow_private=self.client.allow_private) as line:
                self.open_lines.append(line)
                return self._exchanged(url, line, answer_by)
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise _failure(url, exc) from exc

    def _exchanged(self, url: str, line: Line, answer_by: float) -> _Answer:
        headers = {"User-Agent": USER_AGENT, "Connection": "close", **self.headers, **line.headers}
        line.connection.request(self.method, line.target, self.body, headers)
        sock = line.connection.sock
        sock.settimeout(left(answer_by))
        with line.connection.getresponse() as response:
            found = {name.lower(): ", ".join(response.headers.get_all(name, [])) for name in response.headers}
            body = b""
            if response.status == 200:
                sock.settimeout(left(self.deadline))
                body = decoded(url, self._read(url, response), found, max_bytes=self.max_bytes)
            return _Answer(url, response.status, found, body)

    def _read(self, url: str, response: http.client.HTTPResponse) -> bytes:
        announced = response.length  # None for what is chunked, or ends with the connection
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > self.max_bytes:
                raise RotationError(
                    "too_large", f"{url}: more than {self.max_bytes} bytes", url=url, max_bytes=self.max_bytes
                )
            left(self.deadline)
        if announced is not None and size < announced:
            raise http.client.IncompleteRead(b"", announced - size)
        return b"".join(chunks)

    def _redirected(self, url: str, location: str, status: int) -> str:
        target = urllib.parse.urljoin(url, location)
        try:
            _check_url(target)
        except RotationError as exc:
            raise RotationError("redirect_refused", f"{url} redirects to {location!r}", url=url) from exc
        if url.lower().startswith("https:") and not target.lower().startswith("https:"):
            # Who named https wants no one on the way to choose which of its old answers is given.
            raise RotationError("redirect_refused", f"{url} redirects away from https to {location!r}", url=url)
        if status == 303 and self.method != "GET":
            raise RotationError("redirect_refused", f"{url} redirects to what is no answer of the request", url=url)
        return target


def _check_url(url: str) -> None:
    """file:, ftp:, ldap: and the like are never followed, wherever the URL came from."""
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or not url.isprintable() or any(character.isspace() for character in url):
        raise RotationError("scheme_refused", f"{url!r} is no http or https URL", url=url)
    if "@" in parts.netloc:
        raise RotationError("url_refused", f"the URL of {parts.hostname} carries a user name", host=parts.hostname)


def _timeout(url: str) -> RotationError:
    return RotationError("timeout", f"{url}: no complete answer in time", url=url)


def _failure(url: str, cause: Exception) -> RotationError:
    if isinstance(cause, (TimeoutError, socket.timeout)):
        return _timeout(url)
    if isinstance(cause, (socket.gaierror, UnicodeError)):
        return RotationError("name_not_resolved", f"{url}: the name of the host cannot be resolved", url=url)
    if isinstance(cause, ssl.SSLError):
        return RotationError("unreachable", f"{url}: TLS fails: {cause}", url=url)
    if isinstance(cause, http.client.IncompleteRead):
        return RotationError("unreachable", f"{url}: the answer breaks off", url=url)
    return RotationError("unreachable", f"{url}: {cause or type(cause).__name__}", url=url)
