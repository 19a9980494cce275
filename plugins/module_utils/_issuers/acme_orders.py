# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One order from its names to its chain (RFC 8555 section 7.4), continued where an earlier run had left it."""

from __future__ import annotations

import dataclasses
import hashlib
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
    spki_sha256,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import ip_address
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_authorizations import authorize
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Solver
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_errors import refusal
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_libraries import josepy
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_network import Answer
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_polling import out_of_time, polled
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_state import KnownCertificate, KnownOrder
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_request import Request

# What a CA says of an order that it has forgotten, or that is of another account.
_GONE = frozenset({"acme_malformed", "acme_unauthorized", "acme_answer_invalid", "acme_refused"})
# The CA has not judged the names yet, so it can only be ``replaces`` that these are about.
_OF_REPLACES = frozenset({"acme_already_replaced", "acme_malformed", "acme_unauthorized", "acme_refused"})
# RFC 8555 section 7.4: what is wrong with the request stays wrong.
_ABOUT_THE_REQUEST = frozenset({"acme_bad_csr", "acme_unauthorized", "acme_malformed", "acme_rejected_identifier"})
_PAUSE = 1.0


@dataclasses.dataclass
class Ordered:
    """What came out of an order."""

    chain: list[x509.Certificate]
    url: str
    is_new: bool
    alternates: list[str]
    """URLs of other chains for the same leaf"""
    warnings: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Wish:
    """What an order asks for beside its names."""

    profile: str | None = None
    replaces: str | None = None
    """RFC 9773 section 5: the certID of the predecessor."""
    url: str | None = None
    """An order that was made for this very request."""


