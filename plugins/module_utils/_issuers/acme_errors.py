# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ACME server refuses, in codes of this collection: RFC 8555 section 6.7, RFC 9773 section 7.4, profiles.

The type ``urn:ietf:params:acme:error:badCSR`` becomes the code ``acme_bad_csr``. Each has a sentence on what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text

PREFIX = "urn:ietf:params:acme:error:"

# RFC 8555 section 6.7, then what other documents add.
REMEDIES: dict[str, str] = {
    "accountDoesNotExist": "The CA does not know this account key. Let the account be made (create_account,"
    " terms_agreed), or give the key of the account that exists.",
    "alreadyRevoked": "Nothing is left to do: the certificate is revoked.",
    "badCSR": "Look at what the CA says about the request: a key type or size it does not take, a key it has blocked,"
    " Must-Staple, or names that differ from the order's.",
    "badNonce": "The CA went on refusing fresh nonces. A proxy that caches does that, or CA front ends out of step:"
    " try later.",
    "badPublicKey": "Use another type of account key (account_key_type): the CA does not take this one.",
    "badRevocationReason": "Give a reason that this CA accepts.",
    "badSignatureAlgorithm": "Use another type of account key (account_key_type): the CA does not take its signatures.",
    "caa": "Allow this CA in the CAA records of the name, or use a CA that they allow.",
    "compound": "See the subproblems: each names an identifier.",
    "connection": "The CA could not connect to the name. Open port 80 to the world for http-01 (no firewall, no IPv6"
    " address that nobody listens on), or use dns-01.",
    "dns": "The CA could not look the name up. Check its delegation and that all of its name servers answer.",
    "externalAccountRequired": "Register with the CA, and give what it hands out as eab: {kid, hmac_key}.",
    "incorrectResponse": "The CA found something else than the challenge's answer. Check that the name leads to the"
    " machine that answers, and no redirect, cache or second DNS view is in between.",
    "invalidContact": "Correct contact: addresses as mailto:somebody@example.org whose domain takes mail.",
    "malformed": "The CA did not understand the request. If this names a URL, it has forgotten that order: run again.",
    "orderNotReady": "Run again; the order goes on where it was.",
    "rateLimited": "Wait until the time given (retry_at), or let a fallback CA issue.",
    "rejectedIdentifier": "This CA does not issue for the name. Correct the name, or use another CA.",
    "serverInternal": "The CA failed inside. Try again later, and look at its status page.",
    "tls": "The CA could not establish TLS with the name while it checked the challenge.",
    "unauthorized": "The account may not do this. For an order: the challenge's answer was not right. For a"
    " certificate: it is not of this account.",
    "unsupportedContact": "Use addresses of the form mailto:somebody@example.org in contact.",
    "unsupportedIdentifier": "This CA does not issue for such names (IP addresses, for instance, may need a profile).",
    "userActionRequired": "Open the page that the CA names (instance), mostly new terms of service, then run again.",
    # RFC 9773
    "alreadyReplaced": "The predecessor has a successor already; order without replaces.",
    # draft-ietf-acme-profiles
    "invalidProfile": "Use one of the profiles that the CA offers, or none.",
    # boulder and others
    "dnssec": "The DNSSEC signatures of the name do not verify. Correct the zone.",
}

_SHOWN = 500


def code_of(problem_type: str) -> str:
    """``acme_bad_csr`` for ``urn:ietf:params:acme:error:badCSR``; ``acme_refused`` for types nobody has heard of."""
    name = problem_type[len(PREFIX) :] if problem_type.startswith(PREFIX) else ""
    if name not in REMEDIES:
        return "acme_refused"
    return "acme_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def refusal(
    problem: Mapping[str, Any], *, url: str = "", status: int | None = None, retry_at: datetime | None = None
) -> RotationError:
    """The error that a problem document (RFC 7807) of an ACME server stands for."""
    problem_type = str(problem.get("type") or "about:blank")
    code = code_of(problem_type)
    detail = _line(problem.get("detail") or problem.get("title") or "it gives no reason")
    facts: dict[str, Any] = {"type": problem_type, "url": url, "status": status, "detail": detail}
    parts = list(_subproblems(problem))
    if parts:
        facts["subproblems"] = parts
        detail += "; " + "; ".join(f"{part['identifier'] or 'one part'}: {part['detail']}" for part in parts[:5])
    if retry_at:
        facts["retry_at"] = as_text(retry_at)
        detail += f" (it says to try again at {facts['retry_at']})"
    if problem.get("instance"):
        facts["instance"] = _line(problem["instance"])
    return RotationError(code, f"the ACME server refuses: {detail}", _remedy(problem_type, parts), **facts)


def retry_time(value: str | None, now: datetime) -> datetime | None:
    """The moment that a Retry-After header names (RFC 9110 section 10.2.3); None if it names none."""
    if not value:
        return None
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return now + timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _remedy(problem_type: str, parts: list[dict[str, str]]) -> str:
    own = REMEDIES.get(problem_type[len(PREFIX) :], "") if problem_type.startswith(PREFIX) else ""
    if problem_type == PREFIX + "compound" and parts:
        kinds = dict.fromkeys(part["type"][len(PREFIX) :] for part in parts if part["type"].startswith(PREFIX))
        own = " ".join(filter(None, (REMEDIES.get(kind) for kind in kinds))) or own
    return own or "See what the CA says, and its documentation."


def _subproblems(problem: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    given = problem.get("subproblems")
    for part in given if isinstance(given, (list, tuple)) else ():
        if not isinstance(part, Mapping):
            continue
        identifier = part.get("identifier")
        name = identifier.get("value") if isinstance(identifier, Mapping) else ""
        yield {
            "type": str(part.get("type") or "about:blank"),
            "identifier": _line(name or ""),
            "detail": _line(part.get("detail") or part.get("title") or ""),
        }


def _line(text: object) -> str:
    """What a server says, as one bounded line without control characters."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", str(text))[:_SHOWN]
