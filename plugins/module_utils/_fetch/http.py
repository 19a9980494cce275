# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Getting bytes over HTTP from places that a certificate names, so: bounded in time, size, redirects and schemes.

Proxies are those of the environment (``http_proxy``, ``https_proxy``, ``no_proxy``). Nothing is parsed here.
"""

from __future__ import annotations

import dataclasses
import functools
import http.client
import ipaddress
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, Protocol

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError, within

VERSION = "0.1.0"
USER_AGENT = f"certops.rotation/{VERSION}"
_SCHEMES = ("http", "https")
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 1 << 16
_MEBIBYTE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Fetched:
    """An answer with status 200."""

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
    """Limits, and requests within them. ``timeout`` bounds each as a whole, redirects included.

    Every method raises RotationError: scheme_refused, address_refused, redirect_refused, name_not_resolved,
    unreachable, timeout, http_error (``status`` in its facts), too_large.
    """

    timeout: float = 10.0
    max_bytes: int = 64 * _MEBIBYTE
    max_redirects: int = 3
    allow_private: bool = True
    """Addresses that are not public may be asked. Internal CAs live there. When refused, the check is made on what the
    name resolves to before the request; with a proxy, the proxy is the one that must refuse."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        return self._request(url, "GET", None, dict(headers or {}), max_bytes or self.max_bytes)

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Fetched:
        return self._request(url, "POST", body, dict(headers or {}), max_bytes or self.max_bytes)

    def _request(self, url: str, method: str, body: bytes | None, headers: dict[str, str], max_bytes: int) -> Fetched:
        started = time.monotonic()
        exchange = _Exchange(self, method, body, headers, max_bytes, started + self.timeout)
        try:
            final_url, status, found, content = within(self.timeout, functools.partial(exchange.follow, url))
        except OutOfTimeError as exc:
            raise _timeout(url) from exc
        return Fetched(final_url, method, content, found, time.monotonic() - started, status)


@dataclasses.dataclass(frozen=True)
class _Exchange:
    """One request with the redirects it leads to."""

    client: HttpClient
    method: str
    body: bytes | None
    headers: dict[str, str]
    max_bytes: int
    deadline: float

    def follow(self, url: str) -> tuple[str, int, dict[str, str], bytes]:
        for _hop in range(self.client.max_redirects + 1):
            _check_scheme(url)
            if not self.client.allow_private:
                _check_address(url)
            answer = self._ask(url)
            if isinstance(answer, tuple):
                return (url, *answer)
            url = _redirected(url, answer)
        raise RotationError("redirect_refused", f"{url}: more than {self.client.max_redirects} redirects", url=url)

    def _ask(self, url: str) -> tuple[int, dict[str, str], bytes] | str:
        """The answer, or where it is said to be."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise _timeout(url)
        try:
            with self._open(url, remaining) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return response.status, headers, self._read(url, response)
        except urllib.error.HTTPError as exc:
            location = exc.headers.get("Location") if exc.headers else None
            exc.close()
            if exc.code in _REDIRECTS and location:
                return str(location)
            raise RotationError("http_error", f"{url}: HTTP status {exc.code}", url=url, status=exc.code) from exc
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise _failure(url, exc) from exc

    def _open(self, url: str, timeout: float) -> Any:
        request = urllib.request.Request(url, data=self.body, headers=self.headers, method=self.method)
        request.add_header("User-Agent", USER_AGENT)
        return _opener(url).open(request, timeout=timeout)

    def _read(self, url: str, response: Any) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > self.max_bytes:
                raise RotationError(
                    "too_large", f"{url}: more than {self.max_bytes} bytes", url=url, max_bytes=self.max_bytes
                )
            if time.monotonic() > self.deadline:
                raise _timeout(url)
        announced = response.headers.get("Content-Length")
        if announced is not None and announced.isdigit() and size < int(announced):
            raise RotationError("unreachable", f"{url}: the answer breaks off", url=url)
        return b"".join(chunks)


def _opener(url: str) -> urllib.request.OpenerDirector:
    """What opens http and https and nothing else, and follows no redirect by itself.

    Ansible's ``open_url`` loads the trust store for every request, http ones too, which costs ten times the request,
    and sets the opener of the whole process, which is shared here by threads and with Ansible.
    """
    opener = urllib.request.OpenerDirector()
    opener.add_handler(urllib.request.ProxyHandler())
    opener.add_handler(urllib.request.HTTPHandler())
    if url.lower().startswith("https:"):
        opener.add_handler(urllib.request.HTTPSHandler(context=_tls_context()))
    opener.add_handler(urllib.request.HTTPErrorProcessor())
    opener.add_handler(urllib.request.HTTPDefaultErrorHandler())
    return opener


@functools.lru_cache(maxsize=None)
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _check_scheme(url: str) -> None:
    """file:, ftp:, ldap: and the like are never followed, wherever the URL came from."""
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or any(character.isspace() or not character.isprintable() for character in url):
        raise RotationError("scheme_refused", f"{url!r} is no http or https URL", url=url)


def _check_address(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise _failure(url, exc) from exc
    for *_socket, address in found:
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            raise RotationError("address_refused", f"{url} leads to the private address {address[0]}", url=url)


def _redirected(url: str, location: str) -> str:
    target = urllib.parse.urljoin(url, location)
    try:
        _check_scheme(target)
    except RotationError as exc:
        raise RotationError("redirect_refused", f"{url} redirects to {location!r}", url=url) from exc
    return target


def _timeout(url: str) -> RotationError:
    return RotationError("timeout", f"{url}: no complete answer in time", url=url)


def _failure(url: str, error: Exception) -> RotationError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, (TimeoutError, socket.timeout)):
        return _timeout(url)
    if isinstance(cause, (socket.gaierror, UnicodeError)):
        return RotationError("name_not_resolved", f"{url}: the name of the host cannot be resolved", url=url)
    if isinstance(cause, ssl.SSLError):
        return RotationError("unreachable", f"{url}: TLS fails: {cause}", url=url)
    return RotationError("unreachable", f"{url}: {cause}", url=url)
