# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done for one release: found out by looking at the disk, before anything is touched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import CHAIN, STAPLE
from ansible_collections.certops.rotation.plugins.module_utils._host.digest import sha256_hex
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.record import Record, read_record
from ansible_collections.certops.rotation.plugins.module_utils._host.release import Release, content_of, differing
from ansible_collections.certops.rotation.plugins.module_utils._host.stapling import Stapling, choose_stapling

if TYPE_CHECKING:
    from ansible_collections.certops.rotation.plugins.module_utils._host.adoption import Adoption
    from ansible_collections.certops.rotation.plugins.module_utils._host.ticket_keys import TicketKey

_KNOWN_MODES = ("off", "nginx", "file")


@dataclass(frozen=True)
class Plan:
    """The difference between the disk and one release. A plan without changes needs no reload either.

    ``live_now`` and ``live_then`` are versions; ``fallback`` is where ``live`` goes if this does not work out.
    """

    release: Release
    live_now: str | None
    live_then: str | None
    fallback: str | None
    stapling: Stapling
    record: Record
    files: dict[str, bytes | None] = field(default_factory=dict)
    adoption: Adoption | None = None
    ticket_keys: list[TicketKey] = field(default_factory=list)
    needs_reload: bool = False

    @property
    def name(self) -> str:
        """The certificate's name."""
        return self.release.folder.name

    @property
    def is_change(self) -> bool:
        """Whether anything is to be done at all."""
        return self.needs_reload or bool(self.files) or self.adoption is not None or self.live_now != self.live_then

    def as_diff(self) -> dict[str, str]:
        """Before and after in fingerprints: neither a key nor a staple is shown."""
        before = [f"live: {self.live_now}"]
        after = [f"live: {self.live_then}"]
        for name, data in sorted(self.files.items()):
            version = self.live_then or ""
            before.append(f"{name}: {_fingerprint(content_of(self.release.folder, version, name))}")
            after.append(f"{name}: {_fingerprint(data)}")
        for own in self.adoption.pending if self.adoption else []:
            before.append(f"{own.path}: {own.kind}")
            after.append(f"{own.path}: link to {own.target}")
        for key in self.ticket_keys:
            before.append(f"{key.path}: a session ticket key")
            after.append(f"{key.path}: another session ticket key")
        return {
            "before_header": self.name,
            "after_header": self.name,
            "before": "\n".join([*before, ""]),
            "after": "\n".join([*after, ""]),
        }


def plan_release(release: Release, openssl: Openssl, options: FileOptions) -> Plan:
    """The plan for one release; every refusal happens here, with the certificate's name in its facts."""
    with naming(release):
        release.folder.check()
        return _PLANNERS[release.operation](release, openssl, options)


@contextlib.contextmanager
def naming(release: Release) -> Iterator[None]:
    """Errors inside tell which certificate they are about: the others of the host can be installed without it."""
    try:
        yield
    except RotationError as error:
        error.facts.setdefault("name", release.folder.name)
        raise


def _plan_switch(release: Release, openssl: Openssl, options: FileOptions) -> Plan:
    folder, version, live = release.folder, wanted_version(release), release.folder.live()
    record = read_record(folder.version_path(version))
    is_live = live == version
    has_same_chain = content_of(folder, version, CHAIN) == release.chain
    if is_live and not has_same_chain and record.get("state") != "prepared":
        raise RotationError(
            "release_differs",
            f"{version} is live with another chain; a release is never changed",
            remedy="Prepare a new version for the new certificate.",
        )
    if not is_live and record.get("state") != "prepared":
        raise RotationError(
            "version_unusable",
            "{} is {}, not prepared".format(version, record.get("state")),
            remedy="Prepare a new version: a pair that was given up is never taken up again.",
        )
    if not is_live or not has_same_chain:
        _refuse_other_key(release, version, openssl)
    stapling = _stapling(release, record, is_live)
    files = differing(folder, version, _wanted_files(release, stapling, is_live))
    adoption = _adoption(release, openssl, options)
    return Plan(
        release=release,
        live_now=live,
        live_then=version,
        fallback=_fallback(release, record, live, version),
        stapling=stapling,
        record=record,
        files=files,
        adoption=adoption,
        ticket_keys=_ticket_keys(release) if not is_live or record.get("state") == "prepared" else [],
        needs_reload=not is_live or bool(files) or adoption is not None or record.get("state") == "prepared",
    )


def _ticket_keys(release: Release) -> list[TicketKey]:
    """Keys for session tickets that are to go with the private key."""
    if not release.ticket_keys:
        return []
    from ansible_collections.certops.rotation.plugins.module_utils._host.ticket_keys import read_ticket_key

    return [read_ticket_key(path) for path in release.ticket_keys]


def _adoption(release: Release, openssl: Openssl, options: FileOptions) -> Adoption | None:
    """Taking over the vhost's own paths, if it has any that are not links into ``live`` yet."""
    if not release.paths:
        return None
    from ansible_collections.certops.rotation.plugins.module_utils._host.adoption import Adoption

    adoption = Adoption(release.folder, release.paths, openssl, options)
    if not adoption.pending:
        return None
    adoption.check()
    return adoption


