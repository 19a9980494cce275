# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CA has issued, revoked and listed: one SQLite database that many processes use at once.

Write-ahead log and synchronous=FULL: what a caller was told survives a killed process and a power cut. A connection is
opened for each use, because one must not be carried over a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

FILE_NAME = "ca.sqlite3"
_BUSY_SECONDS = 60.0

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS certificate (
    serial TEXT PRIMARY KEY,
    issuer TEXT NOT NULL,                 -- root | intermediate
    kind TEXT NOT NULL,                   -- intermediate | leaf | responder
    spki_sha256 TEXT NOT NULL UNIQUE,     -- a key is certified once
    request TEXT NOT NULL,                -- what was asked for: the same again gets the same certificate
    note TEXT NOT NULL,                   -- for whom
    names_responder INTEGER NOT NULL,     -- whether clients may ask for its status by OCSP
    der BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    revoked_at INTEGER,
    reason TEXT,
    change INTEGER,                       -- rises with each revocation, so that a CRL can say up to where it goes
    answered_at INTEGER                   -- when its published OCSP responses were signed; NULL: they are still to be
);
CREATE INDEX IF NOT EXISTS certificate_revoked ON certificate (issuer, change) WHERE change IS NOT NULL;
CREATE INDEX IF NOT EXISTS certificate_answered ON certificate (answered_at) WHERE names_responder;
CREATE TABLE IF NOT EXISTS blocked_key (spki_sha256 TEXT PRIMARY KEY, since INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS crl (
    issuer TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL,
    change INTEGER NOT NULL,
    der BLOB NOT NULL
);
PRAGMA user_version = 1;
COMMIT;
"""


@dataclass(frozen=True)
class Record:
    """One certificate of the CA."""

    serial: str
    issuer: str
    kind: str
    spki_sha256: str
    request: str
    der: bytes
    not_after: datetime
    revoked_at: datetime | None = None
    reason: str | None = None
    names_responder: bool = False


@dataclass(frozen=True)
class CrlRecord:
    """The latest CRL of one issuer."""

    issuer: str
    number: int
    this_update: datetime
    next_update: datetime
    change: int
    der: bytes


_COLUMNS = "serial, issuer, kind, spki_sha256, request, der, not_after, revoked_at, reason, names_responder"

_ANSWERED = "names_responder AND not_after > ? AND answered_at IS NOT NULL"
_UNANSWERED = "names_responder AND not_after > ? AND (answered_at IS NULL OR answered_at <= ?)"


def _moment(value: int | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, timezone.utc)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _record(row: tuple[Any, ...]) -> Record:
    serial, issuer, kind, spki, request, der, not_after, revoked_at, reason, names_responder = row
    return Record(
        serial,
        issuer,
        kind,
        spki,
        request,
        der,
        datetime.fromtimestamp(not_after, timezone.utc),
        _moment(revoked_at),
        reason,
        bool(names_responder),
    )


class Records:
    """The questions and entries of one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _one(self, where: str, *values: Any) -> Record | None:
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM certificate WHERE {where}", values).fetchone()
        return _record(row) if row else None

    def _many(self, where: str, *values: Any) -> list[Record]:
        return [
            _record(row)
            for row in self._connection.execute(f"SELECT {_COLUMNS} FROM certificate WHERE {where}", values)
        ]

    def by_serial(self, serial: str) -> Record | None:
        return self._one("serial = ?", serial)

    def by_key(self, spki_sha256: str) -> Record | None:
        return self._one("spki_sha256 = ?", spki_sha256)

    def why_blocked(self, spki_sha256: str) -> str | None:
        row = self._connection.execute("SELECT why FROM blocked_key WHERE spki_sha256 = ?", (spki_sha256,)).fetchone()
        return str(row[0]) if row else None

    def block_key(self, spki_sha256: str, why: str, *, at: datetime) -> None:
        self._connection.execute("INSERT OR IGNORE INTO blocked_key VALUES (?, ?, ?)", (spki_sha256, _seconds(at), why))

    def add(self, record: Record, *, note: dict[str, Any], at: datetime) -> None:
        self._connection.execute(
            "INSERT INTO certificate (serial, issuer, kind, spki_sha256, request, note, names_responder, der,"
            " issued_at, not_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.serial,
                record.issuer,
                record.kind,
                record.spki_sha256,
                record.request,
                json.dumps(note, sort_keys=True),
                record.names_responder,
                record.der,
                _seconds(at),
                _seconds(record.not_after),
            ),
        )

    def revoke(self, record: Record, reason: str, *, at: datetime) -> None:
        """Set the reason, and the time unless there is one. Its OCSP responses have to be signed anew."""
        self._connection.execute(
            "UPDATE certificate SET revoked_at = COALESCE(revoked_at, ?), reason = ?, answered_at = NULL, change = ?"
            " WHERE serial = ?",
            (_seconds(at), reason, self.latest_change(record.issuer) + 1, record.serial),
        )

    def latest_change(self, issuer: str) -> int:
        query = "SELECT COALESCE(MAX(change), 0) FROM certificate WHERE issuer = ? AND change IS NOT NULL"
        return int(self._connection.execute(query, (issuer,)).fetchone()[0])

    def revoked(self, issuer: str, *, not_expired_at: datetime) -> list[Record]:
        return self._many(
            "issuer = ? AND change IS NOT NULL AND not_after >= ? ORDER BY revoked_at, serial",
            issuer,
            _seconds(not_expired_at),
        )

    def unanswered(self, *, signed_before: datetime, at: datetime, limit: int) -> list[Record]:
        """Unexpired leaf certificates whose OCSP responses are missing or older."""
        return self._many(
            f"{_UNANSWERED} ORDER BY answered_at LIMIT ?",
            _seconds(at),
            _seconds(signed_before),
            limit,
        )

    def count_unanswered(self, *, signed_before: datetime, at: datetime) -> int:
        query = f"SELECT COUNT(*) FROM certificate WHERE {_UNANSWERED}"
        return int(self._connection.execute(query, (_seconds(at), _seconds(signed_before))).fetchone()[0])

    def has_responder_to(self, *, at: datetime) -> bool:
        """Whether any unexpired certificate names a responder."""
        query = "SELECT 1 FROM certificate WHERE names_responder AND not_after > ? LIMIT 1"
        return self._connection.execute(query, (_seconds(at),)).fetchone() is not None

    def oldest_answer(self, *, at: datetime) -> datetime | None:
        query = f"SELECT MIN(answered_at) FROM certificate WHERE {_ANSWERED}"
        return _moment(self._connection.execute(query, (_seconds(at),)).fetchone()[0])

    def answered(self, *, at: datetime) -> list[Record]:
        """Unexpired leaf certificates whose OCSP responses should be there."""
        return self._many(_ANSWERED, _seconds(at))

    def answered_and_expired(self, *, at: datetime) -> list[Record]:
        return self._many("names_responder AND not_after <= ? AND answered_at IS NOT NULL", _seconds(at))

    def mark_answered(self, serials: Iterable[str], at: datetime | None) -> None:
        moment = None if at is None else _seconds(at)
        self._connection.executemany(
            "UPDATE certificate SET answered_at = ? WHERE serial = ?", [(moment, serial) for serial in serials]
        )

    def crl(self, issuer: str) -> CrlRecord | None:
        row = self._connection.execute("SELECT * FROM crl WHERE issuer = ?", (issuer,)).fetchone()
        if not row:
            return None
        _issuer, number, this_update, next_update, change, der = row
        return CrlRecord(
            issuer,
            number,
            datetime.fromtimestamp(this_update, timezone.utc),
            datetime.fromtimestamp(next_update, timezone.utc),
            change,
            der,
        )

    def save_crl(self, crl: CrlRecord) -> None:
        """Replace the issuer's CRL; SQLite itself refuses a number that does not rise."""
        saved = self._connection.execute(
            "INSERT INTO crl VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (issuer) DO UPDATE SET number = excluded.number,"
            " this_update = excluded.this_update, next_update = excluded.next_update, change = excluded.change,"
            " der = excluded.der WHERE excluded.number > crl.number",
            (crl.issuer, crl.number, _seconds(crl.this_update), _seconds(crl.next_update), crl.change, crl.der),
        )
        if saved.rowcount != 1:
            raise RotationError(
                "crl_number", f"the CRL of the {crl.issuer} with number {crl.number} is not newer than the last"
            )


class Store:
    """The database in a CA's directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def create(self) -> None:
        """Make the tables, unless they are there."""
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with self._connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Records]:
        """A consistent view; nothing is written."""
        with self._connected() as connection:
            connection.execute("BEGIN")
            yield Records(connection)

    @contextlib.contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Records]:
        """All or nothing, alone among writers. Not ``durable``: may be forgotten in a power cut (never torn)."""
        with self._connected() as connection:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            yield Records(connection)
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            # mode=rw: a missing database is an error, never a new CA without a memory.
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
            )
        except sqlite3.Error as error:
            raise self._failure(error) from error
        try:
            # Closing rolls back what was not committed.
            with contextlib.closing(connection):
                yield connection
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> RotationError:
        return RotationError(
            "ca_store_failed",
            f"the database of the CA, {self._path}, does not work: {error}",
            remedy="Check that it exists, belongs to this user, and that its file system has room.",
            path=str(self._path),
        )
