# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that has to be signed and published anew from time to time, or because something changed.

What is due is read from the database and the published folder alone. So whatever a killed process had recorded and not
yet published is found and finished by the next one, whichever operation that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import quote

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers import ca_settings
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_crl import INTERMEDIATE, ROOT, next_crl
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_directory import CaDirectory
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import remove_leftovers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_ocsp import answers, file_of, request_paths
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_publish import (
    Fetch,
    check_public,
    is_published,
    publish,
    publish_all,
    withdraw,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_responder import (
    current_responder,
    is_renewal_due,
    renewal_due,
    responder,
    valid_until,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import Record, Records

CRL_FILES = {INTERMEDIATE: ca_settings.INTERMEDIATE_CRL, ROOT: ca_settings.ROOT_CRL}

# The lock is held for one batch at a time, so that a refresh of many certificates does not keep issuing waiting.
_BATCH = 200


@dataclass(frozen=True)
class Due:
    """What has to be done."""

    responder: bool
    crls: tuple[str, ...]
    """Issuers whose CRL has to be signed anew."""
    files: tuple[str, ...]
    """Published files that are missing or differ."""
    answers: int
    """Certificates whose OCSP responses have to be signed."""
    expired: int
    """Certificates whose OCSP responses can go."""

    def __bool__(self) -> bool:
        return bool(self.responder or self.crls or self.files or self.answers or self.expired)


def what_is_due(ca: CaDirectory, *, at: datetime) -> Due:
    """Look only."""
    with ca.store.reading() as records:
        crls = tuple(issuer for issuer in (ROOT, INTERMEDIATE) if _is_crl_due(ca, records, issuer, at))
        files = tuple(
            name
            for name, content in _fixed_files(ca, records)
            if not is_published(ca.settings.published, name, content)
        )
        stale = records.count_unanswered(signed_before=_signed_before(ca, at), at=at) + len(_lost(ca, records, at))
        expired = len(records.answered_and_expired(at=at))
        # Certificates that were issued while there was OCSP are answered for until they end.
        has_ocsp = ca.settings.ocsp or records.has_responder_to(at=at)
    return Due(has_ocsp and is_renewal_due(ca, at=at), crls, files, stale, expired)


def refresh(ca: CaDirectory, *, at: datetime) -> Due:
    """Do what is due, and say what that was."""
    due = what_is_due(ca, at=at)
    if not due:
        return due
    with ca.locked():
        remove_leftovers(ca.settings.published)
        publish_crls(ca, at=at, issuers=tuple(CRL_FILES))
        _publish_certificates(ca)
        _withdraw_expired(ca, at=at)
        _forget_lost(ca, at=at)
        if due.responder:
            responder(ca, at=at)
    while True:
        with ca.locked():
            if not publish_answers(ca, at=at, limit=_BATCH):
                break
    return due


def _fixed_files(ca: CaDirectory, records: Records) -> Iterator[tuple[str, bytes]]:
    yield ca_settings.ROOT_CERTIFICATE, ca.root_certificate.public_bytes(serialization.Encoding.DER)
    yield ca_settings.INTERMEDIATE_CERTIFICATE, ca.intermediate_certificate.public_bytes(serialization.Encoding.DER)
    for issuer, name in CRL_FILES.items():
        crl = records.crl(issuer)
        if crl:
            yield name, crl.der


def _publish_certificates(ca: CaDirectory) -> None:
    with ca.store.reading() as records:
        for name, content in _fixed_files(ca, records):
            if not is_published(ca.settings.published, name, content):
                publish(ca.settings.published, name, content)


# --- CRLs ---


def _crl_times(ca: CaDirectory, issuer: str) -> tuple[timedelta, timedelta]:
    """How long a CRL is valid, and when it is replaced."""
    if issuer == ROOT:
        validity = timedelta(days=ca.settings.root_crl_days)
        return validity, validity / 2
    return timedelta(days=ca.settings.crl_days), timedelta(days=ca.settings.crl_refresh_days)


def _is_crl_due(ca: CaDirectory, records: Records, issuer: str, at: datetime) -> bool:
    crl = records.crl(issuer)
    if crl is None or crl.change != records.latest_change(issuer):
        return True
    validity, refreshed = _crl_times(ca, issuer)
    # Also when the settings were changed to a shorter life, or to another URL.
    return (
        at >= crl.this_update + refreshed
        or crl.next_update > crl.this_update + validity
        or not _names(crl.der, ca, issuer)
    )


def _names(der: bytes, ca: CaDirectory, issuer: str) -> bool:
    """Does the CRL name all URLs that certificates name?"""
    if issuer == ROOT:
        return True
    scope = x509.load_der_x509_crl(der).extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    return [name.value for name in scope.full_name or ()] == ca.settings.all_urls(CRL_FILES[issuer])


def publish_crls(ca: CaDirectory, *, at: datetime, issuers: Iterable[str]) -> dict[str, bytes]:
    """Sign the CRLs that are due, publish those that differ from what is published. The caller holds the CA's lock.

    Signing and recording is one transaction, so two CRLs never bear the same number. What is published is always what
    was recorded: a process killed in between leaves the file for the next one to write.

    :returns: the present CRLs by file name.
    """
    current: dict[str, bytes] = {}
    for issuer in issuers:
        name = CRL_FILES[issuer]
        with ca.store.reading() as records:
            is_due, crl = _is_crl_due(ca, records, issuer, at), records.crl(issuer)
        if is_due or crl is None:
            with ca.store.writing() as records:
                authority = ca.root if issuer == ROOT else ca.intermediate
                crl = next_crl(
                    records, issuer, authority, ca.settings.all_urls(name), at=at, validity=_crl_times(ca, issuer)[0]
                )
                records.save_crl(crl)
        if not is_published(ca.settings.published, name, crl.der):
            publish(ca.settings.published, name, crl.der)
        current[name] = crl.der
    return current


# --- OCSP ---


def _validity(ca: CaDirectory) -> timedelta:
    return timedelta(hours=ca.settings.ocsp_hours)


def _signed_before(ca: CaDirectory, at: datetime) -> datetime:
    """Responses older than half of their life are replaced."""
    return at - _validity(ca) / 2


def publish_answers(ca: CaDirectory, *, at: datetime, limit: int = _BATCH) -> int:
    """Sign and publish OCSP responses that are missing or half-way to their end. The caller holds the CA's lock.

    Under the lock nothing is revoked between reading a status and publishing it, so a good never replaces a revoked.

    :returns: for how many certificates.
    """
    with ca.store.reading() as records:
        stale = records.unanswered(signed_before=_signed_before(ca, at), at=at, limit=limit)
    if stale:
        _publish_answers_for(ca, stale, at)
    return len(stale)


def _publish_answers_for(ca: CaDirectory, stale: list[Record], at: datetime) -> None:
    signer = responder(ca, at=at)
    until = valid_until(signer, at=at, validity=_validity(ca))
    files = [
        (PurePosixPath(ca_settings.OCSP_FOLDER) / name, content)
        for record in stale
        for name, content in answers(record, ca.intermediate_certificate, signer, at=at, until=until)
    ]
    publish_all(ca.settings.published, files)
    # Forgotten in a power cut, they are signed once more.
    with ca.store.writing(durable=False) as records:
        records.mark_answered([record.serial for record in stale], at)


def answer_urls(ca: CaDirectory, record: Record) -> Iterator[tuple[str, PurePosixPath]]:
    """The URLs that clients fetch the status of one certificate from, and the published file behind each."""
    certificate = x509.load_der_x509_certificate(record.der)
    for path in request_paths(certificate, ca.intermediate_certificate):
        # RFC 9919 section 3: base64 and then percent-encoding, of the slash too.
        url = f"{ca.settings.url(ca_settings.OCSP_FOLDER)}/{quote(path, safe='')}"
        yield url, PurePosixPath(ca_settings.OCSP_FOLDER) / file_of(path)


def _lost(ca: CaDirectory, records: Records, at: datetime) -> list[Record]:
    """Certificates whose responses were published and are not there any more."""
    return [
        record
        for record in records.answered(at=at)
        if not all((ca.settings.published / name).is_file() for _url, name in answer_urls(ca, record))
    ]


def _forget_lost(ca: CaDirectory, *, at: datetime) -> None:
    with ca.store.writing(durable=False) as records:
        records.mark_answered([record.serial for record in _lost(ca, records, at)], None)


def _withdraw_expired(ca: CaDirectory, *, at: datetime) -> None:
    """RFC 9919: nobody asks for the status of an expired certificate."""
    with ca.store.writing(durable=False) as records:
        expired = records.answered_and_expired(at=at)
        for record in expired:
            for _url, name in answer_urls(ca, record):
                withdraw(ca.settings.published, name)
        records.mark_answered([record.serial for record in expired], None)


# --- afterwards ---


def next_due(ca: CaDirectory, *, at: datetime) -> datetime:
    """When the next refresh has something to do, if nothing is issued or revoked until then."""
    moments: list[datetime] = []
    with ca.store.reading() as records:
        for issuer in CRL_FILES:
            crl = records.crl(issuer)
            moments.append(crl.this_update + _crl_times(ca, issuer)[1] if crl else at)
        oldest = records.oldest_answer(at=at)
    if oldest:
        moments.append(oldest + _validity(ca) / 2)
    if ca.settings.ocsp or oldest:
        certificate = current_responder(ca)
        moments.append(renewal_due(certificate) if certificate else at)
    return max(at, min(moments))


def check_publication(ca: CaDirectory, fetch: Fetch) -> dict[str, RotationError | None]:
    """Fetch every fixed file back from its public URL and compare it byte for byte."""
    with ca.store.reading() as records:
        files = list(_fixed_files(ca, records))
    return {ca.settings.url(name): check_public(fetch, ca.settings.url(name), content) for name, content in files}
