# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a CA when it wants certificates to be replaced (RFC 9773), and remembering what it said."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core.ari import (
    RenewalHint,
    cert_id,
    next_question,
    next_question_after_failure,
    read_hint,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_state import KnownHint

# A hint is not worth waiting for: the next run asks again.
_PATIENCE = 5.0
_MAY_PASS = frozenset({"acme_timeout", "acme_unavailable", "acme_server_internal", "acme_rate_limited"})


def renewal_hint(client: AcmeClient, certificate: x509.Certificate, *, at: datetime) -> RenewalHint | None:
    """What the CA says about the certificate, asked again no sooner than it wants; None if it says nothing of use.

    Never asked about an expired certificate, and never where the directory has no renewalInfo.
    """
    name = cert_id(certificate)
    if name is None or certificate.not_valid_after_utc <= at:
        return None
    known = client.state.hint(name)
    if known is not None and known.ask_at > at.timestamp():
        return _remembered(known)
    client.reach(time.monotonic() + _PATIENCE)
    base = client.offers("renewalInfo")
    if base is None:
        return None
    answered = _asked(client, f"{base.rstrip('/')}/{name}", known, at)
    client.state.remember_hint(name, answered)
    return _remembered(answered)


def renewal_hint_now(
    client: AcmeClient, certificate: x509.Certificate, *, at: datetime
) -> tuple[RenewalHint, str] | None:
    """What the CA says at this moment, whatever it said before, and the URL that says it. It is remembered as usual.

    :raises RotationError: when it does not answer, or with nothing of use; then nothing is remembered.
    """
    name = cert_id(certificate)
    if name is None or certificate.not_valid_after_utc <= at:
        return None
    client.reach(time.monotonic() + _PATIENCE)
    base = client.offers("renewalInfo")
    if base is None:
        return None
    url = f"{base.rstrip('/')}/{name}"
    answered = _answer(client, url, at)
    client.state.remember_hint(name, answered)
    hint = _remembered(answered)
    return (hint, url) if hint else None


def _asked(client: AcmeClient, url: str, known: KnownHint | None, at: datetime) -> KnownHint:
    try:
        return _answer(client, url, at)
    except RotationError as error:
        failures = (known.failures if known else 0) + 1
        again = next_question_after_failure(at, failures, may_pass=error.code in _MAY_PASS)
        # What it said before still holds.
        return KnownHint(again.timestamp(), failures, known.body if known else None)


def _answer(client: AcmeClient, url: str, at: datetime) -> KnownHint:
    """:raises RotationError: whatever keeps the answer from being a hint."""
    now = datetime.now(timezone.utc)
    answer = client.get(url, deadline=time.monotonic() + _PATIENCE)
    body = answer.json()
    read_hint(body)
    wanted = at + (answer.retry_at - now) if answer.retry_at else None
    return KnownHint(next_question(at, wanted).timestamp(), 0, json.dumps(body))


def _remembered(known: KnownHint) -> RenewalHint | None:
    try:
        return read_hint(json.loads(known.body)) if known.body else None
    except (RotationError, ValueError):
        return None