def _plan_repair(release: Release, openssl: Openssl, options: FileOptions) -> Plan:
    live = release.folder.live()
    if live is None:
        raise RotationError("nothing_live", f"{release.folder.name} has no live release to repair")
    record = read_record(release.folder.version_path(live))
    return Plan(
        release=release,
        live_now=live,
        live_then=live,
        fallback=live,
        stapling=_recorded(record),
        record=record,
        needs_reload=True,
    )


def _plan_rollback(release: Release, openssl: Openssl, options: FileOptions) -> Plan:
    folder, version, live = release.folder, wanted_version(release), release.folder.live()
    record = read_record(folder.version_path(version))
    supersedes = record.get("supersedes") or {}
    target = supersedes.get("version")
    refusal = _rollback_refusal(release, supersedes, live, version)
    if refusal:
        raise RotationError(
            "rollback_refused",
            f"{folder.name} is not rolled back: {refusal}",
            version=version,
            predecessor=target,
        )
    return Plan(
        release=release,
        live_now=live,
        live_then=target,
        fallback=live,
        record=record,
        stapling=_recorded(read_record(folder.version_path(str(target)))),
        needs_reload=live != target or record.get("state") != "rolled_back",
    )


def _rollback_refusal(release: Release, supersedes: Record, live: str | None, version: str) -> str | None:
    target = supersedes.get("version")
    if not release.back_allowed or supersedes.get("compromised"):
        return "its predecessor is revoked or its key compromised"
    if not target or not release.folder.has_version(target) or not release.folder.has_key(target):
        return "there is no predecessor whose key still exists"
    if live not in (version, target):
        return f"live is {live} by now"
    return None


def _plan_staple(release: Release, openssl: Openssl, options: FileOptions) -> Plan:
    folder, live = release.folder, release.folder.live()
    if live is None or release.version not in (None, live):
        raise RotationError(
            "nothing_live", f"The release of {folder.name} that the staple is for is not live", live=live
        )
    record = read_record(folder.version_path(live))
    stapling = _recorded(record)
    if release.staple is None:
        raise RotationError("staple_missing", f"No staple was given for {folder.name}")
    is_used = stapling.mode == "file" or any(own.role == "staple" for own in release.paths)
    files = differing(folder, live, {STAPLE: release.staple}) if is_used else {}
    return Plan(
        release=release,
        live_now=live,
        live_then=live,
        fallback=live,
        stapling=stapling,
        record=record,
        files=files,
        needs_reload=bool(files),
    )


_PLANNERS: dict[str, Callable[[Release, Openssl, FileOptions], Plan]] = {
    "switch": _plan_switch,
    "repair": _plan_repair,
    "rollback": _plan_rollback,
    "staple": _plan_staple,
}


def wanted_version(release: Release) -> str:
    """The version that the release is for. RotationError ``version_unknown``."""
    if release.version is None or not release.folder.has_version(release.version):
        raise RotationError(
            "version_unknown",
            f"{release.folder.name} has no version {release.version}",
            remedy="Run the step prepare again.",
        )
    return release.version


def _refuse_other_key(release: Release, version: str, openssl: Openssl) -> None:
    """nginx would tell a mismatch by SIGHUP only in its log, and apache would end: it is found here."""
    leaf = release.leaf_spki_sha256()
    on_disk = openssl.spki_sha256(release.folder.key_path(version))
    if leaf != on_disk or release.spki_sha256 not in (None, leaf):
        raise RotationError(
            "key_mismatch",
            f"The chain for {release.folder.name} is not for the key in {version}",
            chain_spki_sha256=leaf,
            key_spki_sha256=on_disk,
            expected_spki_sha256=release.spki_sha256,
        )


def _stapling(release: Release, record: Record, is_live: bool) -> Stapling:
    """A release that is live keeps its way of stapling, so that a second run changes nothing."""
    if is_live and release.stapling == "auto" and record.get("stapling") in _KNOWN_MODES:
        return _recorded(record)
    must_staple = release.must_staple or bool((record.get("request") or {}).get("must_staple"))
    return choose_stapling(
        release.stapling, release.responder, has_staple=release.staple is not None, must_staple=must_staple
    )


def _wanted_files(release: Release, stapling: Stapling, is_live: bool) -> dict[str, bytes | None]:
    wanted = release.files(stapling.mode)
    if any(own.role == "staple" for own in release.paths) and release.staple is None and not is_live:
        raise RotationError(
            "staple_missing",
            f"The vhost of {release.folder.name} names an ssl_stapling_file, but there is no staple",
            remedy="Take ssl_stapling_file out of the vhost's configuration.",
        )
    if is_live and release.staple is None:
        del wanted[STAPLE]  # none was given: what is there stays
    return wanted


def _fallback(release: Release, record: Record, live: str | None, version: str) -> str | None:
    """Where ``live`` goes back to. If a run was killed right after its switch, that is what it had switched from."""
    if live != version:
        return live
    predecessor = (record.get("supersedes") or {}).get("version")
    if record.get("state") != "prepared" or (predecessor and not release.folder.has_key(predecessor)):
        return version
    return str(predecessor) if predecessor else None


def _recorded(record: Record) -> Stapling:
    return Stapling(str(record.get("stapling") or "off"), "as it was installed")


def _fingerprint(data: bytes | None) -> str:
    return "absent" if data is None else "sha256 " + sha256_hex(data)
