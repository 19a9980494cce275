# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of certificate authority offers to the verbs issue, revoke and confirm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Protocol, Union, runtime_checkable

from ansible_collections.certops.rotation.plugins.module_utils._core.ari import RenewalHint
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509

REVOCATION_REASONS = frozenset(
    {
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "privilegeWithdrawn",
        "aACompromise",
    }
)
"""RFC 5280 section 5.3.1 without certificateHold and removeFromCRL: a revocation here is for good."""


@dataclass(frozen=True)
class Order:
    """One certificate that is wanted. The names of the order count; the request only repeats them."""

    host: str
    name: str
    csr_pem: str
    server_names: tuple[str, ...]
    must_staple: bool = False
    replaces: str | None = None
    """Serial of the predecessor, for the record."""
    predecessor_pem: str | None = None
    """Its certificate, for issuers that are told what is replaced (ARI)."""
    order: str | None = None
    """URL of the order that an earlier run made for this very request, where that is known."""
    resolvers: tuple[str, ...] = ()
    """Name servers of the host that can be asked from here."""


@dataclass(frozen=True)
class Issued:
    """One certificate that was issued."""

    chain_pem: str
    """The leaf, then the intermediates: what clients get."""
    trust_pem: str
    """Issuer, intermediates and root: what verifies a staple."""
    order: str | None = None
    is_new: bool = True
    """False if an earlier run had already been given this very certificate."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Revocation:
    """One certificate to revoke, for a reason named as in RFC 5280."""

    certificate_pem: str
    reason: str
    authorize: bool = False
    """Where the issuer's account did not order it: prove control of its names, if that gives the right to revoke."""


@dataclass(frozen=True)
class Receipt:
    """What the issuer did with one revocation."""

    serial: str
    state: str
    """``revoked``, ``already_revoked``, or ``accepted_not_published``: recorded, but not to be seen in public yet."""
    at: datetime
    """Since when the certificate is revoked, as far as the issuer tells; else when it said so."""
    warnings: tuple[str, ...] = ()
    by: str | None = "ca"
    """Whose right it was: ``ca`` (it is ours), ``account``, ``authorizations``, ``certificate_key``; None: unknown."""


Signer = Callable[[bytes], bytes]
"""Signs bytes with one private key, wherever that is, in the form of RFC 7518."""


# Union, because the pylint of ansible-test takes these files for ones of Python 3.8.
IssueOutcome = Union[Issued, RotationError]
RevokeOutcome = Union[Receipt, RotationError]


class Issuer(Protocol):
    """A certificate authority. Answers stand in the order of the questions; one failure does not stop the others."""

    accepted_reasons: frozenset[str]

    def issue(self, orders: Sequence[Order]) -> list[IssueOutcome]:
        """Certificates for the orders. The same CSR again gets the same certificate: so a killed run continues."""

    def revoke(self, revocations: Sequence[Revocation]) -> list[RevokeOutcome]:
        """Revoke all, and publish once for all of them."""

    def trust_anchors(self) -> list[x509.Certificate]:
        """The roots that certificates of this issuer are verified against."""

    def issued(self, certificate: x509.Certificate) -> bool | None:
        """Whether this issuer made the certificate; None when it cannot tell without trying."""


@runtime_checkable
class TakesKeySignatures(Protocol):
    """An issuer that lets a certificate's own key revoke it. It then knows that the key is in other hands."""

    def revoke_by_key(self, revocation: Revocation, sign: Signer) -> Receipt:
        """Revoke with a request that ``sign`` signs, again if the issuer wants it again.

        :raises RotationError: whatever the issuer objects to, and whatever ``sign`` raises.
        """


@runtime_checkable
class AnswersHttp01(Protocol):
    """An issuer that may ask hosts for answers to http-01 challenges which are always the same."""

    def http01_thumbprint(self) -> str | None:
        """What a host answers every token with, after a dot (RFC 8555 section 8.3); None if nothing is to be answered.

        :raises RotationError: when the account has no usable key.
        """


@runtime_checkable
class HintsAtRenewal(Protocol):
    """An issuer that says when it wants certificates to be replaced (RFC 9773)."""

    def renewal_hint(self, certificate: x509.Certificate, *, at: datetime) -> RenewalHint | None:
        """What it says about the certificate; asked no more often than it wants. None if it says nothing.

        :raises RotationError: when it cannot be asked.
        """

    def renewal_hint_now(self, certificate: x509.Certificate, *, at: datetime) -> tuple[RenewalHint, str] | None:
        """The same asked in any case, and its URL. To be used once, right after something has happened.

        :raises RotationError: when there is no answer of use.
        """


@runtime_checkable
class KnowsItsCertificates(Protocol):
    """An issuer that can be asked for certificates that it made."""

    def find(self, *, serial: str | None = None, spki_sha256: str | None = None) -> list[list[x509.Certificate]]:
        """Leaf certificates with that serial number, or of that key; each with its intermediates after it."""


@runtime_checkable
class KnowsItsBudget(Protocol):
    """An issuer whose CA gives only so many certificates in a time."""

    def over_budget(self, orders: Sequence[Sequence[str]]) -> list[RotationError]:
        """Of orders for these names, why those would be refused that go over what is left."""


NEEDS_HOST = "challenge_needs_host"
"""The code of the error whose facts say, as ``challenges``, what files the hosts have to have."""


@runtime_checkable
class AnswersOnHosts(Protocol):
    """An issuer that may want files on a host before it goes on with an order: ``{directory, token, content}`` each."""

    def placed(self, tokens: Iterable[str]) -> None:
        """The files for these challenges are there now."""
