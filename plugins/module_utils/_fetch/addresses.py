# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All addresses of a name, in bounded time."""

from __future__ import annotations

import socket

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError, within


def addresses_of(name: str, port: int, *, timeout: float) -> list[str]:
    """IPv4 and IPv6, each once. RotationError ``name_not_resolved``."""
    try:
        found = within(timeout, lambda: socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
    except OutOfTimeError as exc:
        raise _unresolved(name, f"no name server answers within {timeout:g} s") from exc
    except (OSError, UnicodeError) as exc:
        raise _unresolved(name, str(exc)) from exc
    return list(dict.fromkeys(str(address[0]) for *_socket, address in found))


def _unresolved(name: str, why: str) -> RotationError:
    return RotationError("name_not_resolved", f"{name} cannot be resolved: {why}", name=name)
