# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking again: for what may pass, a little later each time, never beyond the time limit of the whole request."""

from __future__ import annotations

import email.utils
import http.client
import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TypeVar

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_FIRST_PAUSE = 0.25
_MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
_BREAKS = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, http.client.IncompleteRead, ssl.SSLEOFError)

_Result = TypeVar("_Result")


def retrying(
    attempt: Callable[[float], _Result], *, retries: int, deadline: float, rest: Callable[[float], None] = time.sleep
) -> _Result:
    """The result of ``attempt(deadline)``, called again while its error may pass and there is time.

    An attempt that is not the last is given half of the time that is left: silence passes too, where one of several
    servers behind a name is down.

    :raises RotationError: that of the last attempt.
    """
    for number in range(retries):
        now = time.monotonic()
        try:
            return attempt(now + (deadline - now) / 2)
        except RotationError as error:
            pause = _pause(error, number)
            if pause is None or time.monotonic() + pause >= deadline:
                raise
        rest(pause)
    return attempt(deadline)


def _pause(error: RotationError, number: int) -> float | None:
    """Seconds to wait before the next attempt; None if it would be of no use."""
    if not may_pass(error):
        return None
    # Half of it at random: those who were sent away together do not come back together.
    backoff = _FIRST_PAUSE * 2**number * random.uniform(0.5, 1.0)
    return max(backoff, float(error.facts.get("retry_after") or 0.0))


def may_pass(error: RotationError) -> bool:
    """Is it worth asking again? Refused connections, refused URLs, unknown names and wrong certificates stay so."""
    if error.code == "timeout":
        return True
    if error.code == "http_error":
        return error.facts.get("status") in _MAY_PASS
    cause = error.__cause__
    if isinstance(cause, socket.gaierror):
        return cause.errno == socket.EAI_AGAIN
    return isinstance(cause, _BREAKS)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server wants to be left alone (RFC 9110 section 10.2.3); None if it does not say."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
