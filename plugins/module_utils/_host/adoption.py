# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adoption: a vhost's own certificate and key become a version of ours, and its paths links into ``live``.

Content is the same at each moment: first the pair is a version, then ``live`` points to it, then each path is replaced
by a link with rename(2). The server may reload, or this run be killed, between any two of these steps.
"""

from __future__ import annotations

import contextlib
import errno
import os
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import (
    TEMPORARY,
    read_file,
    remove_if_there,
    replace_link,
    sync_folder,
    write_file,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CHAIN,
    KEY,
    SNIPPET,
    STAPLE,
    TRUST,
    CertificateFolder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import iso
from ansible_collections.certops.rotation.plugins.module_utils._host.der import (
    certificate_blocks,
    serial_hex,
    subject_public_key_info,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.destroy import (
    BUILD,
    discard_build,
    overwrite,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.digest import sha256_hex
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions
from ansible_collections.certops.rotation.plugins.module_utils._host.keys_log import KeyFact, append_fact
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.own_paths import OwnPath
from ansible_collections.certops.rotation.plugins.module_utils._host.record import write_record

_STAPLE_LIMIT = 64 * 1024
_SNIPPET = b"# adopted: this server block keeps the stapling directives it had\n"


class Adoption:
    """The paths of one certificate's vhost that are not links into ``live`` yet."""

    def __init__(self, folder: CertificateFolder, paths: list[OwnPath], openssl: Openssl, options: FileOptions) -> None:
        self.folder = folder
        self.pending = [own for own in paths if not own.is_ours]
        self._paths = {own.role: own for own in paths}
        self._openssl = openssl
        self._options = options

    def check(self) -> None:
        """RotationError unless every pending path can be taken over, before any of them is."""
        for own in self.pending:
            if not os.path.isdir(os.path.dirname(own.path)):
                raise RotationError("paths_invalid", f"There is no folder for {own.path}")
            if own.kind != "missing" and not os.path.isfile(own.path):
                raise RotationError("adoption_refused", f"{own.path} is neither a file nor a link to one")
            if own.kind == "link" and os.readlink(own.path).startswith(os.path.dirname(self.folder.path) + os.sep):
                raise RotationError(
                    "adoption_refused",
                    f"{own.path} already belongs to another certificate of ours: {os.readlink(own.path)}",
                )
        self._pair_to_take()

    def carry_out(self, now: datetime) -> list[str]:
        """Take the pair over where need be and replace the paths; returns what a person should know."""
        notes = []
        pair = self._pair_to_take()
        if pair is not None:
            self.folder.point_live_to(self._taken_before(*pair) or self._take(*pair, now))
        for own in self.pending:
            if own.kind == "link":
                notes.append(
                    f"{own.path} was a link to {os.readlink(own.path)}; what maintained it has no effect here now"
                )
            self._replace(own)
        return notes

    def _pair_to_take(self) -> tuple[str, str] | None:
        """(key's SPKI hash, chain) of the present pair, unless it is live already or there is none."""
        certificate, key = self._paths.get("certificate"), self._paths.get("key")
        if certificate is None or key is None or key.is_ours or key.kind == "missing":
            return None  # the key goes last: where it is ours, the pair has been taken over
        spki = self._openssl.spki_sha256(key.path)
        live = self.folder.live()
        if live is not None and self.folder.record(live).get("spki_sha256") == spki:
            return None
        chain = self._openssl.certificates_in(certificate.path)
        if not chain:
            raise RotationError("adoption_refused", f"{certificate.path} holds no certificate")
        if sha256_hex(subject_public_key_info(certificate_blocks(chain)[0])) != spki:
            raise RotationError("key_mismatch", f"{certificate.path} and {key.path} are not a pair")
        return spki, chain

    def _taken_before(self, spki: str, chain: str) -> str | None:
        """The version that a run made of this pair before it was killed."""
        for version in reversed(self.folder.versions()):
            if version.endswith("-adopted") and self.folder.has_key(version):
                path = os.path.join(self.folder.version_path(version), CHAIN)
                if self.folder.record(version).get("spki_sha256") == spki and read_file(
                    path, len(chain) + 1
                ) == chain.encode("ascii"):
                    return version
        return None

    def _take(self, spki: str, chain: str, now: datetime) -> str:
        folder = self.folder
        version = now.strftime("%Y%m%dT%H%M%SZ") + "-adopted"
        build = os.path.join(folder.versions_path, BUILD + os.urandom(6).hex())
        os.mkdir(build, 0o700)
        try:
            self._take_key(self._paths["key"], os.path.join(build, KEY))
            for file_name, data in self._companions(chain).items():
                write_file(os.path.join(build, file_name), data, self._options)
            write_record(
                build,
                {
                    "version": version,
                    "created_at": iso(now),
                    "request": None,
                    "spki_sha256": spki,
                    "issuer": None,
                    "serial": serial_hex(certificate_blocks(chain)[0]),
                    "order": None,
                    "times": {"adopted": iso(now)},
                    "supersedes": None,
                    "state": "served",
                    "stapling": None,
                    "adopted_from": {role: os.path.realpath(own.path) for role, own in self._paths.items()},
                },
                self._options,
            )
            append_fact(folder.path, KeyFact(iso(now), spki, "adopted", version), self._options)
            self._options.dress_folder(build)
            os.rename(build, folder.version_path(version))
        except BaseException:
            if os.path.isdir(build):
                discard_build(build)
            raise
        sync_folder(folder.versions_path)
        return version

    def _companions(self, chain: str) -> dict[str, bytes]:
        found = {CHAIN: chain.encode("ascii"), SNIPPET: _SNIPPET}
        trust, staple = self._paths.get("trust"), self._paths.get("staple")
        if trust is not None and trust.kind != "missing":
            found[TRUST] = self._openssl.certificates_in(trust.path).encode("ascii")
        if staple is not None and staple.kind != "missing":
            found[STAPLE] = read_file(os.path.realpath(staple.path), _STAPLE_LIMIT)
        return found

    def _take_key(self, own: OwnPath, target: str) -> None:
        """Have the key in the version too: as the same file if it is the vhost's alone, else as a copy.

        A file behind a link, or with other hard links, belongs to somebody else as well: its mode stays, and it is
        never overwritten when our version's key is destroyed.
        """
        source = os.path.realpath(own.path)
        is_same = _is_unshared(own)
        if is_same:
            try:
                os.link(source, target, follow_symlinks=False)
            except OSError:  # another file system, or one without hard links
                is_same = False
        flags = os.O_WRONLY if is_same else os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = os.open(target, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if not is_same:
                _copy(source, descriptor)
            self._options.dress_file(descriptor, is_key=True)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _replace(self, own: OwnPath) -> None:
        """Replace one path by its link; a key that had to be copied from there is overwritten."""
        place, name = os.path.split(own.path)
        for entry in os.listdir(place):
            if entry.startswith(TEMPORARY + name[:60] + "-") and os.path.islink(os.path.join(place, entry)):
                remove_if_there(os.path.join(place, entry))
        with contextlib.ExitStack() as opened:
            stale = None
            if own.role == "key" and _is_unshared(own):
                stale = os.open(own.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                opened.callback(os.close, stale)
            replace_link(own.path, own.target)
            if stale is not None and os.fstat(stale).st_nlink == 0:
                overwrite(stale)


def _is_unshared(own: OwnPath) -> bool:
    return own.kind == "file" and os.lstat(own.path).st_nlink == 1


def _copy(source: str, descriptor: int) -> None:
    """sendfile(2): the bytes never come into this process."""
    original = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        offset, size = 0, os.fstat(original).st_size
        while offset < size:
            sent = os.sendfile(descriptor, original, offset, size - offset)
            if not sent:
                raise OSError(errno.EIO, "the key file became shorter while it was copied", source)
            offset += sent
    finally:
        os.close(original)
