# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an nginx configuration says about stapling and client certificates, beside what virtual hosts already tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Dict, List

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_sha256,
    read_certificates,
    serial_hex,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import (
    find_path,
    is_issued_by,
    is_self_issued,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import Configuration, Placed
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_listen import parse_listen

_PATHS = ("ssl_trusted_certificate", "ssl_stapling_file", "ssl_crl", "ssl_client_certificate")
_SETTINGS = frozenset({
    *_PATHS, "ssl_certificate", "ssl_stapling", "ssl_stapling_verify", "ssl_stapling_responder", "ssl_verify_client",
    "resolver",
})  # fmt: skip

_Settings = Dict[str, List[List[str]]]


def server_facts(
    configuration: Configuration, files: Mapping[str, Any], warnings: Sequence[str]
) -> list[dict[str, Any]]:
    """Every server block with a certificate from a file.

    :param files: by path, what the host found there (``chain_pem``, ``crls``).
    :param warnings: what nginx said while it read its configuration.
    """
    return [
        _facts(configuration, server, settings, files, warnings)
        for kind in ("http", "stream")
        for context in configuration.top(kind)
        for server, settings in _servers(configuration, context)
        if "ssl_certificate" in settings
    ]


def _servers(configuration: Configuration, context: Placed) -> Iterator[tuple[Placed, _Settings]]:
    inherited = _settings(configuration, context, {})
    for placed in configuration.level(context):
        if placed.name == "server":
            yield placed, _settings(configuration, placed, inherited)


def _settings(configuration: Configuration, level: Placed, outer: _Settings) -> _Settings:
    own: _Settings = {}
    for placed in configuration.level(level):
        if placed.name in _SETTINGS and placed.args:
            own.setdefault(placed.name, []).append(placed.args)
    return {**outer, **own}


def _facts(
    configuration: Configuration,
    server: Placed,
    settings: _Settings,
    files: Mapping[str, Any],
    warnings: Sequence[str],
) -> dict[str, Any]:
    paths = [configuration.absolute(args[0]) for args in settings["ssl_certificate"] if "$" not in args[0]]
    named = {name: _path(configuration, settings, name) for name in _PATHS}
    level = list(configuration.level(server))
    listens = [parse_listen(placed.args) for placed in level if placed.name == "listen"]
    trust = _certificates(files, named["ssl_trusted_certificate"] or named["ssl_client_certificate"])
    return {
        "source": server.source,
        "names": [name for placed in level if placed.name == "server_name" for name in placed.args],
        "ports": [port for one in listens if one for port in one.ports],
        "stapling": _last(settings, "ssl_stapling") == "on",
        "verify": _last(settings, "ssl_stapling_verify") == "on",
        "staple_file": named["ssl_stapling_file"],
        "responder": _last(settings, "ssl_stapling_responder"),
        "resolvers": settings["resolver"][-1] if "resolver" in settings else [],
        "trust": named["ssl_trusted_certificate"],
        "crl": named["ssl_crl"],
        "crls": (files.get(named["ssl_crl"] or "") or {}).get("crls") or [],
        "verify_client": _last(settings, "ssl_verify_client") or "off",
        "certificates": [_leaf(path, files) for path in paths],
        "warnings": [text for text in warnings if any(f'"{path}"' in text for path in paths)],
        **_trust_facts(paths, files, trust),
    }


def _last(settings: _Settings, name: str) -> str | None:
    return settings[name][-1][0] if name in settings else None


def _path(configuration: Configuration, settings: _Settings, name: str) -> str | None:
    value = _last(settings, name)
    return configuration.absolute(value) if value and "$" not in value else None


def _certificates(files: Mapping[str, Any], path: str | None) -> list[x509.Certificate]:
    text = (files.get(path or "") or {}).get("chain_pem") or ""
    try:
        return read_certificates(text.encode(), str(path)) if text else []
    except RotationError:
        return []


def _leaf(path: str, files: Mapping[str, Any]) -> dict[str, Any]:
    found = _certificates(files, path)
    if not found:
        return {"path": path, "sha256": None}
    leaf = found[0]
    return {
        "path": path,
        "sha256": certificate_sha256(leaf),
        "serial": serial_hex(leaf.serial_number),
        "not_before": as_text(leaf.not_valid_before_utc),
    }


def _trust_facts(
    paths: Sequence[str], files: Mapping[str, Any], trust: Sequence[x509.Certificate]
) -> dict[str, bool | None]:
    """Whether issuer and root are there for the first certificate; None where its file could not be read."""
    chain = _certificates(files, paths[0]) if paths else []
    if not chain:
        return {"has_issuer": None, "has_root": None}
    known = [*chain[1:], *trust]
    try:
        has_issuer = any(is_issued_by(chain[0], one) for one in known)
        roots = [one for one in trust if is_self_issued(one)]
        return {"has_issuer": has_issuer, "has_root": _leads_to(chain[0], known, roots)}
    except DECODING_ERRORS:
        return {"has_issuer": None, "has_root": None}


def _leads_to(leaf: x509.Certificate, others: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> bool:
    try:
        find_path(leaf, others, roots)
    except RotationError:
        return False
    return True
