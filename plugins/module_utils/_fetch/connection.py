# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection for one HTTP request: to an address that was checked, or to the proxy of the environment."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import http.client
import socket
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch import address

_PORTS = {"http": 80, "https": 443}


@dataclasses.dataclass(frozen=True)
class Line:
    """An HTTP connection, not yet spoken on, and how a request on it must look."""

    connection: http.client.HTTPConnection
    target: str
    """what stands in the request line"""
    headers: Mapping[str, str]


@contextlib.contextmanager
def connected(url: str, *, deadline: float, allow_private: bool) -> Iterator[Line]:
    """A line to where ``url`` is, by the time of ``deadline`` (monotonic).

    Proxies are those of the environment; the name is then resolved by the proxy, which is the one that must refuse.

    :raises RotationError: address_refused, name_not_resolved, proxy_unsupported.
    :raises OSError: what the network does, certificates that are not trusted among it.
    """
    parts = urllib.parse.urlsplit(url)
    proxy = _proxy_of(parts)
    if proxy is None:
        line = _direct(url, parts, deadline, allow_private)
    else:
        literal = address.literal(str(parts.hostname))
        if literal is not None:
            address.check(url, literal, allow_private=allow_private)
        line = _by_proxy(url, parts, proxy, deadline)
    try:
        yield line
    finally:
        line.connection.close()


def left(deadline: float) -> float:
    """Seconds until ``deadline``. :raises TimeoutError: if there are none."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("out of time")
    return remaining


@functools.lru_cache(maxsize=None)
def tls_context() -> ssl.SSLContext:
    """What the system trusts. Loading it takes longer than a request: once, and only for https."""
    return ssl.create_default_context()


def _direct(url: str, parts: urllib.parse.SplitResult, deadline: float, allow_private: bool) -> Line:
    """The name is resolved once, and the connection made to what was checked: DNS may answer otherwise the next time.

    Host and SNI stay those of the URL.
    """
    host, port = str(parts.hostname), _port(parts)
    connection = _connection(parts.scheme, host, port)
    sock = _first_that_answers(address.places(url, host, port, allow_private=allow_private), deadline)
    try:
        if parts.scheme == "https":
            sock.settimeout(left(deadline))
            sock = tls_context().wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise
    connection.sock = sock
    return Line(connection, _path(parts), {})


def _first_that_answers(places: Sequence[address.Place], deadline: float) -> socket.socket:
    """One of several addresses may take half of the time that is left; the last all of it."""
    for number, (family, place) in enumerate(places, 1):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(left(deadline) / (1 if number == len(places) else 2))
            sock.connect(place)
        except OSError:
            sock.close()
            if number == len(places):
                raise
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise OSError("the name has no address")


def _proxy_of(parts: urllib.parse.SplitResult) -> str | None:
    """``http_proxy`` and ``https_proxy``, unless ``no_proxy`` names the host."""
    if urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get(parts.scheme) or None


def _by_proxy(url: str, parts: urllib.parse.SplitResult, proxy: str, deadline: float) -> Line:
    place = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if place.scheme not in _PORTS or not place.hostname:
        raise RotationError("proxy_unsupported", f"{url}: the proxy of the environment is no http proxy", url=url)
    is_tunnel = parts.scheme == "https"
    connection = _connection("https" if is_tunnel else place.scheme, place.hostname, _port(place))
    connection.timeout = left(deadline)
    if is_tunnel:
        connection.set_tunnel(str(parts.hostname), _port(parts), headers=_authorization(place))
        return Line(connection, _path(parts), {})
    return Line(connection, f"http://{parts.netloc}{_path(parts)}", _authorization(place))


def _authorization(proxy: urllib.parse.SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    user, password = (urllib.parse.unquote(part or "") for part in (proxy.username, proxy.password))
    token = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Proxy-Authorization": f"Basic {token}"}


def _connection(scheme: str, host: str, port: int) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, context=tls_context())
    return http.client.HTTPConnection(host, port)


def _path(parts: urllib.parse.SplitResult) -> str:
    """What stands in the request line: ASCII, and without the fragment."""
    query = f"?{parts.query}" if parts.query else ""
    return urllib.parse.quote((parts.path or "/") + query, safe="%/:;?&=+$,@!~*'()[]|-._")


def _port(parts: urllib.parse.SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]
