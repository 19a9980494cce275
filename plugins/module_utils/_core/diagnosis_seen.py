# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what was seen: the parts of a rotation that several themes of a diagnosis look into."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Mapping

from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text

Seen = Mapping[str, Any]


def client_view(rotation: Seen) -> Seen:
    """What the control node saw as a client; empty before it looked."""
    return rotation.get("client_view") or {}


def host_view(rotation: Seen) -> Seen:
    """What the host saw; empty where nobody looked, or the look failed."""
    found = rotation.get("host_view") or {}
    return {} if found.get("error") else found


def host_name(rotation: Seen) -> str:
    return f"host {rotation.get('host', '?')}"


def judged_at(rotation: Seen) -> datetime:
    """The time that everything was judged for: the control node's, corrected where its clock is wrong."""
    return from_text(client_view(rotation)["judged_at"])


def entries(rotation: Seen) -> list[Seen]:
    """One for each address × listener × server name."""
    return list(client_view(rotation).get("entries") or ())


def certificates(rotation: Seen) -> Mapping[str, Seen]:
    """By SHA-256, every certificate that was served."""
    return client_view(rotation).get("certificates") or {}


def client_certificate(rotation: Seen) -> Seen | None:
    return client_view(rotation).get("client_certificate")


def place(entry: Seen) -> str:
    """``192.0.2.7:443 (shop.example.org)``"""
    address = f"[{entry['address']}]" if ":" in str(entry["address"]) else entry["address"]
    name = entry.get("server_name")
    return f"{address}:{entry['port']}" + (f" ({name})" if name else "")


def judged(rotation: Seen) -> Iterator[tuple[str, Seen]]:
    """Every certificate that has a verdict, and what it is called in evidence; that of the client too."""
    for one in certificates(rotation).values():
        yield f"certificate {one['serial']}", one
    own = client_certificate(rotation)
    if own is not None:
        yield f"client certificate {own['serial']}", own


def servers(rotation: Seen) -> list[Seen]:
    """nginx's server blocks that serve this certificate, as the host's configuration has them."""
    return list((host_view(rotation).get("nginx") or {}).get("servers") or ())


def staples(rotation: Seen) -> list[Seen | None]:
    """What each handshake carried; None for those that carried nothing."""
    return [staple for entry in entries(rotation) for staple in entry.get("staples") or ()]
