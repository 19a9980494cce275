# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The delegated OCSP signer: key and certificate in one file, so that they change together, renewed in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import serial_hex, spki_sha256
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_certificates import (
    RESPONDER_VALIDITY,
    Authority,
    make_responder,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_crl import INTERMEDIATE
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_directory import (
    RESPONDER,
    CaDirectory,
    authority,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import write_atomically
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import (
    generate_key,
    key_pem,
    responder_key_type,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import Record


def current_responder(ca: CaDirectory) -> x509.Certificate | None:
    """The responder's certificate, None if there is none (any more)."""
    try:
        return read_certificate(ca.path / RESPONDER)
    except RotationError:
        return None


def renewal_due(responder: x509.Certificate) -> datetime:
    """Half of its life: far longer before its end than any response that it signs is valid."""
    return responder.not_valid_after_utc - RESPONDER_VALIDITY / 2


def is_renewal_due(ca: CaDirectory, *, at: datetime) -> bool:
    certificate = current_responder(ca)
    if certificate is None or renewal_due(certificate) <= at:
        return True
    return certificate.issuer != ca.intermediate_certificate.subject


def responder(ca: CaDirectory, *, at: datetime) -> Authority:
    """The signer of OCSP responses, a new one if it is time. The caller holds the CA's lock."""
    if is_renewal_due(ca, at=at):
        return _renew(ca, at=at)
    return authority(read_certificate(ca.path / RESPONDER), ca.path / RESPONDER, ca.passphrase)


def _renew(ca: CaDirectory, *, at: datetime) -> Authority:
    key = generate_key(responder_key_type(ca.intermediate.key))
    certificate = make_responder(key, ca.intermediate, at=at)
    record = Record(
        serial=serial_hex(certificate.serial_number),
        issuer=INTERMEDIATE,
        kind="responder",
        spki_sha256=spki_sha256(certificate.public_key()),
        request="",
        der=certificate.public_bytes(serialization.Encoding.DER),
        not_after=certificate.not_valid_after_utc,
    )
    with ca.store.writing() as records:
        records.add(record, note={}, at=at)
    pem = key_pem(key, ca.passphrase) + certificate.public_bytes(serialization.Encoding.PEM)
    write_atomically(ca.path / RESPONDER, pem, mode=0o600)
    return Authority(certificate, key)


def valid_until(signer: Authority, *, at: datetime, validity: timedelta) -> datetime:
    """No response outlives its signer's certificate."""
    return min(at + validity, signer.certificate.not_valid_after_utc)
