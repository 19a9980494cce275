# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The single pieces of evidence in the vectors, to be combined, damaged and judged anew, without any network."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    RevocationPolicy,
    RevocationStatus,
    Verdict,
)
from ansible_collections.certops.rotation.tests.conformance.vector import Case, Pages
from ansible_collections.certops.rotation.tests.conformance.vectors import all_vectors
from cryptography import x509
from cryptography.x509 import ocsp


@dataclasses.dataclass(frozen=True)
class Piece:
    """One CRL or one OCSP response."""

    is_crl: bool
    data: bytes
    of: str = dataclasses.field(default="", compare=False)
    """the vector in which it was found"""

    def __repr__(self) -> str:
        return f"<{'CRL' if self.is_crl else 'response'} of {self.of}>"


@dataclasses.dataclass(frozen=True)
class Situation:
    """A certificate with its CAs, at a time, under a policy that neither fetches nor looks at the CAs."""

    chain: tuple[x509.Certificate, ...]
    anchors: tuple[x509.Certificate, ...]
    at: datetime
    policy: RevocationPolicy
    of: str = dataclasses.field(default="", compare=False)
    """the vector in which it was found"""

    def __repr__(self) -> str:
        return f"<situation of {self.of}>"

    @classmethod
    def from_case(cls, case: Case, name: str = "") -> Situation:
        policy = dataclasses.replace(case.policy, fetch=False, judge_issuers=False)
        return cls(tuple(case.chain), tuple(case.anchors), case.at, policy, name)

    def verdict(self, pieces: Iterable[Piece], *, at: datetime | None = None) -> Verdict:
        """What these pieces, given as files in this order, come to."""
        numbered = list(enumerate(pieces))
        given = Given(
            crls=tuple((f"{number}.crl", piece.data) for number, piece in numbered if piece.is_crl),
            ocsp_responses=tuple((f"{number}.ocsp", piece.data) for number, piece in numbered if not piece.is_crl),
        )
        judging = Judging(http=Pages({}), policy=self.policy, anchors=self.anchors, given=given)
        return judging.verdict(self.chain, at=at or self.at)


def pieces_of(case: Case, name: str = "") -> tuple[Piece, ...]:
    """Everything in a case that can be loaded as a CRL or a response, wherever it comes from."""
    pages = [page for page in case.pages.values() if isinstance(page, bytes)]
    everything = [*case.crls, *case.ocsp_responses, *pages, *([case.staple] if case.staple else [])]
    return tuple(piece for data in dict.fromkeys(everything) for piece in _loadable(data, name))


def _loadable(data: bytes, name: str) -> Iterator[Piece]:
    try:
        x509.load_der_x509_crl(data)
        yield Piece(True, data, name)
    except DECODING_ERRORS:
        pass
    try:
        if ocsp.load_der_ocsp_response(data).response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
            yield Piece(False, data, name)
    except DECODING_ERRORS:
        pass


@functools.cache
def all_cases() -> dict[str, Case]:
    """Every vector by its name."""
    return {each.name: each.make() for each in all_vectors()}


@functools.cache
def good_samples() -> tuple[tuple[str, Situation, Piece], ...]:
    """Every piece that makes the certificate of its case good by itself, with the name of the case."""
    found: dict[Piece, tuple[str, Situation, Piece]] = {}
    for name, case in all_cases().items():
        situation = Situation.from_case(case, name)
        for piece in pieces_of(case, name):
            if situation.verdict([piece]).status is RevocationStatus.GOOD:
                found.setdefault(piece, (name, situation, piece))
    return tuple(found.values())


@functools.cache
def pools() -> tuple[tuple[Situation, tuple[Piece, ...]], ...]:
    """All evidence that the vectors have about the same certificate, where there is enough of it to be combined."""
    by_chain: dict[tuple[object, ...], tuple[Situation, dict[Piece, None]]] = {}
    for name, case in all_cases().items():
        situation = Situation.from_case(case, name)
        key = (situation.chain, situation.anchors, situation.policy.tolerance)
        pieces = by_chain.setdefault(key, (situation, {}))[1]
        pieces.update(dict.fromkeys(pieces_of(case, name)))
    return tuple((situation, tuple(pieces)) for situation, pieces in by_chain.values() if len(pieces) > 3)


def signed_bytes(piece: Piece) -> list[int]:
    """The places of the bytes that are signed, and of those of the signature."""
    start = 0
    if not piece.is_crl:
        # OCSPResponse: responseStatus, [0] SEQUENCE { responseType, OCTET STRING of a BasicOCSPResponse }
        body = _members(piece.data, _members(piece.data, 0)[1])[0]
        start = _content(piece.data, _members(piece.data, body)[1])
    tbs, _algorithm, signature = _members(piece.data, start)[:3]
    first_of_signature = _content(piece.data, signature) + 1  # after the count of unused bits
    return [*range(tbs, _end(piece.data, tbs)), *range(first_of_signature, _end(piece.data, signature))]


def _content(data: bytes, at: int) -> int:
    """Where the content of the element at ``at`` begins."""
    return at + 2 + (data[at + 1] & 0x7F if data[at + 1] & 0x80 else 0)


def _end(data: bytes, at: int) -> int:
    begin = _content(data, at)
    return begin + (int.from_bytes(data[at + 2 : begin], "big") if begin > at + 2 else data[at + 1])


def _members(data: bytes, at: int) -> list[int]:
    """Where the members of the constructed element at ``at`` begin."""
    place, end, found = _content(data, at), _end(data, at), []
    while place < end:
        found.append(place)
        place = _end(data, place)
    return found


def boundaries(situation: Situation, pieces: Sequence[Piece]) -> list[datetime]:
    """Every moment at which a validity window of anything involved may begin or end."""
    moments: set[datetime] = set()
    for certificate in (*situation.chain, *situation.anchors):
        moments |= {certificate.not_valid_before_utc, certificate.not_valid_after_utc}
    for piece in pieces:
        moments.update(_moments_of(piece))
    shifts = [timedelta(0), situation.policy.tolerance, -situation.policy.tolerance]
    if situation.policy.max_age is not None:
        shifts.append(situation.policy.max_age)
    return sorted({moment + shift for moment in moments for shift in shifts})


def _moments_of(piece: Piece) -> Iterator[datetime]:
    if piece.is_crl:
        crl = x509.load_der_x509_crl(piece.data)
        yield crl.last_update_utc
        if crl.next_update_utc:
            yield crl.next_update_utc
        yield from (entry.revocation_date_utc for entry in crl)
        return
    response = ocsp.load_der_ocsp_response(piece.data)
    yield response.produced_at_utc
    for certificate in response.certificates:
        yield from (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    for single in response.responses:
        yield from filter(None, (single.this_update_utc, single.next_update_utc, single.revocation_time_utc))
