# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From nginx's virtual hosts to rotations: one for each pair of certificate and key."""

from __future__ import annotations

import hashlib
import ipaddress
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import (
    certificate_name,
    certificate_name_from,
    server_name,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import Problem, Vhost
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_listen import ANY_IPV4, ANY_IPV6

_KEY_TYPE_IN_PATH = re.compile(r"(?:^|[^a-z])(rsa|ecdsa|ecc|ec)(?:[^a-z]|$)")


def rotations_from_vhosts(
    vhosts: Sequence[Vhost], host_address: str, defaults: Mapping[str, Any], root: str = "/etc/certops"
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Skeletons of rotations, and what could not become one.

    :param host_address: where clients reach the listeners that are bound to all addresses of the host.
    :param defaults: what every rotation starts with: ``issuer``, ``key``, ``must_staple``, …
    """
    problems: list[Problem] = []
    groups: dict[tuple[str, str], list[Vhost]] = {}
    for vhost in vhosts:
        groups.setdefault((vhost.certificate, vhost.key), []).append(vhost)
    rotations: list[dict[str, Any]] = []
    name_of_pair: dict[tuple[str, str], str] = {}
    for pair, group in groups.items():
        names = list(dict.fromkeys(name for vhost in group for name in _usable_names(vhost, problems)))
        listeners = _listeners(group, host_address, problems)
        if not names:
            problems.append(_at(group[0], "no_server_name", f"no name to ask for in front of {pair[0]}"))
        elif listeners:
            name = _name_of(pair, group[0].snippet, names, root, taken=name_of_pair.values())
            name_of_pair[pair] = name
            rotations.append({**defaults, "name": name, **_skeleton(pair, group, names, listeners, root)})
    _mark_companions(rotations, vhosts, name_of_pair, problems)
    return [one for one in rotations if not one.pop("_unclear", False)], problems


def live_name(path: str, root: str) -> str | None:
    """The name of the certificate into whose live release ``path`` leads, None if it lies elsewhere."""
    match = re.fullmatch(re.escape(posixpath.normpath(root)) + r"/([^/]+)/live/[^/]+", path)
    if not match:
        return None
    try:
        return certificate_name(match[1])
    except RotationError:
        return None


def _skeleton(
    pair: tuple[str, str], group: Sequence[Vhost], names: list[str], listeners: list[dict[str, Any]], root: str
) -> dict[str, Any]:
    first = group[0]
    skeleton: dict[str, Any] = {
        "server_names": names,
        "listeners": listeners,
        "stapling": _stapling(group),
        "companion_of": None,
        "sources": [vhost.source for vhost in group],
    }
    if live_name(pair[0], root) is None:
        # Not the trust file: it is often the system's own, or shared by every block, and not ours to replace.
        paths = {"certificate": pair[0], "key": pair[1], "staple": first.staple}
        skeleton["paths"] = {what: path for what, path in paths.items() if path and live_name(path, root) is None}
    return skeleton


def _stapling(group: Sequence[Vhost]) -> str:
    """Who staples: what the block says itself; with our snippet in it, the certificate decides; else nobody does."""
    if any(vhost.snippet for vhost in group):
        return "auto"
    if any(vhost.stapling and vhost.staple for vhost in group):
        return "file"
    return "nginx" if any(vhost.stapling for vhost in group) else "off"


def _name_of(pair: tuple[str, str], snippet: str | None, names: Sequence[str], root: str, taken: Iterable[str]) -> str:
    """A name that is the same in the next run: that of the folder, or else made of the first server name.

    A vhost that already includes the snippet of a folder says with it which folder is to be its own.
    """
    existing = live_name(pair[0], root) or (live_name(snippet, root) if snippet else None)
    if existing and existing not in taken:
        return existing
    name = certificate_name_from(names[0])
    if name not in taken:
        return name
    return f"{name[:91]}-{hashlib.sha256(pair[0].encode()).hexdigest()[:8]}"


def _usable_names(vhost: Vhost, problems: list[Problem]) -> list[str]:
    """The names of a block that can stand in a certificate. What else nginx can match is reported."""
    usable: list[str] = []
    for name in vhost.server_names:
        if name in ("", "_"):
            continue
        if name.startswith("~") or name.endswith(".*") or "$" in name:
            problems.append(_at(vhost, "name_not_for_a_certificate", name))
            continue
        # ".example.org" is nginx's way to say both.
        for candidate in [name[1:], "*" + name] if name.startswith(".") else [name]:
            try:
                usable.append(server_name(candidate))
            except RotationError as error:
                problems.append(_at(vhost, "name_invalid", error.message))
    return usable


def _listeners(group: Sequence[Vhost], host_address: str, problems: list[Problem]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for vhost in group:
        for listen in vhost.listens:
            address = _reached_at(listen.address, host_address)
            if address is None:
                problems.append(_at(vhost, "loopback_only", f"{listen.address} is reached on the host alone"))
                continue
            for port in listen.ports:
                listener = {"address": address, "port": port}
                if listener not in found:
                    found.append(listener)
    return found


def _reached_at(bound: str, host_address: str) -> str | None:
    """Where a client on the control node reaches what is bound to ``bound``; None if it can't."""
    local = _is_loopback(host_address)
    if bound == ANY_IPV6:
        # Bound to all IPv6 addresses; only of the loopback do we know its address in the other family.
        return "::1" if local else host_address
    if bound == ANY_IPV4:
        return "127.0.0.1" if local and ":" in host_address else host_address
    return None if _is_loopback(bound) and not local else bound


def _is_loopback(address: str) -> bool:
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _mark_companions(
    rotations: Sequence[dict[str, Any]],
    vhosts: Sequence[Vhost],
    name_of_pair: Mapping[tuple[str, str], str],
    problems: list[Problem],
) -> None:
    """Two certificates of one block are companions: each is asked for by its type of key, so that must be known."""
    by_name = {one["name"]: one for one in rotations}
    first_of_block: dict[str, Vhost] = {vhost.source: vhost for vhost in vhosts if vhost.position == 0}
    for vhost in vhosts:
        first = first_of_block.get(vhost.source)
        if vhost.position == 0 or first is None or (vhost.certificate, vhost.key) == (first.certificate, first.key):
            continue
        second = by_name.get(name_of_pair.get((vhost.certificate, vhost.key), ""))
        leader = by_name.get(name_of_pair.get((first.certificate, first.key), ""))
        if second is None or leader is None or second["companion_of"]:
            continue
        second["companion_of"] = leader["name"]
        types = _key_type_in(first.certificate), _key_type_in(vhost.certificate)
        if (types[0] is None and types[1] is None) or types[0] == types[1]:
            problems.append(_at(vhost, "key_type_unknown", "two certificates; declare both with their key"))
            leader["_unclear"] = second["_unclear"] = True
        else:
            other = {"rsa": "ecdsa", "ecdsa": "rsa"}
            leader["key"] = _key_of(types[0] or other[str(types[1])], leader.get("key"))
            second["key"] = _key_of(types[1] or other[str(types[0])], second.get("key"))


def _key_type_in(path: str) -> str | None:
    """The type of key that a path like ``/etc/ssl/shop-rsa.crt`` or ``/etc/ssl/shop_ecc/fullchain.cer`` names."""
    match = _KEY_TYPE_IN_PATH.search(path.lower())
    if not match:
        return None
    return "rsa" if match[1] == "rsa" else "ecdsa"


def _key_of(key_type: str, default: Mapping[str, Any] | None) -> dict[str, Any]:
    if default and default.get("type") == key_type:
        return dict(default)
    return {"type": "rsa", "size": 2048} if key_type == "rsa" else {"type": "ecdsa", "curve": "secp256r1"}


def _at(vhost: Vhost, code: str, text: str) -> Problem:
    return Problem(code, vhost.file, vhost.line, text)
