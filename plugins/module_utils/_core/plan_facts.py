# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rotation says about the certificates that are served and installed, as values to decide on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text
from ansible_collections.certops.rotation.plugins.module_utils._core.weak_key import (
    Weakness,
    certificate_weaknesses,
    weaknesses_from,
)

# `prepared` too: what is live has been switched to, even if the run ended before it could write so.
UNFINISHED_STATES = frozenset({"prepared", "installed", "served", "revoked", "visible"})


@dataclass(frozen=True)
class Pair:
    """A certificate with its key, as far as it can be told from outside."""

    serial: str
    spki_sha256: str
    sha256: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str
    chain_pem: str
    must_staple: bool | None = None
    status: str | None = None
    """good, revoked or unknown, where it was judged"""
    version: str | None = None
    key_spki_sha256: str | None = None
    """The key that really lies beside it on the host; not that of the certificate when the two do not match."""
    weak_key: tuple[Weakness, ...] = ()

    @property
    def matches_its_key(self) -> bool:
        return self.key_spki_sha256 in (None, self.spki_sha256)


def served_pairs(rotation: Mapping[str, Any]) -> list[Pair]:
    """The different certificates that are served, those that weigh most first: revoked, then unknown, then good."""
    pairs: dict[str, Pair] = {}
    for entry in rotation.get("served") or ():
        if entry.get("serial"):
            pair = _served(entry, rotation)
            pairs.setdefault(pair.sha256, pair)
    order = {"revoked": 0, "unknown": 1, None: 1, "good": 2}
    return sorted(pairs.values(), key=lambda pair: order.get(pair.status, 1))


def faults(rotation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of ``served`` where there was no certificate to see."""
    return [entry for entry in rotation.get("served") or () if entry.get("error") and not entry.get("serial")]


def live_pair(rotation: Mapping[str, Any]) -> Pair | None:
    """The pair that the server would use after a reload: that of ``live``, before adoption that of the vhost's paths.

    None where there is none or nobody looked. An unreadable chain is as good as none.
    """
    installed = rotation.get("installed") or {}
    version = live_version(rotation)
    if version is not None:
        return _from_chain(version.get("chain_pem"), installed, version["version"], version.get("spki_sha256"))
    paths = installed.get("paths") or {}
    key = (paths.get("key") or {}).get("spki_sha256")
    return _from_chain((paths.get("certificate") or {}).get("chain_pem"), installed, None, key)


def live_version(rotation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The version folder that is live."""
    installed = rotation.get("installed") or {}
    live = installed.get("live")
    return next((one for one in installed.get("versions") or () if live and one["version"] == live), None)


def host_key(rotation: Mapping[str, Any]) -> str | None:
    """SHA-256 of the public key that the host has for this certificate now, if it is known."""
    version = live_version(rotation)
    if version is not None:
        return version.get("spki_sha256")
    installed = rotation.get("installed") or {}
    return ((installed.get("paths") or {}).get("key") or {}).get("spki_sha256")


def is_nothing_installed(rotation: Mapping[str, Any]) -> bool:
    """The host was looked at, and it has neither a live version nor a file at the vhost's paths."""
    installed = rotation.get("installed")
    if installed is None or installed.get("live"):
        return False
    paths = installed.get("paths") or {}
    return all((paths.get(what) or {}).get("kind", "missing") == "missing" for what in ("certificate", "key"))


def superseded(rotation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the live version replaced, as long as that is not done with: revoked if due, and its key destroyed."""
    record = (live_version(rotation) or {}).get("record") or {}
    return (record.get("supersedes") or None) if record.get("state") in UNFINISHED_STATES else None


def is_unproven(rotation: Mapping[str, Any]) -> bool:
    """The live version was switched to, and no run has seen it served since."""
    record = (live_version(rotation) or {}).get("record") or {}
    return record.get("state") in ("prepared", "installed")


def predecessor_of(pair: Pair) -> dict[str, Any]:
    """``pair`` as a rotation's predecessor."""
    return {
        "serial": pair.serial,
        "spki_sha256": pair.spki_sha256,
        "version": pair.version,
        "certificate_pem": first_certificate(pair.chain_pem),
        "chain_pem": pair.chain_pem,
        "already_revoked": pair.status == "revoked",
    }


def predecessor_from_record(supersedes: Mapping[str, Any]) -> dict[str, Any]:
    """What a version's record says it replaced, as a rotation's predecessor."""
    names = ("serial", "spki_sha256", "version", "certificate_pem", "chain_pem")
    already = bool(supersedes.get("already_revoked"))
    return {**{name: supersedes.get(name) for name in names}, "already_revoked": already}


def first_certificate(chain_pem: str) -> str:
    end = "-----END CERTIFICATE-----"
    return chain_pem.partition(end)[0] + end + "\n" if end in chain_pem else chain_pem


def _served(entry: Mapping[str, Any], rotation: Mapping[str, Any]) -> Pair:
    verdict = rotation.get("verdict") or {}
    return Pair(
        serial=entry["serial"],
        spki_sha256=entry["spki_sha256"],
        sha256=entry["sha256"],
        names=tuple(entry.get("names") or ()),
        not_before=from_text(entry["not_before"]),
        not_after=from_text(entry["not_after"]),
        key_type=entry.get("key_type") or "",
        chain_pem=entry.get("chain_pem") or "",
        must_staple=entry.get("must_staple"),
        status=entry.get("status") or verdict.get("status"),
        weak_key=weaknesses_from(entry.get("weak_key")),
    )


def _from_chain(
    chain_pem: str | None, installed: Mapping[str, Any], version: str | None, key: str | None
) -> Pair | None:
    if not chain_pem:
        return None
    try:
        leaf = read_certificates(chain_pem.encode(), "the installed chain")[0]
        facts = certificate_facts(leaf)
    except RotationError:
        return None
    return Pair(
        serial=facts.serial,
        spki_sha256=facts.spki_sha256,
        sha256=facts.sha256,
        names=facts.names,
        not_before=facts.not_before,
        not_after=facts.not_after,
        key_type=facts.key_type,
        chain_pem=chain_pem if chain_pem.lstrip().startswith("-----BEGIN CERTIFICATE") else to_pem(leaf),
        must_staple=facts.must_staple,
        status=(installed.get("verdict") or {}).get("status"),
        version=version,
        key_spki_sha256=key,
        weak_key=certificate_weaknesses(leaf),
    )
