# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a pair: its key is destroyed, its fingerprint remembered for ever, its folder pruned one day."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import CertificateFolder
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import iso
from ansible_collections.certops.rotation.plugins.module_utils._host.destroy import (
    destroy_key,
    remove_version,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions
from ansible_collections.certops.rotation.plugins.module_utils._host.keys_log import (
    KeyFact,
    append_fact,
    checked_fate,
    read_keys_log,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.names import checked_sha256, checked_version
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.record import Record, updated, write_record

_GIVEN_UP = ("rolled_back", "abandoned", "prepared")


@dataclass(frozen=True)
class Retirement:
    """One key to destroy."""

    folder: CertificateFolder
    version: str | None
    spki_sha256: str
    fate: str
    signatures: tuple[tuple[str, bytes], ...]


@dataclass
class Retired:
    """What became of it."""

    destroyed: list[str] = field(default_factory=list)
    signatures: list[dict[str, Any]] = field(default_factory=list)
    at: str | None = None
    changed: bool = False
    left: str | None = None


def read_retirement(root: str, given: dict[str, Any]) -> Retirement:
    """The option as a checked value."""
    version = given.get("version")
    return Retirement(
        CertificateFolder(root, given["name"]),
        checked_version(version) if version else None,
        checked_sha256(given["spki_sha256"]),
        checked_fate(given["fate"]),
        _to_sign(given.get("sign") or []),
    )


def _to_sign(given: list[dict[str, Any]]) -> tuple[tuple[str, bytes], ...]:
    if not given:
        return ()
    from ansible_collections.certops.rotation.plugins.module_utils._host.signing import decoded

    return tuple((item["algorithm"], decoded(item["data_b64"])) for item in given)


def plan_retirement(retirement: Retirement) -> str | None:
    """The version whose key is to be destroyed; None if no version has it (any more).

    RotationError ``key_is_live`` or ``successor_not_live``: a key only goes after a release took its place.
    """
    folder = retirement.folder
    folder.check()
    version = retirement.version or _version_of(folder, retirement.spki_sha256)
    live = folder.live()
    if live is not None and (live == version or folder.record(live).get("spki_sha256") == retirement.spki_sha256):
        raise RotationError("key_is_live", f"{live} of {folder.name} is live; its key is not destroyed")
    if version is None or not folder.has_version(version):
        return None
    record = folder.record(version)
    if record.get("spki_sha256") != retirement.spki_sha256:
        raise RotationError(
            "key_mismatch",
            f"{version} of {folder.name} has another key than the one to retire",
            expected=retirement.spki_sha256,
            found=record.get("spki_sha256"),
        )
    if record.get("state") not in _GIVEN_UP and not _took_its_place(folder, live, version, record):
        raise RotationError(
            "successor_not_live", f"Nothing live has taken the place of {version} of {folder.name}", live=live
        )
    return version if folder.has_key(version) else None


def retire(
    retirement: Retirement, version: str | None, openssl: Openssl, options: FileOptions, now: datetime
) -> Retired:
    """Sign a last time if asked, destroy the key, then write down what is now true."""
    folder, result = retirement.folder, Retired()
    if version is not None:
        result.signatures = _signed(retirement, folder.key_path(version), openssl)
        result.changed = destroy_key(folder.key_path(version))
        result.destroyed, result.at = [retirement.spki_sha256], iso(now)
    elif retirement.signatures:
        raise RotationError("key_missing", f"The key that was to sign for {folder.name} no longer exists")
    named = version or retirement.version or _version_of(folder, retirement.spki_sha256)
    fates = [fact.fate for fact in read_keys_log(folder.path) if fact.spki_sha256 == retirement.spki_sha256]
    if folder.exists() and (not fates or fates[-1] != retirement.fate):
        append_fact(folder.path, KeyFact(iso(now), retirement.spki_sha256, retirement.fate, named or "-"), options)
        result.changed = True
    if named is not None and folder.has_version(named):
        result.changed |= _note_retired(folder, named, options, now)
        result.left = _original_left(folder, named)
    return result


def _signed(retirement: Retirement, key_path: str, openssl: Openssl) -> list[dict[str, Any]]:
    if not retirement.signatures:
        return []
    from ansible_collections.certops.rotation.plugins.module_utils._host.signing import signature_result

    return [signature_result(openssl, key_path, algorithm, data) for algorithm, data in retirement.signatures]


def plan_record(folder: CertificateFolder, version: str, update: Record) -> Record | None:
    """The record with newer facts, None if it says so already."""
    if not folder.has_version(checked_version(version)):
        raise RotationError("version_unknown", f"{folder.name} has no version {version}")
    record = folder.record(version)
    newer = updated(record, update)
    return newer if newer != record else None


def prunable(folder: CertificateFolder, keep: int) -> list[str]:
    """Old versions without a key, beyond the newest ``keep``; never what is live or what it took the place of."""
    live = folder.live()
    spared = {live, (folder.record(live).get("supersedes") or {}).get("version") if live else None}
    versions = folder.versions()
    old = versions[:-keep] if keep else versions
    return [version for version in old if version not in spared and not folder.has_key(version)]


def prune(folder: CertificateFolder, versions: list[str]) -> None:
    """Remove these versions' folders; their keys stay remembered in keys.log."""
    for version in versions:
        remove_version(folder.version_path(version))


class RetirementRun:
    """All retirements, record updates and prunings of one execution: every check comes before the first change."""

    def __init__(
        self, root: str, params: dict[str, Any], openssl: Openssl, options: FileOptions, now: datetime
    ) -> None:
        self._openssl = openssl
        self._options = options
        self._now = now
        self._keep = params["keep_versions"]
        self._retirements = [read_retirement(root, given) for given in params["retirements"]]
        self._records = [
            (CertificateFolder(root, given["name"]), given["version"], given["update"]) for given in params["records"]
        ]
        folders = [item.folder for item in self._retirements] + [folder for folder, _version, _update in self._records]
        self._folders = {folder.name: folder for folder in folders}

    def foresee(self) -> dict[str, Any]:
        """What would be destroyed, and whether anything would change."""
        self._check_folders()
        results = {item.folder.name: _merged([]) for item in self._retirements}
        for item in self._retirements:
            if plan_retirement(item) is not None:
                results[item.folder.name]["destroyed"].append(item.spki_sha256)
        pruned = {name: prunable(folder, self._keep) for name, folder in self._folders.items()}
        return {
            "changed": any(found["destroyed"] for found in results.values())
            or any(map(self._newer, self._records))
            or any(pruned.values()),
            "retirements": results,
            "pruned": pruned,
        }

    def carry_out(self) -> dict[str, Any]:
        """Records first, as they tell what the retirements follow from; then the keys; then old folders.

        A record that says ``retired`` is written after the keys: a run killed in between has to come back for them.
        """
        self._check_folders()
        planned = [(item, plan_retirement(item)) for item in self._retirements]
        last = [given for given in self._records if given[2].get("state") == "retired"]
        changed = self._write_records([given for given in self._records if given not in last])
        done: dict[str, list[Retired]] = {}
        for item, version in planned:
            done.setdefault(item.folder.name, []).append(retire(item, version, self._openssl, self._options, self._now))
        changed |= self._write_records(last)
        pruned = {name: prunable(folder, self._keep) for name, folder in self._folders.items()}
        for name, versions in pruned.items():
            prune(self._folders[name], versions)
        changed = changed or any(pruned.values()) or any(each.changed for found in done.values() for each in found)
        return {
            "changed": changed,
            "retirements": {name: _merged(found) for name, found in done.items()},
            "pruned": pruned,
        }

    def _write_records(self, given: list[tuple[CertificateFolder, str, Record]]) -> bool:
        changed = False
        for folder, version, update in given:
            newer = plan_record(folder, version, update)
            if newer is not None:
                write_record(folder.version_path(version), newer, self._options)
                changed = True
        return changed

    def _check_folders(self) -> None:
        for folder in self._folders.values():
            folder.check()

    def _newer(self, given: tuple[CertificateFolder, str, Record]) -> bool:
        return plan_record(*given) is not None


def _merged(found: list[Retired]) -> dict[str, Any]:
    return {
        "destroyed": [spki for each in found for spki in each.destroyed],
        "at": max((each.at for each in found if each.at), default=None),
        "signatures": [signature for each in found for signature in each.signatures],
        "left": [each.left for each in found if each.left],
    }


def _version_of(folder: CertificateFolder, spki_sha256: str) -> str | None:
    holders = [version for version in folder.versions() if folder.record(version).get("spki_sha256") == spki_sha256]
    return holders[-1] if holders else None


def _took_its_place(folder: CertificateFolder, live: str | None, version: str, record: Record) -> bool:
    """Whether live descends from this version, or was made after it (an adopted one is younger than its successor)."""
    if live is None:
        return False
    seen: set[str] = set()
    ancestor: str | None = live
    while ancestor and ancestor not in seen:
        seen.add(ancestor)
        ancestor = (folder.record(ancestor).get("supersedes") or {}).get("version")
        if ancestor == version:
            return True
    return str(folder.record(live).get("created_at")) > str(record.get("created_at"))


def _original_left(folder: CertificateFolder, version: str) -> str | None:
    """The file that an adopted key was copied from, if it was somebody else's too and therefore still is there."""
    original = (folder.record(version).get("adopted_from") or {}).get("key")
    return original if original and os.path.isfile(original) and not os.path.islink(original) else None


def _note_retired(folder: CertificateFolder, version: str, options: FileOptions, now: datetime) -> bool:
    record = folder.record(version)
    if record.get("state") in ("retired", "abandoned"):
        return False
    update = {"state": "retired", "times": {"retired": iso(now)}}
    write_record(folder.version_path(version), updated(record, update), options)
    return True
