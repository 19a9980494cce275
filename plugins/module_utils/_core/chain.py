# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain of certificates: does it lead from the leaf to a trust anchor, and would clients follow it?

The checks of RFC 5280 section 6.1 that a TLS client makes, each with a code of its own, because "verify failed" tells
an operator nothing. Private roots, leaves without a common name and several anchors of one name are ordinary here.
Certificate policies are not evaluated.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Tuple

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    authority_key_id,
    certificate_sha256,
    certificate_spki_sha256,
    extension,
    is_ca,
    issuer_name,
    serial_hex,
    server_names,
    subject_key_id,
    subject_name,
    validity,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import oid, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.remembered import remembered
from ansible_collections.certops.rotation.plugins.module_utils._core.server_name import forbidden_names, missing_names
from ansible_collections.certops.rotation.plugins.module_utils._core.signature import certificate_signature_fault
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Reason

_LONGEST_PATH = 10

# Critical extensions that are evaluated, or that only matter to a client that asks for certificate policies.
_UNDERSTOOD = frozenset({
    oid.ExtensionOID.BASIC_CONSTRAINTS,
    oid.ExtensionOID.KEY_USAGE,
    oid.ExtensionOID.EXTENDED_KEY_USAGE,
    oid.ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    oid.ExtensionOID.NAME_CONSTRAINTS,
    oid.ExtensionOID.CRL_DISTRIBUTION_POINTS,
    oid.ExtensionOID.CERTIFICATE_POLICIES,
    oid.ExtensionOID.POLICY_MAPPINGS,
    oid.ExtensionOID.INHIBIT_ANY_POLICY,
    oid.ExtensionOID.TLS_FEATURE,
})  # fmt: skip

Path = Tuple[x509.Certificate, ...]


def validate_chain(
    chain: Sequence[x509.Certificate],
    *,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    server_names: Iterable[str] = (),
    spki_sha256: str | None = None,
) -> Path:
    """The path from the leaf to its anchor, if a client at ``at`` would accept this chain as it is sent.

    :raises RotationError: chain_empty, key_mismatch, names_differ, chain_disordered, chain_incomplete, chain_untrusted,
        and what ``check_path`` raises.
    """
    if not chain:
        raise RotationError("chain_empty", "the chain holds no certificate")
    leaf = chain[0]
    if spki_sha256 is not None and certificate_spki_sha256(leaf) != spki_sha256:
        raise _key_mismatch(leaf, spki_sha256)
    check_names(leaf, server_names)
    _check_order(chain)
    path = find_path(leaf, chain[1:], anchors)
    check_path(path, at=at)
    return path


def check_names(leaf: x509.Certificate, wanted: Iterable[str]) -> None:
    """:raises RotationError: ``names_differ`` with the names that the certificate does not stand for."""
    missing = missing_names(leaf, wanted)
    if missing:
        have = server_names(leaf)
        raise RotationError(
            "names_differ",
            f"{describe(leaf)} does not stand for {', '.join(missing)}; it names {', '.join(have) or 'nothing'}",
            missing=list(missing),
            names=list(have),
        )


