# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ACME issuer remembers on the control node: account, orders, certificates, hints. One file per directory URL.

Losing it costs little: an order is made anew, the account is found again by its key, and a certificate that is to be
revoked has to be given then instead of its serial number. A connection is opened for each
use, because one must not be carried over a fork; many threads and processes write side by side.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sqlite3
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

FILE_NAME = "state.sqlite3"
_BUSY_SECONDS = 60.0
_KEPT_SECONDS = 400 * 86400
# Nobody looks for what has expired but to be told that; and some 1.5 kB each is what a certificate takes.
_KEPT_AFTER_EXPIRY = 30 * 86400
MOST_CERTIFICATES = 50_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (thumbprint TEXT PRIMARY KEY, uri TEXT NOT NULL, contact TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS made_order (
    thumbprint TEXT NOT NULL,
    csr_sha256 TEXT NOT NULL,
    names TEXT NOT NULL,          -- sorted, a line each: what limits for the very same names count
    url TEXT NOT NULL,
    made_at REAL NOT NULL,
    finalized_at REAL,
    finalize TEXT NOT NULL,       -- its URL, which some servers tell only once
    PRIMARY KEY (thumbprint, csr_sha256)
);
CREATE INDEX IF NOT EXISTS made_order_made ON made_order (thumbprint, made_at);
CREATE TABLE IF NOT EXISTS past_order (thumbprint TEXT NOT NULL, names TEXT NOT NULL, made_at REAL NOT NULL,
    finalized_at REAL);
CREATE TABLE IF NOT EXISTS hint (
    cert_id TEXT PRIMARY KEY,
    ask_at REAL NOT NULL,         -- not before
    failures INTEGER NOT NULL,
    body TEXT
);
CREATE TABLE IF NOT EXISTS issuer (sha256 TEXT PRIMARY KEY, der BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS certificate (
    sha256 TEXT PRIMARY KEY,
    account TEXT NOT NULL,        -- URL of the account that ordered it: its key may change
    serial TEXT NOT NULL,
    spki_sha256 TEXT NOT NULL,
    not_after REAL NOT NULL,
    der BLOB NOT NULL,
    above TEXT NOT NULL           -- the rest of its chain: rows of issuer, a line each
);
CREATE INDEX IF NOT EXISTS certificate_serial ON certificate (serial);
CREATE INDEX IF NOT EXISTS certificate_key ON certificate (spki_sha256);
CREATE INDEX IF NOT EXISTS certificate_end ON certificate (not_after);
"""


@dataclass(frozen=True)
class KnownOrder:
    """Where an order is, and where it is finalized."""

    url: str
    finalize: str = ""


@dataclass(frozen=True)
class KnownHint:
    """What the CA said last about one certificate, and when it may be asked again."""

    ask_at: float
    failures: int
    body: str | None


@dataclass(frozen=True)
class KnownCertificate:
    """A certificate that an account ordered from here, with what it is looked up by."""

    account: str
    serial: str
    spki_sha256: str
    not_after: float
    chain: tuple[bytes, ...]
    """DER, the leaf first."""


def directory_for(state_dir: Path, directory_url: str) -> Path:
    """The folder for one CA below ``state_dir``: recognisable, and different for each URL."""
    host = re.sub(r"[^a-z0-9.-]", "_", urllib.parse.urlsplit(directory_url).netloc.lower())
    return state_dir / f"{host}-{hashlib.sha256(directory_url.encode()).hexdigest()[:8]}"


class AcmeState:
    """The memory of one issuer. Made when it is first needed, for its owner alone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._is_made = False

    # --- the account ---

    def account(self, thumbprint: str) -> tuple[str, str] | None:
        """URL and contact of the account with that key."""
        with self._using() as database:
            row = database.execute("SELECT uri, contact FROM account WHERE thumbprint = ?", (thumbprint,)).fetchone()
        return (row[0], row[1]) if row else None

    def remember_account(self, thumbprint: str, uri: str, contact: str) -> None:
        with self._using() as database:
            database.execute("INSERT OR REPLACE INTO account VALUES (?, ?, ?)", (thumbprint, uri, contact))

    def forget_account(self, thumbprint: str) -> None:
        with self._using() as database:
            database.execute("DELETE FROM account WHERE thumbprint = ?", (thumbprint,))

    # --- orders ---

    def order(self, thumbprint: str, csr_sha256: str) -> KnownOrder | None:
        """The order that was made for that request."""
        with self._using() as database:
            row = database.execute(
                "SELECT url, finalize FROM made_order WHERE thumbprint = ? AND csr_sha256 = ?", (thumbprint, csr_sha256)
            ).fetchone()
        return KnownOrder(*row) if row else None

    def remember_order(self, thumbprint: str, csr_sha256: str, names: Sequence[str], order: KnownOrder) -> None:
        """Before anything else is done with the order: whoever is killed from here on continues it."""
        with self._using() as database:
            database.execute(
                "INSERT OR REPLACE INTO made_order VALUES (?, ?, ?, ?, ?, NULL, ?)",
                (thumbprint, csr_sha256, _lines(names), order.url, time.time(), order.finalize),
            )
            database.execute("DELETE FROM made_order WHERE made_at < ?", (time.time() - _KEPT_SECONDS,))

    def remember_finalized(self, thumbprint: str, csr_sha256: str) -> None:
        with self._using() as database:
            database.execute(
                "UPDATE made_order SET finalized_at = ? WHERE thumbprint = ? AND csr_sha256 = ?",
                (time.time(), thumbprint, csr_sha256),
            )

    def forget_order(self, thumbprint: str, csr_sha256: str) -> None:
        """An order that cannot be continued. It still counts against the CA's limits."""
        with self._using() as database:
            known = "FROM made_order WHERE thumbprint = ? AND csr_sha256 = ?"
            database.execute(
                f"INSERT INTO past_order SELECT thumbprint, names, made_at, finalized_at {known}",
                (thumbprint, csr_sha256),
            )
            database.execute(f"DELETE {known}", (thumbprint, csr_sha256))
            database.execute("DELETE FROM past_order WHERE made_at < ?", (time.time() - _KEPT_SECONDS,))

    def orders_since(self, thumbprint: str, since: float) -> list[float]:
        """When orders were made, oldest first."""
        return self._times("made_at", thumbprint, since, "")

    def issued_since(self, thumbprint: str, names: Sequence[str], since: float) -> list[float]:
        """When certificates for the very same names were asked for, oldest first."""
        return self._times("finalized_at", thumbprint, since, "AND names = ?", _lines(names))

    def _times(self, column: str, thumbprint: str, since: float, condition: str, *more: str) -> list[float]:
        where = f"WHERE thumbprint = ? AND {column} >= ? {condition}"
        with self._using() as database:
            rows = database.execute(
                f"SELECT {column} FROM made_order {where} UNION ALL SELECT {column} FROM past_order {where} ORDER BY 1",
                (thumbprint, since, *more) * 2,
            ).fetchall()
        return [row[0] for row in rows]

    # --- hints ---

    def hint(self, cert_id: str) -> KnownHint | None:
        with self._using() as database:
            row = database.execute("SELECT ask_at, failures, body FROM hint WHERE cert_id = ?", (cert_id,)).fetchone()
        return KnownHint(*row) if row else None

    def remember_hint(self, cert_id: str, hint: KnownHint) -> None:
        with self._using() as database:
            database.execute(
                "INSERT OR REPLACE INTO hint VALUES (?, ?, ?, ?)", (cert_id, hint.ask_at, hint.failures, hint.body)
            )
            database.execute("DELETE FROM hint WHERE ask_at < ?", (time.time() - _KEPT_SECONDS,))

    # --- certificates of the CA ---

    def issuers(self) -> list[bytes]:
        """CA certificates (DER) that this issuer has handed out in chains."""
        if not (self.directory / FILE_NAME).exists():
            return []
        with self._using() as database:
            return [row[0] for row in database.execute("SELECT der FROM issuer ORDER BY sha256")]

    # --- certificates of the accounts ---

    def remember_certificate(self, one: KnownCertificate, *, most: int = MOST_CERTIFICATES) -> None:
        """With its chain or not at all. Those that expired go, and beyond ``most`` those that expire first."""
        leaf, *above = one.chain
        with self._using() as database:
            database.executemany("INSERT OR IGNORE INTO issuer VALUES (?, ?)", [(_sha256(der), der) for der in above])
            database.execute(
                "INSERT OR REPLACE INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_sha256(leaf), one.account, one.serial, one.spki_sha256, one.not_after, leaf,
                 "\n".join(map(_sha256, above))),
            )  # fmt: skip
            database.execute("DELETE FROM certificate WHERE not_after < ?", (time.time() - _KEPT_AFTER_EXPIRY,))
            database.execute(
                "DELETE FROM certificate WHERE sha256 IN"
                " (SELECT sha256 FROM certificate ORDER BY not_after DESC LIMIT -1 OFFSET ?)",
                (most,),
            )

    def certificates(self, *, serial: str | None = None, spki_sha256: str | None = None) -> list[KnownCertificate]:
        """Those with that serial number, else of that key. Nothing is made for the question."""
        if not (self.directory / FILE_NAME).exists():
            return []
        column, value = ("serial", serial) if serial else ("spki_sha256", spki_sha256)
        with self._using("DEFERRED") as database:  # beside whoever writes
            above = dict(database.execute("SELECT sha256, der FROM issuer"))
            rows = database.execute(
                f"SELECT account, serial, spki_sha256, not_after, der, above FROM certificate WHERE {column} = ?"
                " ORDER BY sha256",
                (value,),
            ).fetchall()
        return [
            KnownCertificate(account, number, key, end, (leaf, *(above[one] for one in rest.split())))
            for account, number, key, end, leaf, rest in rows
        ]

    # --- the file ---

    def make_directory(self) -> None:
        """:raises RotationError: ``acme_state_failed``."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _failed(self.directory, error.strerror or str(error)) from error

    @contextlib.contextmanager
    def _using(self, lock: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """One transaction, locked against other writers from its beginning. RotationError ``acme_state_failed``."""
        self.make_directory()
        path = self.directory / FILE_NAME
        try:
            with contextlib.closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
                self._prepare(database, path)
                database.execute(f"BEGIN {lock}")
                yield database
                database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise _failed(path, str(error)) from error

    def _prepare(self, database: sqlite3.Connection, path: Path) -> None:
        database.execute("PRAGMA synchronous = NORMAL")
        if not self._is_made:
            os.chmod(path, 0o600)
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
            self._is_made = True


def _sha256(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def _lines(names: Sequence[str]) -> str:
    return "\n".join(sorted(names))


def _failed(path: Path, why: str) -> RotationError:
    return RotationError(
        "acme_state_failed",
        f"the ACME state in {path} cannot be used: {why}",
        remedy="Give the user who runs this a state_dir to write to; the file may be deleted, it is made anew.",
        path=str(path),
    )
