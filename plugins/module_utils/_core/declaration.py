# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a user declares for a host to its rotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import (
    certificate_name,
    certificate_name_from,
    ip_address,
    server_names,
    shown,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.starttls import STARTTLS_PORTS, usual_port

_CERTIFICATE_OPTIONS = frozenset(
    {
        "name",
        "server_names",
        "listeners",
        "issuer",
        "key",
        "must_staple",
        "stapling",
        "companion_of",
        "paths",
        "shared",
        "ticket_keys",
    }
)
_STAPLING = ("auto", "off", "nginx", "file")
_KEY_DEFAULTS: dict[str, dict[str, Any]] = {"ecdsa": {"curve": "secp256r1"}, "rsa": {"size": 2048}}


def rotations_from_request(host: str, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One rotation for each certificate that is declared; one that is declared wrongly carries its error.

    :param request: ``certificates``, and what holds for those that say nothing else: ``address``, ``port``, ``issuer``,
        ``key``, ``must_staple``, ``stapling``.
    """
    found: list[dict[str, Any]] = []
    for declared in request.get("certificates") or ():
        try:
            rotation = _rotation(host, declared, request)
            if any(rotation["name"] == other["name"] for other in found):
                raise RotationError("name_repeated", f"the certificate {rotation['name']} is declared twice", host=host)
        except RotationError as error:
            name = declared.get("name") if isinstance(declared, Mapping) else declared
            label = name if isinstance(name, str) and name.isprintable() else shown(name)
            rotation = {"host": host, "name": label, "error": {"step": "detect", **error.as_result()}}
        found.append(rotation)
    return found


def probe(host: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A rotation that only looks at the host's default endpoint, where nothing is declared."""
    address = str(request.get("address") or host)
    names = [] if ip_address(address) else server_names([address])
    return {
        **defaults_of(host, request),
        "name": certificate_name_from(address),
        "server_names": names,
        "listeners": [_listener({}, request, host)],
        "companion_of": None,
        "sources": ["default endpoint"],
    }


def defaults_of(host: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What every rotation of the host starts with."""
    common = {
        "host": host,
        "issuer": request.get("issuer"),
        "key": normal_key(request.get("key")),
        "must_staple": bool(request.get("must_staple")),
        "stapling": _stapling(request.get("stapling")),
    }
    return {**common, "ticket_keys": list(request["ticket_keys"])} if request.get("ticket_keys") else common


def normal_key(key: object) -> dict[str, Any]:
    """A key's type with its size or curve, nothing else. RotationError ``declaration_invalid``."""
    if key is None:
        return {"type": "ecdsa", "curve": "secp256r1"}
    if not isinstance(key, Mapping) or key.get("type", "ecdsa") not in _KEY_DEFAULTS:
        raise _invalid(f"key is {shown(key)}; its type is ecdsa (with curve) or rsa (with size)")
    key_type = str(key.get("type", "ecdsa"))
    ((option, default),) = _KEY_DEFAULTS[key_type].items()
    return {"type": key_type, option: key.get(option) or default}


def _rotation(host: str, declared: object, request: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(declared, Mapping):
        raise _invalid(f"a certificate is a dictionary, not {shown(declared)}")
    unknown = sorted(str(option) for option in set(declared) - _CERTIFICATE_OPTIONS)
    if unknown:
        known = ", ".join(sorted(_CERTIFICATE_OPTIONS))
        raise _invalid(f"unknown: {', '.join(map(shown, unknown))}; a certificate has {known}")
    name, names = certificate_name(declared.get("name")), server_names(declared.get("server_names"))
    if not names:
        raise _invalid("server_names is empty")
    given = {key: value for key, value in declared.items() if value is not None}
    rotation = {
        **defaults_of(host, {**request, **given}),
        "name": name,
        "server_names": names,
        "listeners": _listeners(given.get("listeners"), request, host),
        "companion_of": certificate_name(given["companion_of"]) if given.get("companion_of") else None,
        "sources": ["declared"],
        "declared": sorted({"key", "must_staple"} & set(given)),
    }
    if given.get("shared"):
        # True: with whoever declares the same certificate under this name.
        rotation["shared"] = name if given["shared"] is True else certificate_name(given["shared"])
    if given.get("paths"):
        rotation["paths"] = {role: path for role, path in given["paths"].items() if path}
    return rotation


def _listeners(declared: object, request: Mapping[str, Any], host: str) -> list[dict[str, Any]]:
    if not declared:
        return [_listener({}, request, host)]
    if not isinstance(declared, Sequence) or isinstance(declared, str):
        raise _invalid("listeners is a list of {address, port, starttls}")
    return [_listener(one, request, host) for one in declared]


def _listener(declared: object, request: Mapping[str, Any], host: str) -> dict[str, Any]:
    if not isinstance(declared, Mapping) or set(declared) - {"address", "port", "starttls"}:
        raise _invalid(f"a listener is {{address, port, starttls}}, not {shown(declared)}")
    starttls = declared.get("starttls") or None
    if starttls is not None and str(starttls) not in STARTTLS_PORTS:
        raise _invalid(f"starttls is {shown(starttls)}; it is one of {', '.join(sorted(STARTTLS_PORTS))}")
    address = str(declared.get("address") or request.get("address") or host)
    port = declared.get("port") or (usual_port(starttls) if declared else request.get("port") or 443)
    try:
        number = int(port)
    except (TypeError, ValueError) as exc:
        raise _invalid(f"{shown(port)} is not a TCP port") from exc
    if not 0 < number < 65536 or not address.isprintable() or " " in address:
        raise _invalid(f"{shown(address)} port {shown(port)} is no place to connect to")
    listener = {"address": ip_address(address) or address, "port": number}
    return {**listener, "starttls": starttls} if starttls else listener


def _stapling(value: object) -> str:
    # YAML 1.1 reads a bare `off` as false.
    word = "off" if value is False else str(value or "auto")
    if word not in _STAPLING:
        raise _invalid(f"stapling is {shown(value)}; it is one of {', '.join(_STAPLING)}")
    return word


def _invalid(what: str) -> RotationError:
    return RotationError(
        "declaration_invalid", f"The declaration cannot be used: {what}.", remedy="Correct rotate_certificates."
    )
