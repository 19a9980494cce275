# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of everything that judges revocation, documented in ``doc_fragments/revocation.py``, and what they become."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import warnings
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.memory import Memory
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import extension, read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Prefer, RevocationPolicy
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient

RETRIES = 2
_MEBIBYTE = 1 << 20
_PEM_BLOCK = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----[^-]*-----END (?:X509 )?CERTIFICATE-----")
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")

FETCHING_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "fetch": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 10.0},
    "max_mebibytes": {"type": "int", "default": 64},
    "allow_private_addresses": {"type": "bool", "default": True},
    "retries": {"type": "int", "default": RETRIES},
    "cache_dir": {"type": "path"},
}

POLICY_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "prefer": {"type": "str", "choices": ["any", "ocsp", "crl", "both"], "default": "any"},
    "tolerance": {"type": "int", "default": 300},
    "max_age": {"type": "int"},
    "judge_issuers": {"type": "bool", "default": True},
    "nonce": {"type": "bool", "default": False},
    "trusted_responder_paths": {"type": "list", "elements": "path", "default": []},
    "at": {"type": "str"},
}

TRUST_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "trust_anchors": {"type": "str"},
    "trust_anchor_paths": {"type": "list", "elements": "path", "default": []},
}

REVOCATION_ARGUMENT_SPEC = {**FETCHING_ARGUMENT_SPEC, **POLICY_ARGUMENT_SPEC, **TRUST_ARGUMENT_SPEC}


def judging_from(
    params: Mapping[str, Any], given: Given | None = None, *, warn: Callable[[str], None] = lambda _text: None
) -> Judging:
    """The Judging that the options of ``REVOCATION_ARGUMENT_SPEC`` ask for."""
    return Judging(
        http=http_from(params),
        policy=policy_from(params),
        anchors=anchors_from(params),
        given=given,
        memory=memory_from(params["cache_dir"], timeout=params["timeout"], warn=warn) if params["fetch"] else None,
    )


def memory_from(
    directory: str | None, *, timeout: float, warn: Callable[[str], None], always_ask: bool = False
) -> Memory | None:
    """What earlier runs have left; None where nothing shall be kept, or can be: no verdict depends on it.

    :param directory: None for the user's own place, empty for none.
    """
    if directory == "":
        return None
    try:
        return Memory(directory or default_cache_directory(), always_ask=always_ask, timeout=timeout)
    except RotationError as error:
        warn(f"nothing is kept for later runs: {error.message}")
    except (OSError, RuntimeError) as error:  # RuntimeError: no home
        warn(f"nothing is kept for later runs: {error}")
    return None


def default_cache_directory() -> str:
    """Where a user's programs keep what they can fetch again (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return str(Path(base if os.path.isabs(base) else Path.home() / ".cache", "certops", "revocation"))


def http_from(params: Mapping[str, Any]) -> HttpClient:
    """:raises RotationError: ``limit_invalid``."""
    for name in ("timeout", "max_mebibytes"):
        if params[name] <= 0:
            raise RotationError("limit_invalid", f"{name} must be more than 0")
    if params["retries"] < 0:
        raise RotationError("limit_invalid", "retries must not be less than 0")
    return HttpClient(
        timeout=params["timeout"],
        max_bytes=params["max_mebibytes"] * _MEBIBYTE,
        allow_private=params["allow_private_addresses"],
        retries=params["retries"],
    )


def policy_from(params: Mapping[str, Any]) -> RevocationPolicy:
    max_age = params["max_age"]
    return RevocationPolicy(
        prefer=Prefer(params["prefer"]),
        tolerance=timedelta(seconds=params["tolerance"]),
        max_age=None if max_age is None else timedelta(seconds=max_age),
        judge_issuers=params["judge_issuers"],
        fetch=params["fetch"],
        nonce=params["nonce"],
        trusted_responders=tuple(
            one for path in params["trusted_responder_paths"] for one in read_certificates(read_file(path), path)
        ),
    )


def moment_from(params: Mapping[str, Any]) -> datetime:
    """The time to judge for: ``at``, or now. The one place where the clock is read for judging."""
    text = params["at"]
    return datetime.now(timezone.utc).replace(microsecond=0) if text is None else from_text(text)


def anchors_from(params: Mapping[str, Any]) -> list[x509.Certificate]:
    """The trust anchors given; those of the system if none are."""
    anchors = []
    if params["trust_anchors"]:
        anchors += read_certificates(params["trust_anchors"].encode(), "trust_anchors")
    for path in params["trust_anchor_paths"]:
        anchors += read_certificates(read_file(path), path)
    return anchors or system_anchors()


def read_file(path: str) -> bytes:
    """:raises RotationError: ``file_unreadable``."""
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise RotationError("file_unreadable", f"{path} cannot be read: {exc.strerror}", path=path) from exc


def system_anchors() -> list[x509.Certificate]:
    """What this machine trusts; none where its bundle is not found."""
    paths = ssl.get_default_verify_paths()
    for bundle in (paths.cafile, f"{paths.capath}/ca-certificates.crt", *_BUNDLES):
        try:
            anchors = _decoded_quietly(bundle) if bundle else []
        except RotationError:
            continue
        if anchors:
            return anchors
    return []


def _decoded_quietly(bundle: str) -> list[x509.Certificate]:
    """Old roots have serials that RFC 5280 does not allow; that they are still shipped is not ours to tell."""
    data = read_file(bundle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            anchors = read_certificates(data, bundle)
        except RotationError:
            anchors = [one for block in _PEM_BLOCK.findall(data) for one in _decodable(block)]
        for anchor in anchors:
            with contextlib.suppress(RotationError):
                extension(anchor, x509.BasicConstraints)  # decoding warns once more; what is decoded here, is kept
    return anchors


def _decodable(block: bytes) -> list[x509.Certificate]:
    """One root that cannot be read is no reason to trust none of the others."""
    try:
        return read_certificates(block)
    except RotationError:
        return []
