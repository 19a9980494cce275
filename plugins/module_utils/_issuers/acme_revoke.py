# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revocation at an ACME server, by each of the three rights that RFC 8555 section 7.6 knows.

The account that ordered the certificate; another one that has proven control of all its names; the certificate's own
key, which signs the request wherever it is. Only the last tells the CA that the key is in other hands: Let's Encrypt
then refuses the key and revokes whatever else it certified.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import (
    algorithm_of,
    base64url,
    jwk_of,
    signing_input,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    REVOCATION_REASONS,
    Receipt,
    Revocation,
    RevokeOutcome,
    Signer,
)

if TYPE_CHECKING:
    from typing import TypeAlias

# RFC 5280 section 5.3.1.
REASON_CODES = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
# What Let's Encrypt takes from subscribers, and what the Baseline Requirements want every CA to offer them.
USUAL_REASONS = frozenset({"unspecified", "keyCompromise", "superseded", "cessationOfOperation"})
_AT_ONCE = 8

Authorize: TypeAlias = "Callable[[Sequence[str]], None]"
"""Proves control of all these names to the CA, without ordering a certificate to its end."""


def accepted_reasons(configured: Sequence[str]) -> frozenset[str]:
    """The reasons to send, as configured or the usual ones. RotationError ``issuer_invalid`` for unknown words."""
    unknown = sorted(set(configured) - REVOCATION_REASONS)
    if unknown:
        raise RotationError(
            "issuer_invalid",
            f"revocation_reasons has {', '.join(unknown)}; known are {', '.join(sorted(REVOCATION_REASONS))}",
            remedy="Correct the entry in rotate_issuers.",
        )
    return frozenset(configured) or USUAL_REASONS


class AcmeRevoker:
    """Revokes at one server, as one account or as nobody but the certificate's key."""

    def __init__(self, client: AcmeClient, *, accepted: frozenset[str], authorize: Authorize) -> None:
        self._client = client
        self._accepted = accepted
        self._authorize = authorize

    def revoke(self, revocations: Sequence[Revocation]) -> list[RevokeOutcome]:
        """By the account; by proof of control of the names where that is asked for and the account did not order it."""
        if not revocations:
            return []
        with ThreadPoolExecutor(min(_AT_ONCE, len(revocations))) as pool:
            return list(pool.map(self._outcome, revocations))

    def revoke_by_key(self, revocation: Revocation, sign: Signer) -> Receipt:
        """By the certificate's own key. No account is needed, and none is made.

        :raises RotationError: ``acme_…``, ``certificate_expired``, ``key_unsupported``, and whatever ``sign`` raises.
        """
        certificate = self._checked(revocation)
        return self._receipt(certificate, "certificate_key", lambda: self._by_key(certificate, revocation, sign))

    def _outcome(self, revocation: Revocation) -> RevokeOutcome:
        try:
            certificate = self._checked(revocation)
            try:
                return self._receipt(certificate, "account", lambda: self._by_account(certificate, revocation))
            except RotationError as error:
                if error.code != "acme_unauthorized" or not revocation.authorize:
                    raise
            self._authorize(certificate_facts(certificate).names)
            return self._receipt(certificate, "authorizations", lambda: self._by_account(certificate, revocation))
        except RotationError as error:
            return error

    def _checked(self, revocation: Revocation) -> x509.Certificate:
        """:raises RotationError: ``reason_not_accepted``, ``acme_cannot_revoke``, ``not_a_certificate``."""
        if revocation.reason not in self._accepted:
            raise RotationError(
                "reason_not_accepted",
                f"this CA does not revoke for the reason {revocation.reason!r}",
                remedy=f"Give one of: {', '.join(sorted(self._accepted))}.",
                reason=revocation.reason,
                accepted=sorted(self._accepted),
            )
        return read_certificate(revocation.certificate_pem.encode(), "the certificate to revoke")

    def _by_account(self, certificate: x509.Certificate, revocation: Revocation) -> None:
        self._client.post(self._url(), _payload(certificate, revocation.reason))

    def _by_key(self, certificate: x509.Certificate, revocation: Revocation, sign: Signer) -> None:
        key, url = certificate.public_key(), self._url()
        header = {"alg": algorithm_of(key).name, "jwk": jwk_of(key), "url": url}
        payload = _payload(certificate, revocation.reason)

        def request(nonce: bytes) -> str:
            protected, content = signing_input({**header, "nonce": base64url(nonce)}, payload)
            signature = base64url(sign(f"{protected}.{content}".encode("ascii")))
            return json.dumps({"protected": protected, "payload": content, "signature": signature})

        self._client.post_signed(url, request)

    def _url(self) -> str:
        url = self._client.offers("revokeCert")
        if url is None:
            raise RotationError(
                "acme_cannot_revoke",
                "the ACME server offers no way to revoke certificates",
                remedy="Revoke it by the CA's own means.",
            )
        return url

    def _receipt(self, certificate: x509.Certificate, by: str, ask: Callable[[], None]) -> Receipt:
        facts = certificate_facts(certificate)
        try:
            ask()
        except RotationError as error:
            if error.code == "acme_already_revoked":
                # Since when and by whom the CA does not say.
                return Receipt(facts.serial, "already_revoked", _now(), by=None)
            raise explained(error, certificate) from error
        return Receipt(facts.serial, "revoked", _now(), by=by)


def _payload(certificate: x509.Certificate, reason: str) -> dict[str, Any]:
    der = certificate.public_bytes(serialization.Encoding.DER)
    # The reason may be left out, says RFC 8555, and there are servers that refuse a request without it.
    return {"certificate": base64url(der), "reason": REASON_CODES[reason]}


def explained(error: RotationError, certificate: x509.Certificate) -> RotationError:
    """The CA's refusal with what it is about: CAs say little, and of expired and foreign certificates not the same."""
    if not error.facts.get("type"):
        return error  # no refusal of the CA
    facts = certificate_facts(certificate)
    code, remedy = error.code, error.remedy
    what = f"{facts.serial}, issued by {facts.issuer},"
    if facts.not_after < _now():
        code, what = "certificate_expired", f"{what} expired at {as_text(facts.not_after)} and"
        remedy = "Nothing is left to do: nobody accepts an expired certificate."
    elif code == "acme_unauthorized":
        remedy = (
            "If another account of this CA ordered it, set authorize, or sign with the certificate's own key."
            " If another CA issued it, revoke it there."
        )
    elif code in ("acme_malformed", "acme_refused"):
        remedy = "Look at who issued it: revoke it at that CA."
    explained = RotationError(code, f"{what} is not revoked: {error.message}", remedy)
    explained.facts = {**error.facts, "serial": facts.serial, "issuer": facts.issuer}
    return explained


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)
