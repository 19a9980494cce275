# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRLs of the CA: numbered, scoped to the URL that certificates name, signed by their issuer (RFC 5280 section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_certificates import (
    Authority,
    authority_key_identifier,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import signature_hash
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import CrlRecord, Record, Records

INTERMEDIATE = "intermediate"
ROOT = "root"


def next_crl(
    records: Records, issuer_name: str, issuer: Authority, urls: Sequence[str], *, at: datetime, validity: timedelta
) -> CrlRecord:
    """The issuer's next CRL, built from what ``records`` say; not saved yet.

    The number is the Unix time, or one more than the last: it also rises after the CA was restored from a backup.
    """
    previous = records.crl(issuer_name)
    number = max(int(at.timestamp()), previous.number + 1 if previous else 1)
    # An entry stays until one CRL after the certificate's expiry has shown it (RFC 5280 section 3.3).
    kept_from = min(at, previous.this_update) if previous else at
    entries = records.revoked(issuer_name, not_expired_at=kept_from)
    this_update = at.replace(microsecond=0)
    der = _sign(issuer, entries, number, urls, issuer_name == ROOT, this_update, this_update + validity)
    return CrlRecord(issuer_name, number, this_update, this_update + validity, records.latest_change(issuer_name), der)


def _sign(
    issuer: Authority,
    entries: Sequence[Record],
    number: int,
    urls: Sequence[str],
    for_cas: bool,
    this_update: datetime,
    next_update: datetime,
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(authority_key_identifier(issuer.certificate), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_scope(urls, for_cas), critical=True)
    )
    for entry in entries:
        builder = builder.add_revoked_certificate(_entry(entry))
    return builder.sign(issuer.key, signature_hash(issuer.key)).public_bytes(serialization.Encoding.DER)


def _scope(urls: Sequence[str], for_cas: bool) -> x509.IssuingDistributionPoint:
    """What the CRL speaks of: critical, so that no verifier can overlook it.

    The intermediate's names the URL of the certificates' distribution point, so that no other CRL can be slipped in for
    it. The root has one CRL and no distribution point of its own; a URL in there would make `openssl verify
    -crl_check_all` (and nginx's ssl_crl) refuse it for the root itself.
    """
    return x509.IssuingDistributionPoint(
        full_name=None if for_cas else [x509.UniformResourceIdentifier(url) for url in urls],
        relative_name=None,
        only_contains_user_certs=not for_cas,
        only_contains_ca_certs=for_cas,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def _entry(record: Record) -> x509.RevokedCertificate:
    if record.revoked_at is None:
        raise AssertionError(f"{record.serial} is not revoked")
    entry = x509.RevokedCertificateBuilder().serial_number(int(record.serial, 16)).revocation_date(record.revoked_at)
    # RFC 5280 section 5.3.1: unspecified is said by leaving the extension out.
    if record.reason and record.reason != "unspecified":
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(record.reason)), critical=False)
    return entry.build()
