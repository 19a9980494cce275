# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the CA: no sooner than it says, no longer than the order has."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_network import Answer

_FIRST_PAUSE, _GROWTH, _LONGEST = 0.25, 1.6, 5.0


def polled(
    client: AcmeClient, url: str, is_settled: Callable[[dict[str, Any]], bool], *, deadline: float, what: str
) -> dict[str, Any]:
    """The resource as soon as ``is_settled``.

    :param deadline: of ``time.monotonic()``.
    :raises RotationError: ``acme_order_timeout``, and what the server refuses.
    """
    pause = _FIRST_PAUSE
    while True:
        answer = client.post(url, None, deadline=deadline)
        body = answer.json()
        if is_settled(body):
            return body
        wait = max(pause, _wanted_by_server(answer))
        if time.monotonic() + wait >= deadline:
            raise out_of_time(url, body, what)
        time.sleep(wait)
        pause = min(pause * _GROWTH, _LONGEST)


def out_of_time(url: str, body: Mapping[str, Any], what: str) -> RotationError:
    """The CA has not come to an end with something."""
    status = str(body.get("status"))[:40]
    return RotationError(
        "acme_order_timeout",
        f"the CA has not decided about {what} in time (it is {status})",
        remedy="Run again, the order goes on where it is; timeout gives it longer.",
        url=url,
        status=status,
    )


def _wanted_by_server(answer: Answer) -> float:
    retry_at = answer.retry_at
    return max(0.0, (retry_at - datetime.now(timezone.utc)).total_seconds()) if retry_at else 0.0
