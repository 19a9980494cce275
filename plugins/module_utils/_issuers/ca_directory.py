# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One CA as it lies on disk: settings, keys, certificates, database, and the lock that orders those who change it."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_certificates import Authority
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import load_key_file
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_settings import Settings, load_settings
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import Store

LOCK = "ca.lock"
ROOT_KEY = "root.key"
ROOT_CERTIFICATE = "root.crt"
INTERMEDIATE_KEY = "intermediate.key"
INTERMEDIATE_CERTIFICATE = "intermediate.crt"
RESPONDER = "ocsp.pem"

_LOCK_SECONDS = 60.0
_FIRST_WAIT = 0.002
_LONGEST_WAIT = 0.02


@contextlib.contextmanager
def locked(directory: Path, *, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
    """One at a time, among processes and threads; a killed holder's lock is gone with it.

    Waits by asking again, because a blocking flock(2) could not be given up in a thread.

    :raises RotationError: ``ca_locked`` after ``seconds``.
    """
    try:
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RotationError(
            "ca_directory_unwritable",
            f"the CA directory {directory} cannot be written: {error.strerror}",
            remedy="Run as the user who owns the CA directory.",
            directory=str(directory),
        ) from error
    try:
        _wait_for(descriptor, directory, time.monotonic() + seconds)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, directory: Path, deadline: float) -> None:
    pause = _FIRST_WAIT
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RotationError(
                    "ca_locked",
                    f"another process has kept the CA in {directory} busy for too long",
                    remedy="Find the process that holds ca.lock (fuser), then run again.",
                    directory=str(directory),
                ) from None
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_WAIT)


class CaDirectory:
    """A CA that exists. Keys are read when they are needed, and once."""

    def __init__(self, directory: Path, passphrase: str | None = None) -> None:
        self.path = directory
        self.settings: Settings = load_settings(directory)
        self.store = Store(directory)
        self.passphrase = passphrase.encode() if passphrase else None

    @functools.cached_property
    def root_certificate(self) -> x509.Certificate:
        return read_certificate(self.path / ROOT_CERTIFICATE)

    @functools.cached_property
    def intermediate_certificate(self) -> x509.Certificate:
        return read_certificate(self.path / INTERMEDIATE_CERTIFICATE)

    @functools.cached_property
    def root(self) -> Authority:
        return authority(self.root_certificate, self.path / ROOT_KEY, self.passphrase)

    @functools.cached_property
    def intermediate(self) -> Authority:
        return authority(self.intermediate_certificate, self.path / INTERMEDIATE_KEY, self.passphrase)

    def check_keys(self) -> None:
        """Nothing is recorded that could not be signed. :raises RotationError: as ``authority``."""
        _loaded = self.intermediate

    def locked(self) -> contextlib.AbstractContextManager[None]:
        return locked(self.path)

    @functools.cached_property
    def chain_pem(self) -> str:
        """What follows the leaf in a chain."""
        return self.intermediate_certificate.public_bytes(serialization.Encoding.PEM).decode()

    @functools.cached_property
    def trust_pem(self) -> str:
        """Issuer and root."""
        return self.chain_pem + self.root_certificate.public_bytes(serialization.Encoding.PEM).decode()


def authority(certificate: x509.Certificate, key_path: Path, passphrase: bytes | None) -> Authority:
    """A certificate with the key in ``key_path``, which must be its own: else nobody could verify what it signs.

    :raises RotationError: ``ca_key_mismatch``, and as ``load_key_file``.
    """
    key = load_key_file(key_path, passphrase)
    if key.public_key() != certificate.public_key():
        raise RotationError(
            "ca_key_mismatch",
            f"the CA key {key_path} does not belong to the certificate {certificate.subject.rfc4514_string()}",
            remedy="Restore the key and the certificate of the CA from the same backup.",
            path=str(key_path),
        )
    return Authority(certificate, key)


def read_certificate(path: Path) -> x509.Certificate:
    """The certificate of the CA in ``path``. RotationError ``ca_certificate_missing``."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RotationError(
            "ca_certificate_missing",
            f"the CA certificate {path} cannot be read: {error}",
            remedy="Restore the CA directory from its backup.",
            path=str(path),
        ) from error
