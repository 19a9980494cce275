# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a CA, and changing the settings of one. The only place where keys of a CA come into being."""

from __future__ import annotations

import dataclasses
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import serial_hex, spki_sha256
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers import ca_directory, ca_settings
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_certificates import (
    Authority,
    common_name_of,
    make_intermediate,
    make_root,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_crl import ROOT
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import (
    create_exclusively,
    sync_directory,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import (
    create_key_file,
    key_type_of,
    load_key_file,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_settings import (
    Settings,
    check_base_url,
    check_durations,
    load_settings,
    save_settings,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import FILE_NAME as STORE
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import Record, Store

_KEY_FILES = (ca_directory.ROOT_KEY, ca_directory.INTERMEDIATE_KEY, ca_directory.RESPONDER)
_OWN_FILES = frozenset(
    {
        *_KEY_FILES,
        ca_directory.ROOT_CERTIFICATE,
        ca_directory.INTERMEDIATE_CERTIFICATE,
        ca_directory.LOCK,
        STORE,
        f"{STORE}-wal",
        f"{STORE}-shm",
    }
)


@dataclass(frozen=True)
class Identity:
    """What a CA is for all its life. None: the default at creation, and not looked at afterwards."""

    root_name: str | None = None
    intermediate_name: str | None = None
    root_key_type: str | None = None
    intermediate_key_type: str | None = None


_DEFAULTS = Identity("Internal Root CA", "Internal Issuing CA", "ec-secp384r1", "ec-secp256r1")


@dataclass(frozen=True)
class Plan:
    """What bringing a CA into its wanted state takes, before anything is due for other reasons."""

    creates: bool
    before: Settings | None
    after: Settings
    too_open: tuple[str, ...]
    """Files (``.``: the directory) that others than the owner may use."""

    def __bool__(self) -> bool:
        return bool(self.creates or self.before != self.after or self.too_open)


def exists(directory: Path) -> bool:
    """Whether there is a whole CA; a half-made one does not count."""
    return (directory / ca_settings.FILE_NAME).exists()


def plan_present(directory: Path, options: dict[str, Any], identity: Identity) -> Plan:
    """Compare the CA in ``directory`` with what is wanted. ``options`` are those of Settings that were given.

    :raises RotationError: ``ca_setting_missing``, ``ca_setting_invalid``, ``ca_setting_fixed``, ``base_url_invalid``,
        ``ca_directory_foreign``.
    """
    before = load_settings(directory) if exists(directory) else None
    after = _wanted(before, options)
    if before is None:
        _check_ours(directory)
        return Plan(True, None, after, ())
    _check_identity(directory, identity)
    return Plan(False, before, after, _too_open(directory))


def _wanted(before: Settings | None, options: dict[str, Any]) -> Settings:
    given = dict(options)
    url = given.pop("base_url", None)
    former = before.base_urls if before else ()
    if url is not None:
        url = check_base_url(url)
        given["base_urls"] = (url, *(base for base in former if base != url))
    if before is None:
        for name, value in (("base_url", url), ("publish_directory", given.get("publish_directory"))):
            if not value:
                raise RotationError("ca_setting_missing", f"a new CA needs {name}", setting=name)
        return check_durations(Settings(**given))
    return check_durations(dataclasses.replace(before, **given))


def _check_ours(directory: Path) -> None:
    """A new CA goes into a new or empty directory, or continues what a killed creation left."""
    if not directory.is_dir():
        return
    foreign = sorted(
        entry.name
        for entry in directory.iterdir()
        if entry.name not in _OWN_FILES and not entry.name.startswith(".new-")
    )
    if foreign:
        raise RotationError(
            "ca_directory_foreign",
            f"{directory} holds other things: {', '.join(foreign[:5])}",
            remedy="Give the CA a directory of its own.",
            directory=str(directory),
        )


def _check_identity(directory: Path, identity: Identity) -> None:
    root = ca_directory.read_certificate(directory / ca_directory.ROOT_CERTIFICATE)
    intermediate = ca_directory.read_certificate(directory / ca_directory.INTERMEDIATE_CERTIFICATE)
    present = Identity(
        common_name_of(root),
        common_name_of(intermediate),
        key_type_of(root.public_key()),
        key_type_of(intermediate.public_key()),
    )
    for field in dataclasses.fields(Identity):
        wanted, is_now = getattr(identity, field.name), getattr(present, field.name)
        if wanted is not None and wanted != is_now:
            raise RotationError(
                "ca_setting_fixed",
                f"{field.name} of the CA in {directory} is {is_now!r} and cannot become {wanted!r}",
                remedy="Make a new CA in another directory, and give it to rotate_issuers under another name.",
                setting=field.name,
            )


def _too_open(directory: Path) -> tuple[str, ...]:
    candidates = (".", ca_settings.FILE_NAME, STORE, *_KEY_FILES)
    return tuple(name for name in candidates if (directory / name).exists() and _mode(directory / name) & 0o077)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def apply_plan(directory: Path, plan: Plan, identity: Identity, passphrase: str | None, *, at: datetime) -> None:
    """Make the CA, or bring its settings and modes into the wanted state."""
    _make_publish_directory(plan.after.published)
    if plan.creates:
        _make_directory(directory)
    with ca_directory.locked(directory):
        if plan.creates and exists(directory):
            raise RotationError(
                "ca_locked",
                f"another process has just made the CA in {directory}",
                remedy="Run again.",
                directory=str(directory),
            )
        if plan.creates:
            _create(directory, plan.after, identity, passphrase.encode() if passphrase else None, at)
        for name in plan.too_open:
            (directory / name).chmod(0o700 if name == "." else 0o600)
        if plan.before != plan.after:
            save_settings(directory, plan.after)


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        directory.chmod(0o700)
        sync_directory(directory.parent)
    except OSError as error:
        raise RotationError(
            "ca_directory_unwritable",
            f"{directory} cannot be made: {error.strerror}",
            remedy="Create its parent directory, or give one where this user may write.",
            directory=str(directory),
        ) from error


def _make_publish_directory(folder: Path) -> None:
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            folder.chmod(0o755)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise RotationError(
            "publish_failed", f"the publish directory {folder} cannot be used: {error.strerror}", path=str(folder)
        ) from error


def _create(directory: Path, settings: Settings, identity: Identity, passphrase: bytes | None, at: datetime) -> None:
    """Each step keeps what an earlier, killed creation has made. The settings come last: from then on it is a CA."""
    store = Store(directory)
    store.create()
    wanted = dataclasses.asdict(_DEFAULTS) | {k: v for k, v in dataclasses.asdict(identity).items() if v is not None}
    root_key = directory / ca_directory.ROOT_KEY
    create_key_file(root_key, wanted["root_key_type"], passphrase)
    key = load_key_file(root_key, passphrase)
    root = Authority(
        _ensure(directory / ca_directory.ROOT_CERTIFICATE, lambda: make_root(wanted["root_name"], key, at=at)), key
    )
    intermediate_key = directory / ca_directory.INTERMEDIATE_KEY
    create_key_file(intermediate_key, wanted["intermediate_key_type"], passphrase)
    own_key = load_key_file(intermediate_key, passphrase)
    intermediate = _ensure(
        directory / ca_directory.INTERMEDIATE_CERTIFICATE,
        lambda: make_intermediate(wanted["intermediate_name"], own_key, root, settings, at=at),
    )
    _remember(store, root.certificate, intermediate, at)


def _ensure(path: Path, make: Any) -> x509.Certificate:
    if not path.exists():
        create_exclusively(path, make().public_bytes(serialization.Encoding.PEM), mode=0o644)
    return ca_directory.read_certificate(path)


def _remember(store: Store, root: x509.Certificate, intermediate: x509.Certificate, at: datetime) -> None:
    """The intermediate can be revoked like what it issues, and no key of the CA itself is ever certified."""
    record = Record(
        serial=serial_hex(intermediate.serial_number),
        issuer=ROOT,
        kind="intermediate",
        spki_sha256=spki_sha256(intermediate.public_key()),
        request="",
        der=intermediate.public_bytes(serialization.Encoding.DER),
        not_after=intermediate.not_valid_after_utc,
    )
    with store.writing() as records:
        records.block_key(spki_sha256(root.public_key()), "it is the key of this CA's root", at=at)
        if records.by_serial(record.serial) is None:
            records.add(record, note={}, at=at)
