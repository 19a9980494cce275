# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that the CA makes: root, intermediate, OCSP responder, leaf (RFC 5280 section 4, BR section 7.1)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import oid, rsa, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers import ca_settings
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import SigningKey, signature_hash
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_names import general_names
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_request import LeafKey
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_settings import Settings

ROOT_VALIDITY = timedelta(days=20 * 365)
INTERMEDIATE_VALIDITY = timedelta(days=10 * 365)
RESPONDER_VALIDITY = timedelta(days=60)

_COMMON_NAME_LIMIT = 64


@dataclass(frozen=True)
class Authority:
    """A certificate together with its key."""

    certificate: x509.Certificate
    key: SigningKey


def fresh_serial() -> int:
    """A random serial of 128 bits, positive (RFC 5280 section 4.1.2.2).

    It is the last thing in an OCSP request. Ending in six set bits, the request's base64 could end in a slash, and a
    path that ends in a slash names a directory: no file could be published under it. Such a number is drawn again.
    """
    while True:
        serial = secrets.randbits(128)
        if serial and serial & 0x3F != 0x3F:
            return serial


def _key_usage(**used: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: used.get(name, False) for name in names})


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, name)])


def common_name_of(certificate: x509.Certificate) -> str:
    """The name that a certificate of the CA itself was given."""
    return str(certificate.subject.get_attributes_for_oid(oid.NameOID.COMMON_NAME)[0].value)


def _points(url: str) -> x509.CRLDistributionPoints:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.CRLDistributionPoints([point])


def _access(issuer_url: str, ocsp_url: str | None) -> x509.AuthorityInformationAccess:
    entries = [(oid.AuthorityInformationAccessOID.CA_ISSUERS, issuer_url)]
    if ocsp_url:
        entries.insert(0, (oid.AuthorityInformationAccessOID.OCSP, ocsp_url))
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in entries]
    )


def _builder(
    subject: x509.Name, key: LeafKey, issuer: Authority | None, *, at: datetime, validity: timedelta
) -> x509.CertificateBuilder:
    """Subject, key, serial, dates and key identifiers; without ``issuer`` it will sign itself."""
    not_after = at + validity
    if issuer:
        # Nothing outlives what it depends on.
        not_after = min(not_after, issuer.certificate.not_valid_after_utc)
        if not_after <= at + timedelta(hours=1):
            raise RotationError(
                "ca_expired",
                f"the CA certificate {issuer.certificate.subject.rfc4514_string()} is valid only until"
                f" {issuer.certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
                remedy="Make a new CA in another directory and give it to rotate_issuers.",
            )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key)
        .serial_number(fresh_serial())
        .not_valid_before((at - ca_settings.BACKDATED).replace(microsecond=0))
        .not_valid_after(not_after.replace(microsecond=0))
        .add_extension(identifier, critical=False)
    )
    if issuer:
        builder = builder.add_extension(authority_key_identifier(issuer.certificate), critical=False)
    return builder


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Points to the issuer by its own subject key identifier."""
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def make_root(name: str, key: SigningKey, *, at: datetime) -> x509.Certificate:
    """A self-signed root with room for one CA below it."""
    return (
        _builder(_common_name(name), key.public_key(), None, at=at, validity=ROOT_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, signature_hash(key))
    )


def make_intermediate(
    name: str, key: SigningKey, root: Authority, settings: Settings, *, at: datetime
) -> x509.Certificate:
    """The CA that issues leaf certificates; its own status is in the root's CRL."""
    return (
        _builder(_common_name(name), key.public_key(), root, at=at, validity=INTERMEDIATE_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(_access(settings.url(ca_settings.ROOT_CERTIFICATE), None), critical=False)
        .add_extension(_points(settings.url(ca_settings.ROOT_CRL)), critical=False)
        .sign(root.key, signature_hash(root.key))
    )


def make_responder(key: SigningKey, issuer: Authority, *, at: datetime) -> x509.Certificate:
    """A delegated OCSP signer (RFC 6960 section 4.2.2.2, BR 7.1.2.8).

    id-pkix-ocsp-nocheck: clients trust it without asking for its status, so it lives shortly and names no CRL.
    """
    name = f"{common_name_of(issuer.certificate)} OCSP"[:_COMMON_NAME_LIMIT]
    return (
        _builder(_common_name(name), key.public_key(), issuer, at=at, validity=RESPONDER_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([oid.ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .sign(issuer.key, signature_hash(issuer.key))
    )


def make_leaf(
    key: LeafKey, names: Sequence[str], issuer: Authority, settings: Settings, *, must_staple: bool, at: datetime
) -> x509.Certificate:
    """A server certificate for canonical ``names``."""
    common_name = next((name for name in names if len(name) <= _COMMON_NAME_LIMIT), None)
    subject = _common_name(common_name) if common_name else x509.Name([])
    ocsp_url = settings.url(ca_settings.OCSP_FOLDER) if settings.ocsp else None
    builder = (
        _builder(subject, key, issuer, at=at, validity=timedelta(days=settings.leaf_days))
        # RFC 5280 section 4.2.1.6: the names are critical when there is no subject.
        .add_extension(x509.SubjectAlternativeName(general_names(names)), critical=not common_name)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            _key_usage(digital_signature=True, key_encipherment=isinstance(key, rsa.RSAPublicKey)), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_access(settings.url(ca_settings.INTERMEDIATE_CERTIFICATE), ocsp_url), critical=False)
        .add_extension(_points(settings.url(ca_settings.INTERMEDIATE_CRL)), critical=False)
    )
    if must_staple:
        builder = builder.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
    return builder.sign(issuer.key, signature_hash(issuer.key))
