# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certification authorities, certificates, CRLs and OCSP responses made on the spot, right ones and wrong ones.

root = Authority.root()
issuing = root.intermediate(crl_urls=["http://127.0.0.1/root.crl"])
leaf = issuing.issue(["shop.example.org"], crl_urls=[...], ocsp_urls=[...])
leaf.certificate, leaf.key, leaf.chain_pem
issuing.crl(revoked={leaf.serial: x509.ReasonFlags.key_compromise})
issuing.ocsp(leaf.certificate, "revoked")
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def utc_now() -> datetime:
    """The present second, which is what X.509 can express."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def make_key(kind: str = "ec") -> Any:
    """A private key: ``ec`` (P-256), ``ec-secp384r1``, ``ec-secp521r1``, ``rsa`` (2048), ``rsa-3072``, ``ed25519``."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.partition("-")[2] or 2048))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    curves = {"ec-secp384r1": ec.SECP384R1, "ec-secp521r1": ec.SECP521R1}
    return ec.generate_private_key(curves.get(kind, ec.SECP256R1)())


def name_of(common_name: str | None, organization: str = "certops tests") -> x509.Name:
    """A distinguished name; without a common name it has only the organization."""
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]
    if common_name is not None:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def der(thing: Any) -> bytes:
    return thing.public_bytes(serialization.Encoding.DER)


