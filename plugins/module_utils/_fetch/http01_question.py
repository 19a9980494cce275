# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a web server for an answer to http-01, as a certificate authority does (RFC 8555 section 8.3).

Plain HTTP to a given address with the name as Host, never through a proxy. Redirects are followed as authorities do:
to HTTP and HTTPS of the same names, and without a look at the certificate, which may be the very one to be replaced.
"""

from __future__ import annotations

import functools
import http.client
import ipaddress
import secrets
import ssl
import urllib.parse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError, within

_PATH = "/.well-known/acme-challenge/"
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_MOST_BYTES = 4096
_AT_ONCE = 16


@dataclass(frozen=True)
class Question:
    """Does ``address`` answer challenges for ``name`` with the thumbprint of this account key?"""

    name: str
    address: str
    thumbprint: str
    port: int = 80
    tls_port: int = 443
    """Where a redirect to HTTPS leads."""
    names: frozenset[str] = frozenset()
    """Names that lead to the same address, for redirects from one to the other."""


@dataclass(frozen=True)
class _Place:
    scheme: str
    name: str
    path: str


def what_is_wrong(questions: Sequence[Question], *, timeout: float) -> list[str | None]:
    """For each question None if the answer is right, else a sentence about what came instead."""
    if not questions:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE, len(questions))) as pool:
        return list(pool.map(functools.partial(_ask, timeout=timeout), questions))


def _ask(question: Question, *, timeout: float) -> str | None:
    token = secrets.token_urlsafe(32)
    way = [f"http://{question.name}{_PATH}{token} at {_authority(question.address)}:{question.port}"]
    try:
        wrong = within(timeout, functools.partial(_follow, question, token, timeout, way))
    except OutOfTimeError:
        wrong = "there is no answer in time"
    except (OSError, http.client.HTTPException, ValueError) as exc:
        wrong = str(exc) or type(exc).__name__
    return f"{', redirected to '.join(way)}: {wrong}" if wrong else None


def _follow(question: Question, token: str, timeout: float, way: list[str]) -> str | None:
    """What is wrong in the end; each redirect is added to ``way``."""
    place = _Place("http", question.name, _PATH + token)
    for _hop in range(_MOST_REDIRECTS + 1):
        status, location, body = _get(question, place, timeout)
        if status in _REDIRECTS and location:
            way.append(location[:200])
            following = _redirected(question, place, location)
            if following is None:
                return "that is not followed here"
            place = following
        elif status != 200:
            return f"the status is {status}, not 200"
        elif body.decode("ascii", "replace").rstrip() != f"{token}.{question.thumbprint}":
            return "the answer is not the one for this account's key"
        else:
            return None
    return f"more than {_MOST_REDIRECTS} redirects"


def _get(question: Question, place: _Place, timeout: float) -> tuple[int, str | None, bytes]:
    connection: http.client.HTTPConnection
    if place.scheme == "https":
        connection = _Unverified(question.address, question.tls_port, place.name, timeout)
    else:
        connection = http.client.HTTPConnection(question.address, question.port, timeout=timeout)
    try:
        headers = {"Host": _authority(place.name), "User-Agent": "certops.rotation", "Connection": "close"}
        connection.request("GET", place.path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers.get("Location"), response.read(_MOST_BYTES)
    finally:
        connection.close()


def _redirected(question: Question, place: _Place, location: str) -> _Place | None:
    """Where to go on; None where an authority would not, or where only DNS knows the way."""
    parts = urllib.parse.urlsplit(
        urllib.parse.urljoin(f"{place.scheme}://{_authority(place.name)}{place.path}", location)
    )
    name = (parts.hostname or "").lower()
    port = question.tls_port if parts.scheme == "https" else question.port
    if parts.scheme not in ("http", "https") or parts.port not in (None, 80 if parts.scheme == "http" else 443, port):
        return None
    if name not in {question.name.lower(), *question.names}:
        return None
    return _Place(parts.scheme, name, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _authority(name: str) -> str:
    return f"[{name}]" if ":" in name else name


class _Unverified(http.client.HTTPConnection):
    """HTTPS to an address under another name, whatever the certificate: what counts is in the answer."""

    def __init__(self, address: str, port: int, name: str, timeout: float) -> None:
        super().__init__(address, port, timeout=timeout)
        self._name = name

    def connect(self) -> None:
        super().connect()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=None if _is_address(self._name) else self._name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
