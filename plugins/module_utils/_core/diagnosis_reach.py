# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead ends: where there is no certificate to look at, and where there is no host to look at."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE, Cause, cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import (
    Seen,
    entries,
    host_name,
    host_view,
    place,
)

_CODES = {
    "name_not_resolved": "endpoint_name_not_resolved",
    "connection_refused": "endpoint_refused",
    "unreachable": "endpoint_blocked",
    "not_tls": "endpoint_not_tls",
    "starttls_refused": "endpoint_not_tls",
    "starttls_protocol_error": "endpoint_not_tls",
}


# What took all the time, by how its message begins.
_TOO_LONG = {
    "connecting": "endpoint_blocked",
    "resolving": "endpoint_name_not_resolved",
    "asking for TLS": "endpoint_not_tls",
}


def reach_causes(rotation: Seen) -> Iterator[Cause]:
    for entry in entries(rotation):
        error = entry.get("error")
        if error and not entry.get("sha256"):
            yield cause(_code(error), "certain", CONTROL_NODE, _evidence(rotation, entry))
    error = (rotation.get("host_view") or {}).get("error")
    if error:
        code = "host_not_reachable_by_ssh" if error["code"] == "host_unreachable" else "host_look_failed"
        yield cause(
            code, "possible", CONTROL_NODE, [f"{error['msg']} ({error['code']})"], remedy=error.get("remedy", "")
        )


def _code(error: Seen) -> str:
    if error["code"] == "timeout":
        found = (code for words, code in _TOO_LONG.items() if error["msg"].startswith(words))
        return next(found, "endpoint_handshake_failed")
    return _CODES.get(error["code"], "endpoint_handshake_failed")


def _evidence(rotation: Seen, entry: Seen) -> list[str]:
    said = [f"{place(entry)}: {entry['error']['msg']}"]
    if host_view(rotation):
        said.append(f"{host_name(rotation)} itself is reached by Ansible")
    return said
