# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded certificate authority as an issuer: orders in, certificates out, revocations recorded and published."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    read_certificate,
    read_certificates,
    serial_hex,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_certificates import make_leaf
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_crl import INTERMEDIATE
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_directory import CaDirectory
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_publish import (
    Fetch,
    check_public,
    fetch_anew,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_request import Request, read_request
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import Record, Records
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_upkeep import (
    answer_urls,
    publish_answers,
    publish_crls,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    REVOCATION_REASONS,
    Issued,
    IssueOutcome,
    Order,
    Receipt,
    Revocation,
    RevokeOutcome,
)


def open_internal_ca(name: str, config: Mapping[str, Any]) -> InternalCa:
    """The CA of an entry ``{type: internal_ca, directory: ..., passphrase: ...}`` of ``rotate_issuers``.

    :raises RotationError: ``issuer_invalid``, ``ca_directory_missing``; never makes a CA.
    """
    unknown = sorted(set(config) - {"type", "directory", "passphrase"})
    directory = config.get("directory")
    if unknown or not isinstance(directory, str) or not directory:
        wrong = f"does not know {', '.join(unknown)}" if unknown else "has no directory"
        raise RotationError(
            "issuer_invalid",
            f"the issuer {name!r} {wrong}",
            remedy="An internal CA takes directory and, if its keys are protected, passphrase.",
            issuer=name,
        )
    passphrase = config.get("passphrase")
    return InternalCa(CaDirectory(Path(directory).expanduser(), str(passphrase) if passphrase else None))


@dataclasses.dataclass(frozen=True)
class _Made:
    """A certificate for an order: made now, or found."""

    record: Record
    is_new: bool


def _clock() -> datetime:
    return datetime.now(timezone.utc)


class InternalCa:
    """One internal CA. Safe to use from many threads and processes at once."""

    accepted_reasons = REVOCATION_REASONS

    def __init__(self, ca: CaDirectory, *, clock: Callable[[], datetime] = _clock, fetch: Fetch = fetch_anew) -> None:
        self._ca = ca
        self._clock = clock
        self._fetch = fetch

    def trust_anchors(self) -> list[x509.Certificate]:
        return [self._ca.root_certificate]

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether this CA made the certificate, or the like of it: by what its database says."""
        return self._find(certificate) is not None

    def find(self, *, serial: str | None = None, spki_sha256: str | None = None) -> list[list[x509.Certificate]]:
        """Leaf certificates with that serial number, or of that key; each with its intermediates after it."""
        with self._ca.store.reading() as records:
            found = records.by_serial(serial) if serial else records.by_key(spki_sha256 or "")
        if found is None or found.kind != "leaf":
            return []
        return [[x509.load_der_x509_certificate(found.der), *read_certificates(self._ca.chain_pem.encode())]]

    # --- issue ---

    def issue(self, orders: Sequence[Order]) -> list[IssueOutcome]:
        """One transaction for all orders; their OCSP responses are published before this returns.

        :raises RotationError: when the CA itself does not work (``ca_passphrase``, ``ca_store_failed``, ...).
        """
        requests = [self._read(order) for order in orders]
        self._ca.check_keys()
        with self._ca.locked():
            at = self._clock()
            with self._ca.store.writing() as records:
                made = [self._certified(records, request, at) for request in requests]
            warnings = self._publish_answers(at)
        warnings += self._check_answer([one.record for one in made if isinstance(one, _Made)])
        return [one if isinstance(one, RotationError) else self._chain(one, warnings) for one in made]

    def _read(self, order: Order) -> Request | RotationError:
        try:
            request = read_request(order, allowed_names=self._ca.settings.allowed_names)
            if order.must_staple and not self._ca.settings.ocsp:
                raise RotationError(
                    "ca_refused",
                    f"{order.name} wants Must-Staple, and this CA has no OCSP: nothing could be stapled",
                    remedy="Switch ocsp on for the internal CA, or must_staple off for the certificate.",
                )
            return request
        except RotationError as error:
            return error

    def _certified(self, records: Records, request: Request | RotationError, at: datetime) -> _Made | RotationError:
        if isinstance(request, RotationError):
            return request
        try:
            known = self._known(records, request, at)
            return _Made(known, False) if known else _Made(self._new(records, request, at), True)
        except RotationError as error:
            return error

    def _known(self, records: Records, request: Request, at: datetime) -> Record | None:
        """The certificate that the same request got before. Any other use of a known key is refused."""
        known = records.by_key(request.spki_sha256)
        why = records.why_blocked(request.spki_sha256)
        if known is not None and why is None:
            if known.revoked_at is None and known.not_after > at and known.request == _question(request):
                return known
            why = (
                "it is revoked" if known.revoked_at else "it was certified before, for another request or another time"
            )
        if why is not None:
            raise RotationError(
                "key_blocked",
                f"the key of {request.order.name}'s request is not certified (again): {why}",
                remedy="Have a fresh key made.",
                spki_sha256=request.spki_sha256,
            )
        return None

    def _new(self, records: Records, request: Request, at: datetime) -> Record:
        order = request.order
        certificate = make_leaf(
            request.public_key,
            request.names,
            self._ca.intermediate,
            self._ca.settings,
            must_staple=order.must_staple,
            at=at,
        )
        record = Record(
            serial=serial_hex(certificate.serial_number),
            issuer=INTERMEDIATE,
            kind="leaf",
            spki_sha256=request.spki_sha256,
            request=_question(request),
            der=certificate.public_bytes(serialization.Encoding.DER),
            not_after=certificate.not_valid_after_utc,
            names_responder=self._ca.settings.ocsp,
        )
        records.add(record, note={"host": order.host, "name": order.name, "replaces": order.replaces}, at=at)
        return record

    def _publish_answers(self, at: datetime) -> tuple[str, ...]:
        """OCSP responses for what was just issued. The certificates exist whether that succeeds or not."""
        try:
            while publish_answers(self._ca, at=at):
                pass
        except RotationError as error:
            return (f"{error.message} ({error.code})",)
        return ()

    def _check_answer(self, made: Sequence[Record]) -> tuple[str, ...]:
        """Fetch one of the responses back, as clients will."""
        settings = self._ca.settings
        if not settings.publish_check or not made or not made[-1].names_responder:
            return ()
        path, file = next(answer_urls(self._ca, made[-1]))
        try:
            content = (settings.published / file).read_bytes()
        except OSError:
            return ()
        problem = check_public(self._fetch, path, content)
        return (f"{problem.message} ({problem.code})",) if problem else ()

    def _chain(self, made: _Made, warnings: tuple[str, ...]) -> Issued:
        leaf = to_pem(x509.load_der_x509_certificate(made.record.der))
        return Issued(leaf + self._ca.chain_pem, self._ca.trust_pem, is_new=made.is_new, warnings=warnings)

    # --- revoke ---

    def revoke(self, revocations: Sequence[Revocation]) -> list[RevokeOutcome]:
        """One transaction and one publication for all. Publishes also what a killed process had left unpublished.

        :raises RotationError: when the CA itself does not work.
        """
        wanted = [self._look_up(revocation) for revocation in revocations]
        self._ca.check_keys()
        with self._ca.locked():
            at = self._clock()
            with self._ca.store.writing() as records:
                outcomes = [self._revoked(records, one, at) for one in wanted]
            concerned = {one[0].issuer for one in wanted if not isinstance(one, RotationError)}
            problems = self._publish_status(concerned, at)
        return [outcome if isinstance(outcome, RotationError) else _told(outcome, problems) for outcome in outcomes]

    def _look_up(self, revocation: Revocation) -> tuple[Record, str] | RotationError:
        try:
            if revocation.reason not in self.accepted_reasons:
                raise RotationError(
                    "reason_not_accepted",
                    f"the internal CA does not revoke for the reason {revocation.reason!r}",
                    remedy=f"Give one of: {', '.join(sorted(self.accepted_reasons))}.",
                    reason=revocation.reason,
                )
            certificate = read_certificate(revocation.certificate_pem.encode(), "the certificate to revoke")
            record = self._find(certificate)
            if record is None:
                raise RotationError(
                    "certificate_unknown",
                    f"this CA did not issue the certificate {serial_hex(certificate.serial_number)}",
                    remedy="Revoke it at the CA that its issuer names.",
                    issuer=certificate.issuer.rfc4514_string(),
                )
            return record, revocation.reason
        except RotationError as error:
            return error

    def _find(self, certificate: x509.Certificate) -> Record | None:
        with self._ca.store.reading() as records:
            record = records.by_serial(serial_hex(certificate.serial_number))
        # Byte for byte: another CA may have used the serial.
        return record if record and record.der == certificate.public_bytes(serialization.Encoding.DER) else None

    def _revoked(
        self, records: Records, wanted: tuple[Record, str] | RotationError, at: datetime
    ) -> Receipt | RotationError:
        if isinstance(wanted, RotationError):
            return wanted
        found, reason = wanted
        # Read again: this is the state under the lock, and an earlier entry of this very call may have changed it.
        record = records.by_serial(found.serial) or found
        if reason == "keyCompromise":
            records.block_key(record.spki_sha256, "it is compromised", at=at)
        if record.revoked_at is not None and (reason != "keyCompromise" or record.reason == "keyCompromise"):
            return Receipt(record.serial, "already_revoked", record.revoked_at)
        # RFC 5280 lets a reason be corrected; the time of the first revocation stays.
        records.revoke(record, reason, at=at)
        return Receipt(record.serial, "revoked", record.revoked_at or at.replace(microsecond=0))

    def _publish_status(self, issuers: set[str], at: datetime) -> tuple[str, ...]:
        """Publish CRLs and OCSP responses, and look from outside whether the CRLs have arrived. Problems in words."""
        try:
            crls = publish_crls(self._ca, at=at, issuers=sorted(issuers))
            while publish_answers(self._ca, at=at):
                pass
        except RotationError as error:
            return (f"{error.message} ({error.code})",)
        if not self._ca.settings.publish_check:
            return ()
        checked = [check_public(self._fetch, self._ca.settings.url(name), content) for name, content in crls.items()]
        return tuple(f"{problem.message} ({problem.code})" for problem in checked if problem)


def _question(request: Request) -> str:
    """What makes two orders the same, apart from the key."""
    return json.dumps({"names": request.names, "must_staple": request.order.must_staple}, sort_keys=True)


def _told(receipt: Receipt, problems: tuple[str, ...]) -> Receipt:
    """The receipt, saying truthfully when the world cannot see the revocation yet."""
    if not problems:
        return receipt
    return dataclasses.replace(receipt, state="accepted_not_published", warnings=problems)
