# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far this host comes with a request to a CA's server: with its own resolver, firewall and proxy.

The URLs stand in certificates, and whoever had one issued wrote them: only http and https, to no address where no CA
can be, bounded in time and size, and no redirects.
"""

from __future__ import annotations

import base64
import contextlib
import email.utils
import http.client
import ipaddress
import socket
import threading
import time
import urllib.parse
import urllib.request
from typing import Any

_MOST = 64 * 1024
_PORTS = {"http": 80, "https": 443}
_OF_PROXIES = (407, 511)
# No CA is there, but the credentials of a cloud's machine are.
_METADATA = ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")


def reached(target: dict[str, Any], timeout: float, slow_after: float) -> dict[str, Any]:
    """What became of one request: directly, and by the proxy of the environment if there is one."""
    direct = _bounded(target, timeout, slow_after, None)
    if direct["code"] == "slow" and direct["status"] is not None:
        direct = _bounded(target, timeout, slow_after, None)  # once may be chance
    proxy = _proxy(target["url"])
    if proxy is None or direct["code"] in ("ok", "not_asked"):
        return direct
    by_proxy = _bounded(target, timeout, slow_after, proxy)
    if by_proxy["code"] != "ok":
        return direct
    msg = "only by the proxy {}:{}; directly: {}".format(proxy[0], proxy[1], direct["msg"])
    return dict(by_proxy, code="proxied", msg=msg)


def _bounded(
    target: dict[str, Any], timeout: float, slow_after: float, proxy: tuple[str, int] | None
) -> dict[str, Any]:
    """In a thread, as a resolver can hang for longer than any socket."""
    attempt = _Attempt(target, timeout, slow_after, proxy)
    thread = threading.Thread(target=attempt.run, daemon=True)
    thread.start()
    thread.join(timeout)
    found = attempt.found or attempt.out_of_time()
    about = {name: target.get(name) for name in ("url", "kind", "about")}
    return {**about, "status": None, "clock_ahead": None, **found}


def _proxy(url: str) -> tuple[str, int] | None:
    """Host and port of the proxy for ``url``, without the password that may stand in its URL."""
    parts = urllib.parse.urlsplit(url)
    with contextlib.suppress(ValueError):
        named = urllib.request.getproxies().get(parts.scheme)
        if not named or urllib.request.proxy_bypass(parts.netloc):
            return None
        place = urllib.parse.urlsplit(named if "://" in named else "http://" + named)
        if place.hostname:
            return place.hostname, place.port or 3128
    return None


class _Attempt:
    def __init__(
        self, target: dict[str, Any], timeout: float, slow_after: float, proxy: tuple[str, int] | None
    ) -> None:
        self.found: dict[str, Any] = {}
        self._target, self._timeout, self._slow_after, self._proxy = target, timeout, slow_after, proxy
        self._stage = "resolving"
        self._started = time.monotonic()

    def run(self) -> None:
        try:
            self.found = self._exchanged()
        except socket.timeout:
            self.found = self.out_of_time()
        except socket.gaierror as exc:
            self.found = _ended("name_not_resolved", f"the name cannot be resolved: {exc.strerror or exc}")
        except ConnectionRefusedError:
            self.found = _ended("refused", "the connection is refused")
        except (OSError, http.client.HTTPException, ValueError) as exc:
            said = getattr(exc, "strerror", None) or exc
            if self._stage == "connecting":
                self.found = _ended("blocked", f"no connection: {said}")
            else:
                self.found = _ended("broken", f"the connection breaks off: {said}")

    def out_of_time(self) -> dict[str, Any]:
        limit = f"within {self._timeout:g} s"
        if self._stage == "resolving":
            return _ended("name_not_resolved", "the name servers do not answer " + limit)
        if self._stage == "connecting":
            return _ended("blocked", "no connection " + limit)
        return _ended("slow", "connected, and no answer " + limit)

    def _exchanged(self) -> dict[str, Any]:
        parts = urllib.parse.urlsplit(self._target["url"])
        if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
            return _ended("not_asked", "no http or https URL")
        host, port = self._proxy or (parts.hostname, parts.port or _PORTS[parts.scheme])
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if self._proxy is None:
            for place in places:
                if _is_nowhere(str(place[4][0])):
                    return _ended("not_asked", f"it leads to {place[4][0]}, where no CA can be")
        self._stage = "connecting"
        connection = self._connection(parts, host, port, places)
        try:
            self._stage = "waiting"
            return self._answer(connection, parts)
        finally:
            connection.close()

    def _connection(
        self, parts: urllib.parse.SplitResult, host: str, port: int, places: list[Any]
    ) -> http.client.HTTPConnection:
        """To the first of the addresses that answers; https by a proxy is not tried, since OCSP is plain HTTP."""
        if parts.scheme == "https" and self._proxy is None:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=self._timeout)
            connection.connect()
            return connection
        connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        connection.sock = _connected(places, self._timeout)
        return connection

    def _answer(self, connection: http.client.HTTPConnection, parts: urllib.parse.SplitResult) -> dict[str, Any]:
        path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        if self._target.get("request_b64"):
            # By GET whatever the length, as nginx asks: some responders publish files, and take no POST.
            path = path.rstrip("/") + "/" + urllib.parse.quote(self._target["request_b64"], safe="")
        target = f"{parts.scheme}://{parts.netloc}{path}" if self._proxy else path
        headers = {"Host": parts.netloc, "User-Agent": "certops.rotation", "Connection": "close"}
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        content = response.read(_MOST)
        return self._judged(response, content)

    def _judged(self, response: http.client.HTTPResponse, content: bytes) -> dict[str, Any]:
        seconds = time.monotonic() - self._started
        kind, via = response.getheader("Content-Type") or "", response.getheader("Via") or ""
        by = ", via " + via if via else ""
        found = _ended("ok", f"HTTP status {response.status} after {seconds:.2f} s")
        if response.status in _OF_PROXIES or (kind.startswith("text/html") and (response.status == 200 or via)):
            found = _ended("proxied", f"HTTP {response.status} with {kind}{by}: not the CA's server")
        elif response.status >= 400:
            found = _ended("http_error", f"HTTP status {response.status}{by}")
        elif seconds > self._slow_after:
            found = _ended("slow", f"it answered after {seconds:.1f} s")
        found.update(status=response.status, clock_ahead=_clock_ahead(response))
        if self._target["kind"] == "ocsp" and found["code"] in ("ok", "slow"):
            found["answer_b64"] = base64.b64encode(content).decode("ascii")
        return found


def _connected(places: list[Any], timeout: float) -> socket.socket:
    """An answer from any address will do; each may take its share of the time."""
    for number, (family, kind, protocol, _name, address) in enumerate(places, 1):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(timeout / len(places))
            sock.connect(address)
            sock.settimeout(timeout)
            return sock
        except OSError:
            sock.close()
            if number == len(places):
                raise
    raise OSError("the name has no address")


def _is_nowhere(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return any(
        one.is_link_local or one.is_multicast or one.is_unspecified or str(one) in _METADATA
        for one in (address, mapped)
        if one is not None
    )


def _ended(code: str, msg: str) -> dict[str, Any]:
    return {"code": code, "msg": msg}


def _clock_ahead(response: http.client.HTTPResponse) -> float | None:
    """Seconds that the server's Date is ahead of this host's clock."""
    try:
        moment = email.utils.parsedate_to_datetime(response.getheader("Date") or "")
        age = int(response.getheader("Age") or 0)
    except (TypeError, ValueError, IndexError):
        return None
    return round(moment.timestamp() + max(0, age) - time.time(), 1)
