# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a certificate says its CRLs are (RFC 5280 4.2.1.13), and what a CRL says it covers (5.2.5)."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import FrozenSet, Union

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    extension,
    is_ca,
    issuer_name,
    uris,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.distinguished_name import Comparable, comparable
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509

_NO_BITS = (x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl)

PointName = Union[x509.GeneralName, Comparable]
"""the name of a distribution point: a URI as it stands there, a directory name so that it can be compared"""
Reasons = FrozenSet[x509.ReasonFlags]


@functools.lru_cache(maxsize=None)
def all_reasons() -> Reasons:
    """What the bits of a ReasonFlags can name. A revocation for no reason given belongs to each of them."""
    return frozenset(flag for flag in x509.ReasonFlags if flag not in _NO_BITS)


@dataclasses.dataclass(frozen=True)
class DistributionPoint:
    """One entry of a certificate's cRLDistributionPoints. Its URLs are alternatives for the same CRL."""

    names: frozenset[PointName]
    urls: tuple[str, ...]
    reasons: Reasons | None = None
    """None: the CRL there covers all reasons"""
    crl_issuers: frozenset[PointName] = frozenset()
    """who issues its CRL; empty: the certificate's issuer"""

    @property
    def is_indirect(self) -> bool:
        """Its CRL is issued by another than the certificate's issuer."""
        return bool(self.crl_issuers)


@dataclasses.dataclass(frozen=True)
class Scope:
    """What a CRL covers. Without an issuingDistributionPoint: all certificates of its issuer, for all reasons."""

    names: frozenset[PointName] | None = None
    """the distribution points it is for; None: not bound to one"""
    only_user_certificates: bool = False
    only_ca_certificates: bool = False
    only_attribute_certificates: bool = False
    reasons: Reasons | None = None
    is_indirect: bool = False
    """it may hold entries of other issuers' certificates"""


@dataclasses.dataclass(frozen=True)
class Target:
    """A certificate, as far as the scopes of CRLs are concerned."""

    certificate: x509.Certificate
    issuer: Comparable
    points: tuple[DistributionPoint, ...]

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Target:
        """:raises RotationError: ``certificate_unreadable``."""
        return cls(certificate, issuer_name(certificate).comparable, distribution_points(certificate))

    @property
    def crl_issuers(self) -> frozenset[PointName]:
        """Whose CRLs can be about it."""
        return frozenset([self.issuer]).union(*(point.crl_issuers for point in self.points))


def speaks_for(target: Target, issuer: Comparable, scope: Scope) -> bool:
    """May a CRL list the certificate at all? That of its issuer may, and that of whom a point of it names instead."""
    return issuer == target.issuer or (scope.is_indirect and issuer in target.crl_issuers)


def reasons_covered(
    target: Target, issuer: Comparable, scope: Scope, fetched_for: DistributionPoint | None = None
) -> Reasons:
    """For which reasons the absence of a certificate from a CRL is a statement about it (RFC 5280 6.3.3 b and d).

    None at all where it is out of the CRL's scope. A CRL bound to a distribution point speaks only for certificates
    that name this point. Otherwise anyone on the way could answer with another shard, in which the certificate is
    never found.

    :param fetched_for: which of its points the CRL was found at; counts if the CRL does not say itself what it is for.
    """
    if not _is_for_kind(scope, target.certificate):
        return frozenset()
    own = all_reasons() if scope.reasons is None else scope.reasons & all_reasons()
    points = [point for point in target.points if _matches(point, target, issuer, scope, fetched_for)]
    if any(point.reasons is None for point in points):
        return own
    if points:
        return frozenset(
            reason for point in points for reason in own if point.reasons is not None and reason in point.reasons
        )
    # The last paragraph of 6.3.3: another CRL of the certificate's issuer is as good, if it is bound to no distribution
    # point, or to one that is named like the issuer.
    is_whole = issuer == target.issuer and (scope.names is None or issuer in scope.names)
    return own if is_whole else frozenset()


def _is_for_kind(scope: Scope, certificate: x509.Certificate) -> bool:
    if scope.only_attribute_certificates:
        return False
    if scope.only_user_certificates and is_ca(certificate):
        return False
    return not scope.only_ca_certificates or is_ca(certificate)


def _matches(
    point: DistributionPoint, target: Target, issuer: Comparable, scope: Scope, fetched_for: DistributionPoint | None
) -> bool:
    if point.is_indirect:
        if not scope.is_indirect or issuer not in point.crl_issuers:
            return False
    elif issuer != target.issuer:
        return False
    if scope.names is None:
        return fetched_for is None or point == fetched_for
    return not scope.names.isdisjoint(point.names or point.crl_issuers)


def distribution_points(certificate: x509.Certificate) -> tuple[DistributionPoint, ...]:
    """The distribution points of a certificate; RotationError ``certificate_unreadable``."""
    points = extension(certificate, x509.CRLDistributionPoints)
    return tuple(_point(point, issuer_name(certificate).name) for point in points or ())


def freshest_points(certificate: x509.Certificate) -> tuple[DistributionPoint, ...]:
    """Where the certificate says that delta CRLs are (RFC 5280 4.2.1.15)."""
    points = extension(certificate, x509.FreshestCRL)
    return tuple(_point(point, issuer_name(certificate).name) for point in points or ())


def freshest_urls(points: Iterable[x509.DistributionPoint]) -> tuple[str, ...]:
    """The same of a CRL's freshestCRL (5.2.6): where its deltas are."""
    return tuple(url for point in points for url in uris(point.full_name or ()))


def scope_of(point: x509.IssuingDistributionPoint | None, issuer: x509.Name) -> Scope:
    """The scope of a CRL of ``issuer``."""
    if point is None:
        return Scope()
    return Scope(
        names=_names(point.full_name, point.relative_name, [issuer]) or None,
        only_user_certificates=point.only_contains_user_certs,
        only_ca_certificates=point.only_contains_ca_certs,
        only_attribute_certificates=point.only_contains_attribute_certs,
        reasons=frozenset(point.only_some_reasons) if point.only_some_reasons is not None else None,
        is_indirect=point.indirect_crl,
    )


def _point(point: x509.DistributionPoint, issuer: x509.Name) -> DistributionPoint:
    full = point.full_name or ()
    if point.relative_name is None and point.crl_issuer is None and point.reasons is None:  # as nearly everywhere
        return DistributionPoint(_names(full, None, ()), uris(full))
    below = [name.value for name in point.crl_issuer or () if isinstance(name, x509.DirectoryName)]
    return DistributionPoint(
        names=_names(full, point.relative_name, below or [issuer]),
        urls=uris(full),
        reasons=frozenset(point.reasons) if point.reasons is not None else None,
        crl_issuers=_names(point.crl_issuer, None, ()),
    )


def _names(
    full: Sequence[x509.GeneralName] | None, relative: x509.RelativeDistinguishedName | None, below: Sequence[x509.Name]
) -> frozenset[PointName]:
    """Names of a distribution point; a relative one continues the name of the CRL's issuer, if there is just one."""
    if relative is not None and len(below) == 1:
        return frozenset([comparable(x509.Name([*below[0].rdns, relative]))])
    return frozenset(comparable(name.value) if isinstance(name, x509.DirectoryName) else name for name in full or ())
