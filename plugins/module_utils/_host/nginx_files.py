# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public files that an nginx configuration names, and what its error log says of TLS. Reads no key."""

from __future__ import annotations

import base64
import os
import re
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import iso
from ansible_collections.certops.rotation.plugins.module_utils._host.command import run
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl

_NAMED = re.compile(
    r"(?:^|[;{}])\s*(ssl_certificate|ssl_trusted_certificate|ssl_client_certificate|ssl_stapling_file|ssl_crl)\s+"
    r"[\"']?([^;\"'\s$]+)[\"']?(?=\s*;)",
    re.MULTILINE,
)
_LOGS = re.compile(r"(?:^|[;{}])\s*error_log\s+[\"']?(/[^;\"'\s]+)", re.MULTILINE)
_MAIN = re.compile(r"^# configuration file (/.*):$", re.MULTILINE)
_OF_TLS = re.compile(r"OCSP|stapl|SSL|certificate", re.IGNORECASE)
_CRL = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_MOST_FILES, _MOST_CRLS = 200, 32
_LARGEST_STAPLE, _LARGEST_CRL, _LARGEST_CHAIN = 64 * 1024, 64 * 1024 * 1024, 512 * 1024
_TAIL = 256 * 1024


def named_files(configuration: str, openssl: Openssl) -> dict[str, Any]:
    """By path, what is in the files that the configuration names: certificates, CRLs' dates, a staple."""
    main = _MAIN.search(configuration)
    folder = os.path.dirname(main.group(1)) if main else "/etc/nginx"
    found: dict[str, Any] = {}
    for directive, value in _NAMED.findall(configuration):
        path = os.path.normpath(os.path.join(folder, value))
        if path not in found and len(found) < _MOST_FILES and ":" not in value:
            found[path] = _facts(directive, path, openssl)
    return found


def _facts(directive: str, path: str, openssl: Openssl) -> dict[str, Any]:
    try:
        modified = datetime.fromtimestamp(os.stat(path).st_mtime, timezone.utc)
        facts: dict[str, Any] = {"modified": iso(modified)}
        if directive == "ssl_crl":
            facts["crls"] = _crls(path, openssl)
        elif directive == "ssl_stapling_file":
            with open(path, "rb") as file:
                facts["staple_b64"] = base64.b64encode(file.read(_LARGEST_STAPLE)).decode("ascii")
        else:
            facts["chain_pem"] = openssl.certificates_in(path)[:_LARGEST_CHAIN]
        return facts
    except OSError as exc:
        return {"error": exc.strerror or str(exc)}
    except RotationError as error:
        return {"error": error.message}


def _crls(path: str, openssl: Openssl) -> list[dict[str, Any]]:
    with open(path, "rb") as file:
        blocks = _CRL.findall(file.read(_LARGEST_CRL))[:_MOST_CRLS]
    argv = [openssl.program, "crl", "-noout", "-issuer", "-lastupdate", "-nextupdate", "-nameopt", "RFC2253"]
    return [_crl(run(argv, given=block + b"\n").output.decode("utf-8", "replace")) for block in blocks]


def _crl(said: str) -> dict[str, Any]:
    shown = dict(line.partition("=")[::2] for line in said.splitlines())
    return {
        "issuer": shown.get("issuer", "").strip(),
        "this_update": _moment(shown.get("lastUpdate", "")),
        "next_update": _moment(shown.get("nextUpdate", "")),
    }


def _moment(text: str) -> str | None:
    """``Nov  1 07:00:00 2026 GMT`` as everywhere here; None for NONE."""
    try:
        return iso(datetime.strptime(text.strip(), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=timezone.utc))
    except ValueError:
        return None


def log_lines(configuration: str, most: int) -> list[str]:
    """The last lines of the error logs that are about TLS, in the server's own words."""
    found: list[str] = []
    for path in dict.fromkeys(_LOGS.findall(configuration)):
        found += [line[:400] for line in _tail(path) if _OF_TLS.search(line)][-most:]
    return found[-most:]


def _tail(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return file.read(_TAIL).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):
        return []
