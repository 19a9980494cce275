# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorizations of an order (RFC 8555 section 7.5): every name proven, in the first way that the CA offers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Solver, Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_errors import refusal
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_polling import polled

# RFC 8555 section 8.1: base64url. A token becomes part of a file name, so nothing else may be in it.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")

Warn = Callable[[str], None]


@dataclass(frozen=True)
class _Pending:
    """An authorization that has to be earned, and how."""

    url: str
    challenge: Mapping[str, Any]
    solver: Solver
    task: Task


def authorize(
    client: AcmeClient, solvers: Sequence[Solver], order: Mapping[str, Any], *, deadline: float, warn: Warn
) -> None:
    """Earn every authorization of ``order`` (the resource's body) that is not valid yet.

    :raises RotationError: ``acme_no_challenge``, what a solver raises, and for a name that the CA did not accept the
        error type of its challenge (``acme_unauthorized``, ``acme_connection``, ``acme_dns``, …).
    """
    pending = [one for url in _urls(order) for one in _pending(client, solvers, url, deadline)]
    groups: dict[int, list[_Pending]] = {}
    for one in pending:
        groups.setdefault(id(one.solver), []).append(one)
    shown: list[list[_Pending]] = []
    try:
        for group in groups.values():
            shown.append(group)
            group[0].solver.provide([one.task for one in group])
        for one in pending:
            _answer(client, one, deadline)
        for one in pending:
            _await(client, one, deadline)
    finally:
        for group in shown:
            _withdraw(group, warn)


def _urls(order: Mapping[str, Any]) -> list[str]:
    urls = order.get("authorizations")
    if not isinstance(urls, list) or not all(isinstance(one, str) for one in urls):
        raise RotationError("acme_answer_invalid", "the order has no list of authorizations")
    return urls


def _pending(client: AcmeClient, solvers: Sequence[Solver], url: str, deadline: float) -> Iterator[_Pending]:
    body = client.post(url, None, deadline=deadline).json()
    if body.get("status") == "valid":
        return
    if body.get("status") != "pending":
        raise _not_valid(body, url)
    for solver in solvers:
        for challenge in _challenges(body):
            if challenge.get("type") == solver.type:
                yield _Pending(url, challenge, solver, _task(client, body, challenge))
                return
    raise RotationError(
        "acme_no_challenge",
        f"the CA offers {', '.join(_types(body)) or 'nothing'} for {_name(body)},"
        f" and the issuer is set up for {', '.join(dict.fromkeys(one.type for one in solvers))}",
        remedy="Add a challenge that the CA offers; wildcards need dns-01 or dns-persist-01, IP addresses http-01.",
        offered=_types(body),
    )


def _task(client: AcmeClient, body: Mapping[str, Any], challenge: Mapping[str, Any]) -> Task:
    kind, token = challenge.get("type"), challenge.get("token")
    names = challenge.get("issuer-domain-names")
    if kind == "dns-persist-01":
        token = ""
    elif not isinstance(token, str) or not _TOKEN.match(token):
        raise RotationError("acme_answer_invalid", f"the token of the challenge for {_name(body)} is no base64url")
    name = _identifier(body)
    return Task(
        identifier=name.removeprefix("*."),
        is_wildcard=bool(body.get("wildcard")) or name.startswith("*."),
        token=token,
        key_authorization=f"{token}.{client.thumbprint}",
        account_uri=client.account_uri,
        issuer_domains=tuple(str(one) for one in names[:10]) if isinstance(names, list) else (),
    )


def _answer(client: AcmeClient, one: _Pending, deadline: float) -> None:
    """Tell the CA to look, unless it is looking already: a run before this one may have told it."""
    url = one.challenge.get("url")
    if not isinstance(url, str):
        raise RotationError("acme_answer_invalid", f"the challenge for {one.task.identifier} has no URL")
    if one.challenge.get("status") in (None, "pending"):
        client.post(url, {}, deadline=deadline)


def _await(client: AcmeClient, one: _Pending, deadline: float) -> None:
    what = f"the name {one.task.identifier}"
    body = polled(client, one.url, lambda found: found.get("status") != "pending", deadline=deadline, what=what)
    if body.get("status") != "valid":
        raise _not_valid(body, one.url)


def _withdraw(group: Sequence[_Pending], warn: Warn) -> None:
    try:
        group[0].solver.withdraw([one.task for one in group])
    except RotationError as error:
        warn(f"{error.message} ({error.code})")


def _not_valid(body: Mapping[str, Any], url: str) -> RotationError:
    """Why the CA did not accept a name: the error of the challenge that failed."""
    problems = [one["error"] for one in _challenges(body) if isinstance(one.get("error"), Mapping)]
    if problems:
        error = refusal(problems[0], url=url)
        error.message = f"the CA did not accept the proof for {_name(body)}: {error.facts['detail']}"
    else:
        status = str(body.get("status"))[:40]
        error = RotationError("acme_unauthorized", f"the authorization of {_name(body)} is {status}", url=url)
        error.remedy = "Run again; a new order is made."
    error.facts["identifier"] = _name(body)
    return error


def _challenges(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = body.get("challenges")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _types(body: Mapping[str, Any]) -> list[str]:
    return [str(one.get("type"))[:40] for one in _challenges(body)]


def _identifier(body: Mapping[str, Any]) -> str:
    identifier = body.get("identifier")
    value = identifier.get("value") if isinstance(identifier, Mapping) else None
    if not isinstance(value, str) or not value:
        raise RotationError("acme_answer_invalid", "an authorization of the order names nobody")
    return value


def _name(body: Mapping[str, Any]) -> str:
    name = _identifier(body)
    return f"*.{name}" if body.get("wildcard") and not name.startswith("*.") else name
