# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ACME CA as an issuer (RFC 8555): Let's Encrypt and any other, ordered from on the control node.

Orders of one call run side by side, with one account, one pool of nonces and one memory of what was ordered.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.ari import RenewalHint, cert_id
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates, to_pem
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers import acme_hints
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_account import (
    known_account,
    known_thumbprint,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_caa import CaaCheck
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_chain import (
    Roots,
    is_preferred,
    without_root,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.http01_stateless import (
    Http01Stateless,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.http01_webroot import (
    Http01Webroot,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.registry import solvers_of
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient, open_acme_client
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import AcmeConfig, read_config
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_orders import (
    Ordered,
    Ordering,
    Wish,
    prove_control,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_preflight import (
    Budget,
    check_request,
    checked_profile,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_revoke import AcmeRevoker, accepted_reasons
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_names import canonical_names
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_request import Request, read_request
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    Issued,
    IssueOutcome,
    Order,
    Receipt,
    Revocation,
    RevokeOutcome,
    Signer,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.trust_store import has_signed


def open_acme(name: str, entry: Mapping[str, Any]) -> AcmeIssuer:
    """The CA of an entry ``{type: acme, directory_url: ..., ...}``; nothing is asked and nothing is made yet.

    :raises RotationError: ``issuer_invalid`` and what a challenge's options lack.
    """
    return AcmeIssuer(read_config(name, entry))


class AcmeIssuer:
    """One ACME CA, as one account. Safe to use from many threads and processes at once."""

    def __init__(self, config: AcmeConfig) -> None:
        self.config = config
        self.client: AcmeClient = open_acme_client(config)
        self.solvers = solvers_of(config)
        self.accepted_reasons = accepted_reasons(config.revocation_reasons)
        self._revoker = AcmeRevoker(self.client, accepted=self.accepted_reasons, authorize=self._prove)
        self._roots = Roots(config)
        self._lock = threading.Lock()

    # --- what others ask ---

    def trust_anchors(self) -> list[x509.Certificate]:
        """The roots that were given; a public CA's are among those that this machine trusts anyway."""
        return self._roots.given()

    def issued(self, certificate: x509.Certificate) -> bool | None:
        """True for certificates of an intermediate that this CA has handed out; of others it cannot be told."""
        issuers = [x509.load_der_x509_certificate(der) for der in self.client.state.issuers()]
        known = any(one.subject == certificate.issuer and has_signed(one, certificate) for one in issuers)
        return True if known else None

    def find(self, *, serial: str | None = None, spki_sha256: str | None = None) -> list[list[x509.Certificate]]:
        """What this control node ordered as this account. The CA is not asked: ACME has no such question.

        Without a usable account key here, what any account ordered: the certificate's own key may still revoke it.

        :raises RotationError: ``acme_state_failed``.
        """
        found = self.client.state.certificates(serial=serial, spki_sha256=spki_sha256)
        account = known_account(self.config, self.client.state) if found else None
        return [
            [x509.load_der_x509_certificate(der) for der in one.chain]
            for one in found
            if account in (None, one.account)
        ]

    def over_budget(self, orders: Sequence[Sequence[str]]) -> list[RotationError]:
        """As far as it can be told from what was ordered here; the CA is not asked, and no account is made.

        :raises RotationError: ``acme_state_failed``.
        """
        budget = Budget(self.config, self.client.state, known_thumbprint(self.config, self.client.state))
        refused: list[RotationError] = []
        for names in orders:
            try:
                budget.spend(canonical_names(names))
            except RotationError as error:
                refused.append(error)
        return refused

    def http01_thumbprint(self) -> str | None:
        """What hosts answer every http-01 token with, where the issuer is set up for that; else None.

        :raises RotationError: when the account key can neither be read nor made.
        """
        is_wanted = any(isinstance(solver, Http01Stateless) for solver in self.solvers)
        return self.client.thumbprint if is_wanted else None

    def placed(self, tokens: Iterable[str]) -> None:
        """Files that answer these challenges are on their hosts now."""
        for solver in self.solvers:
            if isinstance(solver, Http01Webroot):
                solver.placed.update(tokens)

    def renewal_hint(self, certificate: x509.Certificate, *, at: datetime) -> RenewalHint | None:
        """When the CA wants the certificate to be replaced. None if it does not say.

        :raises RotationError: when the CA cannot be asked at all.
        """
        return acme_hints.renewal_hint(self.client, certificate, at=at) if self.config.ari else None

    def renewal_hint_now(self, certificate: x509.Certificate, *, at: datetime) -> tuple[RenewalHint, str] | None:
        """The same without what is remembered, and where the CA says it.

        :raises RotationError: when the CA gives no answer of use.
        """
        return acme_hints.renewal_hint_now(self.client, certificate, at=at) if self.config.ari else None

    # --- revoke ---

    def revoke(self, revocations: Sequence[Revocation]) -> list[RevokeOutcome]:
        """By the account, or by proof of control of the names where that is asked for."""
        return self._revoker.revoke(revocations)

    def revoke_by_key(self, revocation: Revocation, sign: Signer) -> Receipt:
        """By the certificate's own key, see ``AcmeRevoker``."""
        return self._revoker.revoke_by_key(revocation, sign)

    def _prove(self, names: Sequence[str]) -> None:
        prove_control(self.client, self.solvers, canonical_names(names))

    # --- issue ---

    def issue(self, orders: Sequence[Order]) -> list[IssueOutcome]:
        """Certificates for the orders, side by side. Orders with the same request are one order.

        :raises RotationError: when the CA cannot be reached or the account does not work.
        """
        requests = [self._checked(order) for order in orders]
        sound = {one.order.csr_pem: one for one in requests if isinstance(one, Request)}
        if not sound:
            return [one for one in requests if isinstance(one, RotationError)]
        outcomes = self._issue_all(list(sound.values()))
        by_csr = dict(zip(sound, outcomes, strict=True))
        return [one if isinstance(one, RotationError) else by_csr[one.order.csr_pem] for one in requests]

    def _issue_all(self, requests: Sequence[Request]) -> list[IssueOutcome]:
        general: list[str] = []
        # The first two fail here once instead of in every thread.
        profile = checked_profile(self.config, self.client.meta, general)
        account = self.client.account_uri
        forbidden = CaaCheck(self.config, self.client.meta, account).warnings(requests)
        budget = Budget(self.config, self.client.state, self.client.thumbprint)
        issue = functools.partial(self._issue, budget, profile, general, forbidden)
        with ThreadPoolExecutor(min(self.config.concurrency, len(requests))) as pool:
            return list(pool.map(issue, requests))

    def _checked(self, order: Order) -> Request | RotationError:
        try:
            request = read_request(order, allowed_names=())
            check_request(self.config, request)
            return request
        except RotationError as error:
            return error

    def _issue(
        self,
        budget: Budget,
        profile: str | None,
        general: Sequence[str],
        forbidden: Mapping[str, Sequence[str]],
        request: Request,
    ) -> IssueOutcome:
        warnings = [*general, *forbidden.get(request.order.csr_pem, ())]
        try:
            wish = Wish(profile, self._replaces(request.order), request.order.order)
            ordering = Ordering(self.client, self.solvers, request, wish)
            with self._lock:
                if not ordering.is_known:
                    budget.spend(request.names)
            ordered = ordering.obtain()
            warnings += ordered.warnings
            return self._issued(ordering, ordered, warnings)
        except RotationError as error:
            if warnings:
                error.facts["warnings"] = warnings
            return error

    def _replaces(self, order: Order) -> str | None:
        """The certID of the predecessor, where the CA wants to be told (RFC 9773 section 5)."""
        if not order.predecessor_pem or not self.config.ari or not self.client.offers("renewalInfo"):
            return None
        try:
            [predecessor, *_rest] = read_certificates(order.predecessor_pem.encode())
        except RotationError:
            return None
        # Another CA's certificate is nothing that this one could replace.
        return cert_id(predecessor) if self.issued(predecessor) else None

    def _issued(self, ordering: Ordering, ordered: Ordered, warnings: list[str]) -> Issued:
        chain = without_root(self._preferred(ordering, ordered, warnings))
        root = self._roots.root_of(chain)
        if root is None:
            warnings.append(
                f"the root of the chain ({chain[-1].issuer.rfc4514_string()}) is not known here: give it as"
                f" trust_anchors of {self.config.name}"
            )
        trusted = [*chain[1:], *([root] if root is not None else [])]
        return Issued(
            chain_pem="".join(to_pem(one) for one in chain),
            trust_pem="".join(to_pem(one) for one in trusted),
            order=ordered.url,
            is_new=ordered.is_new,
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _preferred(self, ordering: Ordering, ordered: Ordered, warnings: list[str]) -> list[x509.Certificate]:
        """The chain that ends in the CA that is preferred, if there is such a chain."""
        wanted = self.config.preferred_chain
        if wanted is None or is_preferred(ordered.chain, wanted):
            return ordered.chain
        for url in ordered.alternates[:8]:
            chain = ordering.chain_in(self.client.post(url, None))
            if is_preferred(chain, wanted):
                return chain
        warnings.append(f"{self.config.name} offers no chain that ends in {wanted!r}; the default is used")
        return ordered.chain
