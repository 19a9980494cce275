# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a release is stapled on this host: the certificate decides, and whether the host reaches the responder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_REACH_TIMEOUT = 2.0


@dataclass(frozen=True)
class Stapling:
    """``off``, ``nginx`` (the server fetches) or ``file`` (we install staple.der), and why."""

    mode: str
    why: str


def choose_stapling(wanted: str, responder: dict[str, Any] | None, *, has_staple: bool, must_staple: bool) -> Stapling:
    """Decide on this host, at this moment. RotationError ``staple_missing`` where one is needed and none was given."""
    if wanted == "off":
        return Stapling("off", "switched off by the option stapling")
    if responder is None and wanted != "file":
        if must_staple:
            raise RotationError(
                "staple_missing",
                "The certificate demands a staple but names no OCSP responder",
                remedy="Have it issued again without must_staple.",
            )
        return Stapling("off", "the certificate names no OCSP responder")
    if not has_staple and (wanted == "file" or must_staple):
        raise RotationError("staple_missing", "This release needs a staple and none was given")
    if wanted != "auto":
        return Stapling(wanted, "asked for by the option stapling")
    if must_staple:
        return Stapling("file", "Must-Staple: nginx's first handshake after a reload would carry no staple")
    return _by_reach(responder or {}, has_staple)


def _by_reach(responder: dict[str, Any], has_staple: bool) -> Stapling:
    if not has_staple:
        return Stapling("nginx", "the server fetches it; no staple was given to install")
    where = "{}:{}".format(responder["host"], responder["port"])
    fault = _connection_fault(str(responder["host"]), int(responder["port"]))
    if fault is None:
        return Stapling("nginx", f"this host reaches the responder {where}")
    return Stapling("file", f"this host does not reach the responder {where}: {fault}")


def _connection_fault(host: str, port: int) -> str | None:
    """Why no TCP connection comes about within two seconds. In a thread, as a resolver can hang for longer."""
    import socket
    import threading

    fault = [f"no answer within {_REACH_TIMEOUT:g} seconds"]

    def connect() -> None:
        try:
            with socket.create_connection((host, port), timeout=_REACH_TIMEOUT):
                fault[0] = ""
        except (OSError, ValueError) as exc:
            fault[0] = str(exc)

    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(_REACH_TIMEOUT)
    return fault[0] or None
