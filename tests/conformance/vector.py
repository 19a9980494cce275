# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vector: certificates, what sources say about them, a time, a policy, and the verdict that must come out.

One function is one case, and its docstring is its documentation::

    @vector
    def crl_revoked_is_revoked() -> Case:
        \"\"\"Listed in a CRL that the issuer signed: revoked, since when and why it says there (RFC 5280 6.3.3).\"\"\"
        world = hierarchy()
        pages = {CA_CRL: world.ca_crl({world.leaf.serial: None})}
        return usual_case(revoked(revoked_at=AT - 2 * HOUR), pages=pages)
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import inspect
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Verdict,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetched
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, ROOT_CRL, Hierarchy, hierarchy
from ansible_collections.certops.rotation.tests.support.pki import der
from cryptography import x509

Page = bytes | RotationError | Callable[[bytes], bytes]
"""What stands at a URL: bytes, a failure, or what makes an OCSP response of a request"""


@dataclasses.dataclass(frozen=True)
class Expected:
    """The verdict that must come out. ``fields``: attributes of the Verdict, and ``asked``, the URLs in their order."""

    status: RevocationStatus
    reasons: frozenset[Reason]
    exactly: bool = True
    """False: these reasons are among those of the verdict"""
    fields: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def good(**fields: Any) -> Expected:
    """Good has no reasons."""
    return Expected(RevocationStatus.GOOD, frozenset(), fields=fields)


def revoked(*reasons: str, exactly: bool = True, **fields: Any) -> Expected:
    """Revoked, for the reason ``revoked`` alone if none is given."""
    return Expected(RevocationStatus.REVOKED, frozenset(map(Reason, reasons or ("revoked",))), exactly, fields)


def unknown(*reasons: str, exactly: bool = True, **fields: Any) -> Expected:
    if not reasons:
        raise ValueError("unknown has a reason")
    return Expected(RevocationStatus.UNKNOWN, frozenset(map(Reason, reasons)), exactly, fields)


@dataclasses.dataclass(frozen=True)
class Case:
    """What is given, and what must come out."""

    chain: Sequence[x509.Certificate]
    expected: Expected
    anchors: Sequence[x509.Certificate] = ()
    crls: Sequence[bytes] = ()
    """given as files"""
    ocsp_responses: Sequence[bytes] = ()
    """given as files"""
    pages: Mapping[str, Page] = dataclasses.field(default_factory=dict)
    """what is to be had by HTTP; a responder's page answers each request to it. Other URLs are unreachable."""
    staple: bytes | None = None
    at: datetime = AT
    policy: RevocationPolicy = dataclasses.field(default_factory=RevocationPolicy)

    @property
    def given(self) -> Given:
        """The files under names."""
        return Given(
            crls=tuple((f"{number}.crl", data) for number, data in enumerate(self.crls)),
            ocsp_responses=tuple((f"{number}.ocsp", data) for number, data in enumerate(self.ocsp_responses)),
        )

    def digest(self) -> str:
        """SHA-256 over all the bytes of the case; what a page makes of a request is not in it."""
        total = hashlib.sha256()
        parts = [*map(der, self.chain), *map(der, self.anchors), *self.crls, *self.ocsp_responses, self.staple or b""]
        parts += [page for _url, page in sorted(self.pages.items()) if isinstance(page, bytes)]
        for part in parts:
            total.update(len(part).to_bytes(8, "big") + part)
        return total.hexdigest()


def usual_case(
    expected: Expected, *, world: Hierarchy | None = None, pages: Mapping[str, Page] | None = None, **wanted: Any
) -> Case:
    """A case of the usual hierarchy, or of ``world``; the root's clean CRL is among its pages."""
    world = world or hierarchy()
    everything = {ROOT_CRL: world.root_crl, **(pages or {})}
    return Case(chain=world.chain, anchors=world.anchors, pages=everything, expected=expected, **wanted)


class Pages:
    """The network of one case: a Fetcher that answers from its pages and remembers who was asked."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._pages = pages
        self.asked: list[str] = []

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        return self._answer(url, "GET", None)

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Fetched:
        return self._answer(url, "POST", body)

    def _answer(self, url: str, method: str, body: bytes | None) -> Fetched:
        place = max((page for page in self._pages if url == page or url.startswith(f"{page}/")), key=len, default=url)
        self.asked.append(place)
        page = self._pages.get(place, RotationError("unreachable", f"{url}: there is no such page in this vector"))
        if isinstance(page, RotationError):
            raise page
        if not isinstance(page, bytes):
            in_url = base64.b64decode(urllib.parse.unquote(url[len(place) + 1 :]))
            page = page(in_url if body is None else body)
        return Fetched(url, method, page, {}, 0.0)


@dataclasses.dataclass(frozen=True)
class Vector:
    """A case by its name, ``topic.function``."""

    name: str
    description: str
    make: Callable[[], Case]


VECTORS: dict[str, Vector] = {}


def vector(make: Callable[[], Case]) -> Callable[[], Case]:
    """Registers a case; its docstring is its documentation, so it must have one."""
    name = f"{make.__module__.rpartition('.')[2]}.{make.__name__}"
    description = inspect.cleandoc(make.__doc__ or "")
    if not description or name in VECTORS:
        raise ValueError(f"vector {name} " + ("stands twice" if description else "has no docstring"))
    VECTORS[name] = Vector(name, description, make)
    return make


def judge(case: Case) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict of the real ``Judging``, and the URLs that it asked."""
    network = Pages(case.pages)
    judging = Judging(http=network, policy=case.policy, anchors=case.anchors, given=case.given)
    return judging.verdict(case.chain, at=case.at, staple=case.staple), tuple(network.asked)


def complaints(case: Case) -> list[str]:
    """In what the verdict differs from the expected one."""
    return differences(*judge(case), case.expected)


def differences(verdict: Verdict, asked: Sequence[str], expected: Expected) -> list[str]:
    """In what a verdict, and the URLs that were asked for it, differ from the expected ones."""
    found = []
    if verdict.status is not expected.status:
        found.append(f"status {verdict.status}, expected {expected.status}")
    reasons = set(verdict.reasons)
    if (reasons != expected.reasons) if expected.exactly else not expected.reasons <= reasons:
        found.append(f"reasons {_listed(reasons)}, expected {_listed(expected.reasons)}")
    for name, wanted in expected.fields.items():
        value = tuple(asked) if name == "asked" else getattr(verdict, name)
        if value != wanted:
            found.append(f"{name} {value!r}, expected {wanted!r}")
    if found:
        found += [f"evidence: {each.source.kind} {each.status}: {each.detail}" for each in verdict.evidence]
        found += [f"detail: {verdict.detail}"] if verdict.detail else []
    return found


def _listed(reasons: set[Reason] | frozenset[Reason]) -> str:
    return ", ".join(sorted(map(str, reasons))) or "(none)"