def find_path(leaf: x509.Certificate, others: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> Path:
    """A path from ``leaf`` over any of ``others`` to any of ``anchors``, each certificate signed by the next.

    :raises RotationError: ``chain_untrusted`` if all is there but the anchor, ``chain_incomplete`` if an issuer is
        missing. ``missing_issuer_of`` in its facts is the SHA-256 of the certificate where the path ends.
    """
    trusted = {certificate_sha256(anchor) for anchor in anchors}
    best: Path = (leaf,)
    for path in _paths((leaf,), others, anchors, trusted):
        if certificate_sha256(path[-1]) in trusted:
            return path
        best = max(best, path, key=len)
    raise _no_anchor(best, anchors)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Does ``issuer`` bear the name, and its key the signature, that ``certificate`` claims?"""
    return _names(certificate, issuer) and certificate_signature_fault(certificate, issuer) is None


def is_self_issued(certificate: x509.Certificate) -> bool:
    return _names(certificate, certificate)


def check_path(path: Path, *, at: datetime, for_server: bool = True) -> None:
    """The rules for the certificates of a path that is signed as it should; ``for_server``: extendedKeyUsage too.

    :raises RotationError: chain_expired, chain_not_yet_valid, not_a_ca, path_too_long, name_not_permitted,
        wrong_purpose, critical_extension.
    """
    check_end(path, at=at)
    check_issuers(path[1:], at=at)
    if for_server:
        for certificate in path[:-1] or path:
            _check_purpose(certificate)


def check_end(path: Path, *, at: datetime) -> None:
    """The part of ``check_path`` that is about the first certificate."""
    _check_alone(path[0], at)
    for issuer in path[1:]:
        _check_name_constraints(issuer, path[0])


def check_issuers(issuers: Path, *, at: datetime) -> None:
    """The part of ``check_path`` that is about the others, and the same whatever they have issued."""
    for depth, issuer in enumerate(issuers):
        _check_alone(issuer, at)
        limits = _limits(issuer)
        _check_ca(issuer, limits)
        _check_path_length(issuer, limits, issuers[:depth])
        for certificate in issuers[:depth]:
            if not is_self_issued(certificate):
                _check_name_constraints(issuer, certificate)


def describe(certificate: x509.Certificate) -> str:
    """A certificate in a sentence: its first name or its subject, and its serial."""
    names = server_names(certificate)
    name = names[0] if names else certificate.subject.rfc4514_string() or "without a name"
    return f"certificate {name} (serial {serial_hex(certificate.serial_number)})"


def _paths(
    path: Path, others: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], trusted: set[str]
) -> Iterator[Path]:
    """Every path onward from ``path`` that cannot be extended, or ends in an anchor. Anchors are tried first."""
    last = path[-1]
    if certificate_sha256(last) in trusted or len(path) >= _LONGEST_PATH:
        yield path
        return
    onward = [issuer for issuer in (*anchors, *others) if issuer not in path and _may_be_issuer(last, issuer)]
    onward = [issuer for issuer in onward if certificate_signature_fault(last, issuer) is None]
    if not onward:
        yield path
    for issuer in onward:
        yield from _paths((*path, issuer), others, anchors, trusted)


def _may_be_issuer(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """By name, and by key identifier where both give one: spares the signature checks that must fail."""
    wanted, offered = authority_key_id(certificate), subject_key_id(issuer)
    if wanted is not None and offered is not None and wanted != offered:
        return False
    return _names(certificate, issuer)


def _names(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Does ``certificate`` say that ``issuer`` has issued it?"""
    return issuer_name(certificate).comparable == subject_name(issuer).comparable


def _check_order(chain: Sequence[x509.Certificate]) -> None:
    """TLS 1.2 and many clients want each certificate to be certified by the next (RFC 5246 7.4.2)."""
    for certificate, following in itertools.pairwise(chain):
        fault = certificate_signature_fault(certificate, following)
        if _names(certificate, following) and fault is None:
            continue
        if fault is Reason.SIGNATURE_WEAK:
            raise RotationError("signature_weak", f"the signature of {describe(certificate)} uses a broken hash")
        if any(is_issued_by(certificate, other) for other in chain):
            raise RotationError(
                "chain_disordered",
                f"{describe(certificate)} is not followed by its issuer, which stands elsewhere in the chain",
            )
        if _names(certificate, following):
            raise RotationError(
                "chain_signature_invalid", f"{describe(certificate)} is not signed by the key of {describe(following)}"
            )
        raise _incomplete(certificate)


def _check_alone(certificate: x509.Certificate, at: datetime) -> None:
    _check_dates(certificate, at)
    _check_critical_extensions(certificate)


def _check_dates(certificate: x509.Certificate, at: datetime) -> None:
    first, last = validity(certificate)
    if at < first:
        begins = as_text(first)
        raise RotationError(
            "chain_not_yet_valid", f"{describe(certificate)} is not valid before {begins}", not_before=begins
        )
    if at > last:
        ended = as_text(last)
        raise RotationError("chain_expired", f"{describe(certificate)} expired at {ended}", not_after=ended)


def _check_critical_extensions(certificate: x509.Certificate) -> None:
    unknown = _unknown_critical_extension(certificate)
    if unknown is not None:
        raise RotationError(
            "critical_extension", f"{describe(certificate)} has a critical extension {unknown} unknown here"
        )


@remembered
def _unknown_critical_extension(certificate: x509.Certificate) -> str | None:
    extension(certificate, x509.BasicConstraints)  # raises if the extensions cannot be decoded
    unknown = (each.oid for each in certificate.extensions if each.critical and each.oid not in _UNDERSTOOD)
    return next((found.dotted_string for found in unknown), None)


class _Limits(NamedTuple):
    """What a certificate may be used for as an issuer."""

    is_ca: bool
    usage: x509.KeyUsage | None
    path_length: int | None
    names: x509.NameConstraints | None


@remembered
def _limits(issuer: x509.Certificate) -> _Limits:
    constraints = extension(issuer, x509.BasicConstraints)
    return _Limits(
        is_ca=is_ca(issuer),
        usage=extension(issuer, x509.KeyUsage),
        path_length=constraints.path_length if constraints else None,
        names=extension(issuer, x509.NameConstraints),
    )


def _check_ca(issuer: x509.Certificate, limits: _Limits) -> None:
    if not limits.is_ca:
        raise RotationError("not_a_ca", f"{describe(issuer)} is no CA, but signed a certificate of this chain")
    if limits.usage is not None and not limits.usage.key_cert_sign:
        raise RotationError("not_a_ca", f"{describe(issuer)} may not sign certificates (keyUsage)")


def _check_path_length(issuer: x509.Certificate, limits: _Limits, below: Path) -> None:
    limit = limits.path_length
    if limit is None:
        return
    length = sum(not is_self_issued(certificate) for certificate in below)  # RFC 5280 4.2.1.9 does not count these
    if length > limit:
        raise RotationError("path_too_long", f"{describe(issuer)} allows {limit} CAs below it; there are {length}")


def _check_name_constraints(issuer: x509.Certificate, certificate: x509.Certificate) -> None:
    constraints = _limits(issuer).names
    names = forbidden_names(certificate, constraints) if constraints is not None else ()
    if names:
        raise RotationError(
            "name_not_permitted", f"{describe(issuer)} may not vouch for {', '.join(names)} (nameConstraints)"
        )


def _check_purpose(certificate: x509.Certificate) -> None:
    usages = extension(certificate, x509.ExtendedKeyUsage)
    allowed = {oid.ExtendedKeyUsageOID.SERVER_AUTH, oid.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usages is not None and allowed.isdisjoint(usages):
        raise RotationError("wrong_purpose", f"{describe(certificate)} is not for TLS servers (extendedKeyUsage)")


def _no_anchor(path: Path, anchors: Sequence[x509.Certificate]) -> RotationError:
    last = path[-1]
    if not is_self_issued(last) and not any(_names(last, anchor) for anchor in anchors):
        return _incomplete(last)
    return RotationError(
        "chain_untrusted",
        f"the chain leads to {last.issuer.rfc4514_string()}, which is not among the trust anchors",
        remedy="give the root certificate as trust anchor if this CA is to be trusted",
        missing_issuer_of=certificate_sha256(last),
    )


def _incomplete(certificate: x509.Certificate) -> RotationError:
    issuer = certificate.issuer.rfc4514_string()
    return RotationError(
        "chain_incomplete",
        f"the issuer of {describe(certificate)}, {issuer}, is neither in the chain nor a trust anchor",
        remedy="send the intermediate certificates along with the leaf, or give the root as trust anchor",
        missing_issuer=issuer,
        missing_issuer_of=certificate_sha256(certificate),
    )


def _key_mismatch(leaf: x509.Certificate, wanted: str) -> RotationError:
    have = certificate_spki_sha256(leaf)
    return RotationError(
        "key_mismatch", f"{describe(leaf)} is for another key than the one requested", spki_sha256=have, wanted=wanted
    )
