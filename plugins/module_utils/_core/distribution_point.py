# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a certificate says its CRLs are (RFC 5280 4.2.1.13), and what a CRL says it covers (5.2.5)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import extension, is_ca, uris
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509

_NO_BITS = (x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl)


@dataclasses.dataclass(frozen=True)
class DistributionPoint:
    """One entry of a certificate's cRLDistributionPoints. Its URLs are alternatives for the same CRL."""

    names: frozenset[x509.GeneralName]
    urls: tuple[str, ...]
    reasons: frozenset[x509.ReasonFlags] | None
    """None: the CRL there covers all reasons"""
    is_indirect: bool
    """its CRL is issued by another than the certificate's issuer"""


@dataclasses.dataclass(frozen=True)
class Scope:
    """What a CRL covers. Without an issuingDistributionPoint: all certificates of its issuer, for all reasons."""

    names: frozenset[x509.GeneralName] | None = None
    """the distribution points it is for; None: not bound to one"""
    has_relative_name: bool = False
    only_user_certificates: bool = False
    only_ca_certificates: bool = False
    only_attribute_certificates: bool = False
    reasons: frozenset[x509.ReasonFlags] | None = None
    is_indirect: bool = False

    def covers(self, certificate: x509.Certificate) -> bool:
        """Is the absence of ``certificate`` from this CRL a statement about it?

        A CRL bound to a distribution point speaks only for certificates that name this point. Otherwise anyone on the
        way could answer with another shard, in which the certificate is never found.
        """
        if self.only_attribute_certificates or self.has_relative_name:
            return False
        if (self.only_user_certificates and is_ca(certificate)) or (
            self.only_ca_certificates and not is_ca(certificate)
        ):
            return False
        return self.names is None or any(point.names & self.names for point in distribution_points(certificate))


def distribution_points(certificate: x509.Certificate) -> tuple[DistributionPoint, ...]:
    """The distribution points of a certificate; RotationError ``certificate_unreadable``."""
    points = extension(certificate, x509.CRLDistributionPoints)
    return tuple(_point(point) for point in points or ())


def scope_of(point: x509.IssuingDistributionPoint | None) -> Scope:
    if point is None:
        return Scope()
    return Scope(
        names=frozenset(point.full_name) if point.full_name else None,
        has_relative_name=point.relative_name is not None,
        only_user_certificates=point.only_contains_user_certs,
        only_ca_certificates=point.only_contains_ca_certs,
        only_attribute_certificates=point.only_contains_attribute_certs,
        reasons=frozenset(point.only_some_reasons) if point.only_some_reasons is not None else None,
        is_indirect=point.indirect_crl,
    )


def covers_all_reasons(scope: Scope, certificate: x509.Certificate) -> bool:
    """Does a CRL of this scope speak for every reason, also by what the certificate says of its distribution point?"""
    if not _is_all(scope.reasons):
        return False
    points = [point for point in distribution_points(certificate) if not point.is_indirect]
    matching = [point for point in points if scope.names is None or point.names & scope.names]
    return not matching or any(_is_all(point.reasons) for point in matching)


def _is_all(reasons: Iterable[x509.ReasonFlags] | None) -> bool:
    return reasons is None or frozenset(reasons).issuperset(flag for flag in x509.ReasonFlags if flag not in _NO_BITS)


def _point(point: x509.DistributionPoint) -> DistributionPoint:
    return DistributionPoint(
        names=frozenset(point.full_name or ()),
        urls=uris(point.full_name or ()),
        reasons=frozenset(point.reasons) if point.reasons is not None else None,
        is_indirect=bool(point.crl_issuer),
    )
