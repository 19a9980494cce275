# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a request to a CA's server comes: to its name, to a connection, to an answer in time.

For a diagnosis, which wants to know where it ends; what is to be judged is fetched by ``http.py``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import email.utils
import http.client
import socket
import time
import urllib.parse
from collections.abc import Mapping
from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.connection import Line, connected, left
from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError, within
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import USER_AGENT

_READ = 1 << 16
_OF_PROXIES = (407, 511)


@dataclasses.dataclass(frozen=True)
class Reach:
    """Where a request ended."""

    url: str
    code: str
    """ok, name_not_resolved, refused, blocked, slow, proxied, http_error, broken, not_asked"""
    msg: str
    seconds: float
    status: int | None = None
    clock_ahead: float | None = None
    """seconds that the server's Date is ahead of this machine's clock, the answer's age in caches taken off"""


@dataclasses.dataclass
class _Progress:
    stage: str = "resolving"
    line: Line | None = None


@dataclasses.dataclass(frozen=True)
class _Head:
    status: int
    headers: Mapping[str, str]


def reach(url: str, *, asked_at: str = "", body: bytes | None = None, timeout: float, slow_after: float) -> Reach:
    """Ask once, as ``http.py`` would: by the proxy of the environment, to no address where no CA can be.

    :param asked_at: what to ask where it is not ``url`` itself, such as the URL of an OCSP GET.
    """
    started, progress = time.monotonic(), _Progress()
    try:
        head = within(timeout, lambda: _exchange(asked_at or url, body, started + timeout, progress))
    except OutOfTimeError:
        _cut(progress)
        return Reach(url, *_out_of_time(progress, timeout), time.monotonic() - started)
    except RotationError as error:
        code = "name_not_resolved" if error.code == "name_not_resolved" else "not_asked"
        return Reach(url, code, error.message, time.monotonic() - started)
    except (OSError, http.client.HTTPException, ValueError) as exc:
        return Reach(url, *_failure(exc, progress, timeout), time.monotonic() - started)
    seconds = time.monotonic() - started
    code, msg = judged_head(head.status, head.headers, seconds, slow_after)
    return Reach(url, code, msg, seconds, head.status, _clock_ahead(head.headers, seconds))


def judged_head(status: int, headers: Mapping[str, str], seconds: float, slow_after: float) -> tuple[str, str]:
    """What the head of an answer tells: whether a proxy speaks, an error, or just late."""
    content_type, via = headers.get("content-type", ""), headers.get("via", "")
    by = f", via {via}" if via else ""
    if status in _OF_PROXIES or (content_type.startswith("text/html") and (status == 200 or via)):
        return (
            "proxied",
            f"HTTP {status} with {content_type or 'no content type'}{by}: not the answer of the CA's server",
        )
    if status >= 400:
        return "http_error", f"HTTP status {status}{by}"
    if seconds > slow_after:
        return "slow", f"it answered after {seconds:.1f} s"
    return "ok", f"HTTP status {status} after {seconds:.2f} s"


def _exchange(url: str, body: bytes | None, deadline: float, progress: _Progress) -> _Head:
    # A name that only a proxy knows is no fault yet; one that takes all the time is.
    with contextlib.suppress(OSError, UnicodeError):
        socket.getaddrinfo(urllib.parse.urlsplit(url).hostname, None)
    progress.stage = "connecting"
    with connected(url, deadline=deadline, allow_private=True) as line:
        progress.stage, progress.line = "waiting", line
        headers = {"User-Agent": USER_AGENT, "Connection": "close", **line.headers}
        if body is not None:
            headers["Content-Type"] = "application/ocsp-request"
        line.connection.request("GET" if body is None else "POST", line.target, body, headers)
        line.connection.sock.settimeout(left(deadline))
        with line.connection.getresponse() as response:
            found = {name.lower(): ", ".join(response.headers.get_all(name, [])) for name in response.headers}
            response.read(_READ)
            return _Head(response.status, found)


def _out_of_time(progress: _Progress, timeout: float) -> tuple[str, str]:
    if progress.stage == "waiting":
        return "slow", f"connected, and no answer within {timeout:g} s"
    if progress.stage == "resolving":
        return "name_not_resolved", f"the name servers do not answer within {timeout:g} s"
    return "blocked", f"no connection within {timeout:g} s"


def _failure(exc: Exception, progress: _Progress, timeout: float) -> tuple[str, str]:
    if isinstance(exc, TimeoutError):
        return _out_of_time(progress, timeout)
    if isinstance(exc, ConnectionRefusedError):
        return "refused", "the connection is refused"
    if progress.stage != "waiting" and isinstance(exc, OSError):
        return "blocked", f"no connection: {exc.strerror or exc}"
    return "broken", f"the connection breaks off: {exc or type(exc).__name__}"


def _cut(progress: _Progress) -> None:
    """End the thread that was left behind."""
    with contextlib.suppress(OSError, AttributeError):
        if progress.line is not None:
            progress.line.connection.close()


def _clock_ahead(headers: Mapping[str, str], seconds: float) -> float | None:
    """Half of the time that the exchange took is the best guess for when the server wrote its date."""
    moment = date_of(headers)
    if moment is None:
        return None
    return (moment - datetime.now(timezone.utc)).total_seconds() + seconds / 2


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """``Date`` plus ``Age``: a cache sends the date of when it got the answer (RFC 9111 5.1)."""
    try:
        moment = email.utils.parsedate_to_datetime(headers.get("date", ""))
        age = int(headers.get("age", "0"))
    except (TypeError, ValueError, IndexError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return datetime.fromtimestamp(moment.timestamp() + max(0, age), timezone.utc)
