# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private key that never existed before, born in its version folder, and the request for its certificate."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import (
    read_file,
    sync_folder,
    write_file,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    KEY,
    ONE_TIME_CERTIFICATE,
    ONE_TIME_KEY,
    REQUEST,
    CertificateFolder,
    folder_names,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import iso, seconds_between
from ansible_collections.certops.rotation.plugins.module_utils._host.destroy import (
    BUILD,
    destroy_key,
    discard_build,
    end_waiting,
    sweep,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.digest import sha256_hex
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions
from ansible_collections.certops.rotation.plugins.module_utils._host.keys_log import (
    KeyFact,
    append_fact,
    read_keys_log,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.own_paths import OwnPath
from ansible_collections.certops.rotation.plugins.module_utils._host.record import (
    read_record,
    updated,
    write_record,
)

_REQUEST_LIMIT = 256 * 1024
_NEEDED = 64 * 1024
_NEVER_PROVEN = ("prepared", "installed", "rolled_back")


@dataclass(frozen=True)
class KeyRequest:
    """What is asked for. ``wanted`` is what the record keeps, and what a prepared version must equal to be resumed."""

    folder: CertificateFolder
    wanted: dict[str, Any]
    premise: str | None
    paths: list[OwnPath]
    resume_within: float
    receives: bool = False
    """Another host's key is to come, sealed; ``expected`` is the SHA-256 of its public key, if that is known."""
    expected: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A key and its request, waiting for a certificate; or a one-time certificate, waiting for a sealed key."""

    version: str | None
    csr_pem: str | None
    spki_sha256: str | None
    resumed: bool
    certificate_pem: str | None = None


class KeyMaker:
    """Makes fresh keys below one root: remembers, over all requests of a run, every key that is known."""

    def __init__(self, root: str, deny_list: set[str], openssl: Openssl, options: FileOptions, now: datetime) -> None:
        self._root = root
        self._denied = deny_list
        self._openssl = openssl
        self._options = options
        self._now = now
        self._known: set[str] | None = None
        self.changed = False

    def prepare(self, request: KeyRequest) -> Prepared:
        """The resumed or a new version; everything else that was prepared and never served is given up."""
        folder = request.folder
        self.check_premise(request)
        self._make_folders(folder)
        sweep(folder)
        resumable = self.resumable(request)
        for version in self.given_up(folder, keep=resumable):
            self._abandon(folder, version)
        if not resumable:
            return self._make(request)
        # Left over if a run was killed when it had just received the key.
        self.changed |= end_waiting(folder, resumable)
        return self.resume(request, resumable)

    def foresee(self, request: KeyRequest) -> Prepared:
        """What ``prepare`` would come to, without changing anything: a new key has no names yet."""
        self.check_premise(request)
        resumable = self.resumable(request)
        return self.resume(request, resumable) if resumable else Prepared(None, None, None, False)

    def check_premise(self, request: KeyRequest) -> None:
        """RotationError ``premise_failed`` if the host's key is not the one that the plan was made for."""
        if request.premise is None:
            return
        found = self._present_key(request)
        if found != request.premise:
            raise RotationError(
                "premise_failed",
                f"The key of {request.folder.name} on the host is not the one that is served"
                if found
                else f"{request.folder.name} has no key below {self._root}, and something else is served",
                remedy="Another run or a person has changed it, or the reload is missing: detect again."
                if found
                else "Say with paths which files the vhost names, or let the vhost name those in the folder live.",
                expected=request.premise,
                found=found,
            )

    def resumable(self, request: KeyRequest) -> str | None:
        """The newest version that was made for this very request, lately, and whose key nobody has distrusted since.

        Where a key is to be received, it counts only if it has that key already. A one-time key is never used again.
        """
        folder, live = request.folder, request.folder.live()
        lived = {fact.spki_sha256 for fact in read_keys_log(folder.path) if fact.fate == "live"}
        for version in reversed(folder.versions()):
            record = folder.record(version)
            age = seconds_between(str(record.get("created_at")), self._now)
            if (
                version != live
                and record.get("state") == "prepared"
                and _same(record.get("request"), request.wanted)
                and -60 <= age <= request.resume_within
                and record.get("spki_sha256") not in self._denied | lived
                and (not request.receives or (request.expected and record.get("spki_sha256") == request.expected))
                and self._pair_is_whole(request, version, str(record.get("spki_sha256")))
            ):
                return version
        return None

    def given_up(self, folder: CertificateFolder, keep: str | None) -> list[str]:
        """The versions with a key that never will be served. What live could be rolled back to is not among them."""
        live = folder.live()
        predecessor = (folder.record(live).get("supersedes") or {}).get("version") if live else None
        return [
            version
            for version in folder.versions()
            if version not in (live, keep, predecessor)
            and (folder.has_key(version) or os.path.lexists(folder.one_time_key_path(version)))
            and folder.record(version).get("state", "prepared") in _NEVER_PROVEN
        ]

    def resume(self, request: KeyRequest, version: str) -> Prepared:
        """The request that a killed run had made, or the key that it had received."""
        folder = request.folder
        if request.receives:
            return Prepared(version, None, request.expected, True)
        csr = read_file(os.path.join(folder.version_path(version), REQUEST), _REQUEST_LIMIT).decode("ascii")
        return Prepared(version, csr, folder.record(version)["spki_sha256"], True)

    def _present_key(self, request: KeyRequest) -> str | None:
        own = next((own for own in request.paths if own.role == "key"), None)
        if own is not None and not own.is_ours and own.kind != "missing":
            return self._openssl.spki_sha256(own.path)
        live = request.folder.live()
        if live is None or not request.folder.has_key(live):
            return None
        return self._openssl.spki_sha256(request.folder.key_path(live))

    def _pair_is_whole(self, request: KeyRequest, version: str, spki_sha256: str) -> bool:
        folder = request.folder
        has_request = os.path.exists(os.path.join(folder.version_path(version), REQUEST))
        try:
            return (has_request or request.receives) and self._openssl.spki_sha256(
                folder.key_path(version)
            ) == spki_sha256
        except RotationError:
            return False

    def _make_folders(self, folder: CertificateFolder) -> None:
        for path in (folder.path, folder.versions_path):
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
                self._options.dress_folder(path)
                sync_folder(os.path.dirname(path))

    def _abandon(self, folder: CertificateFolder, version: str) -> None:
        self.changed = True
        record = folder.record(version)
        destroy_key(folder.key_path(version))
        end_waiting(folder, version)
        if record:
            if record.get("spki_sha256"):
                append_fact(
                    folder.path, KeyFact(iso(self._now), record["spki_sha256"], "abandoned", version), self._options
                )
            write_record(
                folder.version_path(version),
                updated(record, {"state": "abandoned", "times": {"abandoned": iso(self._now)}}),
                self._options,
            )

    def _make(self, request: KeyRequest) -> Prepared:
        _refuse_full_disk(request.folder.versions_path)
        build = os.path.join(request.folder.versions_path, BUILD + os.urandom(6).hex())
        os.mkdir(build, 0o700)
        try:
            return self._await(request, build) if request.receives else self._bear(request, build)
        except BaseException:
            if os.path.isdir(build):
                discard_build(build)
            raise

    def _bear(self, request: KeyRequest, build: str) -> Prepared:
        key_path, wanted = os.path.join(build, KEY), request.wanted
        csr = self._openssl.new_key_and_request(key_path, wanted["key"], wanted["server_names"], wanted["must_staple"])
        self._dress_key(key_path)
        # read back from the file: openssl does not notice a disk that fills up while it closes the key
        spki = self._openssl.spki_sha256(key_path)
        self._refuse_known(spki, request)
        write_file(os.path.join(build, REQUEST), csr.encode("ascii"), self._options)
        version = self._settle(request, build, spki[:6], spki)
        self._known_keys().add(spki)
        return Prepared(version, csr, spki, False)

    def _await(self, request: KeyRequest, build: str) -> Prepared:
        """A version without a key: only a one-time pair, for another host to seal its key to."""
        from ansible_collections.certops.rotation.plugins.module_utils._host.sealing import new_one_time_pair

        certificate = new_one_time_pair(self._openssl, build)
        self._dress_key(os.path.join(build, ONE_TIME_KEY))
        write_file(os.path.join(build, ONE_TIME_CERTIFICATE), certificate.encode("ascii"), self._options)
        version = self._settle(request, build, sha256_hex(certificate.encode("ascii"))[:6], None)
        return Prepared(version, None, None, False, certificate)

    def _settle(self, request: KeyRequest, build: str, mark: str, spki: str | None) -> str:
        """Give the finished folder its name: from here on it is a version, whole."""
        folder = request.folder
        version = "{}-{}".format(self._now.strftime("%Y%m%dT%H%M%SZ"), mark)
        write_record(
            build,
            {
                "version": version,
                "created_at": iso(self._now),
                "request": request.wanted,
                "spki_sha256": spki,
                "issuer": None,
                "serial": None,
                "order": None,
                "times": {"prepared": iso(self._now)},
                "supersedes": None,
                "state": "prepared",
                "stapling": None,
            },
            self._options,
        )
        # first remembered, then there: a key in a version folder is never missing from the log
        if spki is not None:
            append_fact(folder.path, KeyFact(iso(self._now), spki, "created", version), self._options)
        self._options.dress_folder(build)
        os.rename(build, folder.version_path(version))
        sync_folder(folder.versions_path)
        self.changed = True
        return version

    def _dress_key(self, path: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._options.dress_file(descriptor, is_key=True)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _refuse_known(self, spki: str, request: KeyRequest) -> None:
        present = request.premise or (self._present_key(request) if request.paths else None)
        if spki in self._known_keys() or spki in self._denied or spki == present:
            raise RotationError(
                "key_known",
                "openssl returned a key that has been used before",
                remedy="Look at the host's source of randomness and at its openssl program.",
                spki_sha256=spki,
            )

    def _known_keys(self) -> set[str]:
        """Every key of every certificate below the root, whatever became of it."""
        if self._known is None:
            self._known = set()
            for name in folder_names(self._root):
                folder = CertificateFolder(self._root, name)
                self._known.update(fact.spki_sha256 for fact in read_keys_log(folder.path))
                self._known.update(
                    str(read_record(folder.version_path(version)).get("spki_sha256")) for version in folder.versions()
                )
        return self._known


def _same(recorded: Any, wanted: dict[str, Any]) -> bool:
    """Whether two requests ask for the same: the order of the names does not matter."""
    return isinstance(recorded, dict) and dict(
        recorded, server_names=sorted(recorded.get("server_names") or [])
    ) == dict(wanted, server_names=sorted(wanted["server_names"]))


def _refuse_full_disk(path: str) -> None:
    free = os.statvfs(path)
    if free.f_blocks and free.f_bavail * free.f_frsize < _NEEDED:
        raise RotationError(
            "disk_full",
            f"{path} has less than 64 KiB left; no key was made",
            remedy="Free some space on the host, then run again.",
        )