class Ordering:
    """Makes or continues the order for one request."""

    def __init__(self, client: AcmeClient, solvers: Sequence[Solver], request: Request, wish: Wish) -> None:
        self._client, self._solvers, self._request, self._wish = client, solvers, request, wish
        csr = x509.load_pem_x509_csr(request.order.csr_pem.encode()).public_bytes(serialization.Encoding.DER)
        self._csr = str(josepy.b64encode(csr).decode())
        self._csr_sha256 = hashlib.sha256(csr).hexdigest()
        self._deadline = time.monotonic() + client.config.timeout
        self._warnings: list[str] = []

    @property
    def is_known(self) -> bool:
        """Whether an order was made for the request before; it may turn out to be of no use any more."""
        return bool(self._client.state.order(self._client.thumbprint, self._csr_sha256) or self._own(self._wish.url))

    def obtain(self) -> Ordered:
        """The certificate for the request.

        :raises RotationError: as ``AcmeClient.post``, ``authorize``; ``acme_order_timeout``, ``acme_answer_invalid``.
        """
        url, body = self._known_order() or self._new_order()
        is_new = body.get("status") != "valid"
        while body.get("status") != "valid":
            body = self._taken_further(url, body)
        return self._downloaded(url, body, is_new)

    def _taken_further(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The order after the step that its status asks for (RFC 8555 section 7.1.6)."""
        status = body.get("status")
        if status == "pending":
            return self._authorized(url, body)
        if status == "ready":
            return self._finalized(url, body)
        if status == "processing":
            return self._poll(url, "processing")
        self._forget()
        raise _failed(body, url)

    # --- the order ---

    def _known_order(self) -> tuple[str, dict[str, Any]] | None:
        """The order that was made for this request before, if it can still lead to a certificate."""
        state, thumbprint = self._client.state, self._client.thumbprint
        known = state.order(thumbprint, self._csr_sha256)
        url = known.url if known else self._own(self._wish.url)
        if url is None:
            return None
        try:
            body = self._client.post(url, None, deadline=self._deadline).json()
        except RotationError as error:
            if error.code not in _GONE:
                raise
            body = {}
        if body.get("status") in ("pending", "ready", "processing", "valid"):
            return url, body
        self._forget()
        return None

    def _own(self, url: str | None) -> str | None:
        """``url``, if it is this CA's: it was kept on a host, and what the account signs goes to the CA alone."""
        if url is None:
            return None
        ours, its = (urllib.parse.urlsplit(each) for each in (self._client.directory["newOrder"], url))
        return url if (ours.scheme, ours.netloc) == (its.scheme, its.netloc) else None

    def _new_order(self) -> tuple[str, dict[str, Any]]:
        wanted: dict[str, Any] = {"identifiers": [identifier(name) for name in self._request.names]}
        if self._wish.profile:
            wanted["profile"] = self._wish.profile
        answer = self._asked_with_replaces(wanted) or self._asked(wanted)
        url, body = answer.location, answer.json()
        # From here on, whoever is killed continues this order.
        self._client.state.remember_order(
            self._client.thumbprint,
            self._csr_sha256,
            self._request.names,
            KnownOrder(url, str(body.get("finalize") or "")),
        )
        return url, body

    def _asked(self, wanted: Mapping[str, Any]) -> Answer:
        return self._client.post(self._client.directory["newOrder"], wanted, deadline=self._deadline)

    def _asked_with_replaces(self, wanted: Mapping[str, Any]) -> Answer | None:
        """With the predecessor named; None if there is none to name, or the CA does not want it named."""
        if not self._wish.replaces:
            return None
        try:
            return self._asked({**wanted, "replaces": self._wish.replaces})
        except RotationError as error:
            if error.code not in _OF_REPLACES:
                raise
            if error.code != "acme_already_replaced":
                self._warnings.append(f"the CA does not take the order as a replacement: {error.facts.get('detail')}")
            return None

    def _authorized(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            authorize(self._client, self._solvers, body, deadline=self._deadline, warn=self._warnings.append)
        except RotationError as error:
            if error.facts.get("identifier"):
                # The CA has rejected a name, and with it the order.
                self._forget()
            raise
        return self._poll(url, "pending")

    def _finalized(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        known = self._client.state.order(self._client.thumbprint, self._csr_sha256)
        finalize = body.get("finalize") or (known.finalize if known else None)
        if not isinstance(finalize, str) or not finalize:
            raise RotationError("acme_answer_invalid", "the order says no finalize URL", url=url)
        self._client.state.remember_finalized(self._client.thumbprint, self._csr_sha256)
        try:
            found = self._client.post(finalize, {"csr": self._csr}, deadline=self._deadline).json()
        except RotationError as error:
            if error.code == "acme_order_not_ready":
                return self._looked_at_again(url, body)
            if error.code in _ABOUT_THE_REQUEST:
                self._forget()
            raise
        return self._looked_at_again(url, found) if found.get("status") in ("pending", "ready") else found

    def _looked_at_again(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A server of several machines, which have not all heard yet."""
        if time.monotonic() + _PAUSE >= self._deadline:
            raise out_of_time(url, body, self._what)
        time.sleep(_PAUSE)
        return self._poll(url)

    def _poll(self, url: str, *unsettled: str) -> dict[str, Any]:
        return polled(
            self._client,
            url,
            lambda body: body.get("status") not in unsettled,
            deadline=self._deadline,
            what=self._what,
        )

    @property
    def _what(self) -> str:
        return f"the order for {', '.join(self._request.names[:3])}"

    def _forget(self) -> None:
        self._client.state.forget_order(self._client.thumbprint, self._csr_sha256)

    # --- the certificate ---

    def _downloaded(self, url: str, body: Mapping[str, Any], is_new: bool) -> Ordered:
        certificate_url = body.get("certificate")
        if not isinstance(certificate_url, str):
            raise RotationError("acme_answer_invalid", "the order is valid and names no certificate", url=url)
        answer = self._client.post(certificate_url, None, deadline=self._deadline)
        chain = self.chain_in(answer)
        self._remember(chain)
        return Ordered(chain, url, is_new, answer.links("alternate"), self._warnings)

    def _remember(self, chain: Sequence[x509.Certificate]) -> None:
        """What may have to be revoked one day, when all that is known of it is its serial number or its key."""
        facts = certificate_facts(chain[0])
        self._client.state.remember_certificate(
            KnownCertificate(
                self._client.account_uri,
                facts.serial,
                facts.spki_sha256,
                facts.not_after.timestamp(),
                tuple(der_of(one) for one in chain),
            )
        )

    def chain_in(self, answer: Answer) -> list[x509.Certificate]:
        """The chain that the CA sent, if it is for the request's key. RotationError ``acme_answer_invalid``."""
        try:
            chain = read_certificates(answer.body, answer.url)
        except RotationError as error:
            message = f"what the CA sent as certificate is none: {error.message}"
            raise RotationError("acme_answer_invalid", message, url=answer.url) from error
        if spki_sha256(chain[0].public_key()) != self._request.spki_sha256:
            raise RotationError("acme_answer_invalid", "the CA has sent a certificate for another key", url=answer.url)
        return chain


def prove_control(client: AcmeClient, solvers: Sequence[Solver], names: Sequence[str]) -> None:
    """Earn authorizations for all names without a certificate: an order that is never finalized (RFC 8555 section 7.6).

    :raises RotationError: as ``authorize``.
    """
    deadline = time.monotonic() + client.config.timeout
    wanted = {"identifiers": [identifier(name) for name in names]}
    body = client.post(client.directory["newOrder"], wanted, deadline=deadline).json()
    authorize(client, solvers, body, deadline=deadline, warn=lambda text: None)


def identifier(name: str) -> dict[str, str]:
    """A canonical name as ACME has it (RFC 8555 section 9.7.7, RFC 8738)."""
    return {"type": "ip" if ip_address(name) else "dns", "value": name}


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _failed(body: Mapping[str, Any], url: str) -> RotationError:
    problem = body.get("error")
    if isinstance(problem, Mapping):
        return refusal(problem, url=url)
    message = f"the order became {str(body.get('status'))[:40]}, and the CA does not say why"
    return RotationError("acme_refused", message, "Run again; a new order is made.", url=url)