def key_pem(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def make_csr(names: Sequence[str], key: Any, must_staple: bool = False) -> str:
    """A certificate request as PEM, with subjectAltName and no common name."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    builder = builder.add_extension(x509.SubjectAlternativeName(general_names(names)), critical=True)
    if must_staple:
        builder = builder.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
    return builder.sign(key, hash_for(key)).public_bytes(serialization.Encoding.PEM).decode()


def general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    """DNS names, or IP addresses where the text is one."""
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def hash_for(key: Any) -> Any:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def key_usage(*uses: str) -> x509.KeyUsage:
    """``key_usage("crl_sign", "key_cert_sign")``"""
    fields = [
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ]
    return x509.KeyUsage(**{field: field in uses for field in fields})


def crl_points(urls: Iterable[str]) -> x509.CRLDistributionPoints:
    """One distribution point for each URL."""
    return x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls]
    )


def issuing_point(url: str | None = None, **flags: Any) -> x509.IssuingDistributionPoint:
    """``issuing_point("http://…/1.crl", only_contains_user_certs=True)``"""
    fields: dict[str, Any] = {
        "full_name": [x509.UniformResourceIdentifier(url)] if url else None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**fields, **flags})


@dataclasses.dataclass(frozen=True)
class Issued:
    """A certificate with its private key and the certificates between it and the root."""

    certificate: x509.Certificate
    key: Any
    intermediates: tuple[x509.Certificate, ...] = ()

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return (self.certificate, *self.intermediates)

    @property
    def pem(self) -> str:
        return pem(self.certificate)

    @property
    def chain_pem(self) -> str:
        return "".join(pem(certificate) for certificate in self.chain)

    @property
    def key_pem(self) -> str:
        return key_pem(self.key)


@dataclasses.dataclass(frozen=True)
class Authority:
    """A CA of the tests. ``at`` is the time everything it makes is centred on."""

    certificate: x509.Certificate
    key: Any
    at: datetime
    intermediates: tuple[x509.Certificate, ...] = ()
    """what a leaf of this CA sends along, this CA first; the root has none"""

    @classmethod
    def root(
        cls, common_name: str = "Test Root", *, key: Any = None, at: datetime | None = None, **wanted: Any
    ) -> Authority:
        key, at = key or make_key(), at or utc_now()
        made = _certify(name_of(common_name), key.public_key(), name_of(common_name), key, at, ca=True, **wanted)
        return cls(made, key, at)

    def intermediate(self, common_name: str = "Test Issuing CA", *, key: Any = None, **wanted: Any) -> Authority:
        key = key or make_key()
        made = _certify(
            name_of(common_name),
            key.public_key(),
            self.subject,
            self.key,
            self.at,
            ca=True,
            issuer=self.certificate,
            **wanted,
        )
        return Authority(made, key, self.at, (made, *self.intermediates))

    @property
    def subject(self) -> x509.Name:
        return self.certificate.subject

    @property
    def pem(self) -> str:
        return pem(self.certificate)

    def issue(
        self,
        names: Sequence[str] = ("shop.example.org",),
        *,
        key: Any = None,
        common_name: str | None = None,
        **wanted: Any,
    ) -> Issued:
        """A server certificate. See ``_certify`` for what can be asked for."""
        key = key or make_key()
        wanted.setdefault("eku", [ExtendedKeyUsageOID.SERVER_AUTH])
        subject = name_of(common_name) if common_name else x509.Name([])
        made = _certify(
            subject, key.public_key(), self.subject, self.key, self.at, names=names, issuer=self.certificate, **wanted
        )
        return Issued(made, key, self.intermediates)

    def sign_csr(self, csr_pem: str, **wanted: Any) -> Issued:
        """A server certificate for a request made elsewhere; ``key`` of the result is None."""
        csr = x509.load_pem_x509_csr(csr_pem.encode())
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        texts = [str(name.value) for name in names]
        wanted.setdefault("eku", [ExtendedKeyUsageOID.SERVER_AUTH])
        made = _certify(
            x509.Name([]),
            csr.public_key(),
            self.subject,
            self.key,
            self.at,
            names=texts,
            issuer=self.certificate,
            **wanted,
        )
        return Issued(made, None, self.intermediates)

    def delegate(
        self, common_name: str = "Test OCSP", *, key: Any = None, nocheck: bool = True, **wanted: Any
    ) -> Issued:
        """An OCSP responder certificate as RFC 6960 4.2.2.2 wants it; every part can be left out."""
        key = key or make_key()
        wanted.setdefault("eku", [ExtendedKeyUsageOID.OCSP_SIGNING])
        extra = list(wanted.pop("extra", []))
        if nocheck:
            extra.append((x509.OCSPNoCheck(), False))
        made = _certify(
            name_of(common_name),
            key.public_key(),
            self.subject,
            self.key,
            self.at,
            issuer=self.certificate,
            extra=extra,
            usage=wanted.pop("usage", key_usage("digital_signature")),
            **wanted,
        )
        return Issued(made, key, self.intermediates)

    def crl(
        self,
        revoked: Mapping[int, x509.ReasonFlags | None] | Iterable[int] = (),
        *,
        number: int | None = 1,
        this_update: datetime | None = None,
        next_update: datetime | None = None,
        point: x509.IssuingDistributionPoint | None = None,
        aki: bool = True,
        extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
        entry_extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
        key: Any = None,
        algorithm: Any = None,
        revoked_at: datetime | None = None,
    ) -> bytes:
        """A CRL in DER. ``revoked`` maps serials to reasons (None: no reason extension)."""
        reasons = dict(revoked) if isinstance(revoked, Mapping) else dict.fromkeys(revoked)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.subject)
        builder = builder.last_update(this_update or self.at - HOUR).next_update(next_update or self.at + 7 * DAY)
        if aki:
            builder = builder.add_extension(_aki(self.certificate), critical=False)
        if number is not None:
            builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        if point is not None:
            builder = builder.add_extension(point, critical=True)
        for value, critical in extra:
            builder = builder.add_extension(value, critical=critical)
        for serial, reason in reasons.items():
            builder = builder.add_revoked_certificate(
                _entry(serial, reason, revoked_at or self.at - 2 * HOUR, entry_extra)
            )
        signer = key or self.key
        return der(_sign(builder, signer, algorithm or hash_for(signer)))

    def ocsp(
        self,
        certificate: x509.Certificate,
        status: str = "good",
        *,
        reason: x509.ReasonFlags | None = None,
        revoked_at: datetime | None = None,
        this_update: datetime | None = None,
        next_update: datetime | None = None,
        no_next_update: bool = False,
        algorithm: hashes.HashAlgorithm | None = None,
        signer: Issued | None = None,
        include_signer: bool = True,
        send_along: Issued | None = None,
        by_name: bool = False,
        issuer: x509.Certificate | None = None,
        extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> bytes:
        """An OCSP response in DER about one certificate, signed by this CA or by ``signer``.

        :param status: ``good``, ``revoked``, ``unknown``; ``issuer``: whose hashes the CertID carries;
            ``send_along``: a certificate other than the signer's.
        """
        is_revoked = status == "revoked"
        until = None if no_next_update else next_update or self.at + 4 * DAY
        responder = signer.certificate if signer else self.certificate
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=certificate,
            issuer=issuer or self.certificate,
            algorithm=algorithm or hashes.SHA256(),
            cert_status=ocsp.OCSPCertStatus[status.upper()],
            this_update=this_update or self.at - HOUR,
            next_update=until,
            revocation_time=(revoked_at or self.at - 2 * HOUR) if is_revoked else None,
            revocation_reason=reason if is_revoked else None,
        )
        encoding = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
        builder = builder.responder_id(encoding, responder)
        sent = send_along or (signer if include_signer else None)
        if sent:
            builder = builder.certificates([sent.certificate])
        for value, critical in extra:
            builder = builder.add_extension(value, critical=critical)
        key = signer.key if signer else self.key
        return der(builder.sign(key, hash_for(key)))


def ocsp_error(status: str) -> bytes:
    """An unsigned error: malformed_request, internal_error, try_later, sig_required, unauthorized."""
    return der(ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus[status.upper()]))


def _aki(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    ski = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)


def _entry(
    serial: int, reason: x509.ReasonFlags | None, at: datetime, extra: Sequence[tuple[x509.ExtensionType, bool]]
) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
    if reason is not None:
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    for value, critical in extra:
        builder = builder.add_extension(value, critical=critical)
    return builder.build()


def _certify(
    subject: x509.Name,
    public_key: Any,
    issuer_name: x509.Name,
    issuer_key: Any,
    at: datetime,
    *,
    ca: bool = False,
    path_length: int | None = None,
    names: Sequence[str] = (),
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    serial: int | None = None,
    crl_urls: Sequence[str] = (),
    ocsp_urls: Sequence[str] = (),
    ca_issuers_urls: Sequence[str] = (),
    must_staple: bool = False,
    eku: Sequence[x509.ObjectIdentifier] = (),
    usage: x509.KeyUsage | None = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    issuer: x509.Certificate | None = None,
    basic_constraints: bool = True,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer_name, public_key=public_key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before or at - DAY)
        .not_valid_after(not_after or at + 30 * DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
    if usage is None:
        usage = key_usage("key_cert_sign", "crl_sign", "digital_signature") if ca else key_usage("digital_signature")
    wanted: list[tuple[x509.ExtensionType, bool]] = [(usage, True), *extra]
    if basic_constraints:
        wanted.append((x509.BasicConstraints(ca=ca, path_length=path_length), True))
    if issuer is not None:
        wanted.append((_aki(issuer), False))
    if names:
        wanted.append((x509.SubjectAlternativeName(general_names(names)), not len(subject.rdns)))
    if eku:
        wanted.append((x509.ExtendedKeyUsage(eku), False))
    if must_staple:
        wanted.append((x509.TLSFeature([x509.TLSFeatureType.status_request]), False))
    if crl_urls:
        wanted.append((crl_points(crl_urls), False))
    if ocsp_urls or ca_issuers_urls:
        wanted.append((_information_access(ocsp_urls, ca_issuers_urls), False))
    for value, critical in wanted:
        builder = builder.add_extension(value, critical=critical)
    made: x509.Certificate = _sign(builder, issuer_key, hash_for(issuer_key))
    return made


def _sign(builder: Any, key: Any, algorithm: Any) -> Any:
    """The same bytes each time, where keys, serials and times are the same: ECDSA as in RFC 6979."""
    deterministic = True if isinstance(key, ec.EllipticCurvePrivateKey) else None
    return builder.sign(key, algorithm, ecdsa_deterministic=deterministic)


def _information_access(ocsp_urls: Sequence[str], ca_issuers_urls: Sequence[str]) -> x509.AuthorityInformationAccess:
    methods = [(AuthorityInformationAccessOID.OCSP, url) for url in ocsp_urls]
    methods += [(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in ca_issuers_urls]
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in methods]
    )
