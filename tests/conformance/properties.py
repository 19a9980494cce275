# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for any bytes, any damage, any time and any order (hypothesis).

The gate takes the same examples in each run. With CONFORMANCE_MORE they are new ones, and failures are kept in
build/hypothesis.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
    serial_hex,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import validate_chain
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Verdict,
)
from ansible_collections.certops.rotation.tests.conformance import der_writer
from ansible_collections.certops.rotation.tests.conformance.check import Check
from ansible_collections.certops.rotation.tests.conformance.evidence import (
    Piece,
    Situation,
    all_cases,
    boundaries,
    good_samples,
    pieces_of,
    pools,
    signed_bytes,
)
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    CA_CRL,
    OCSP,
    Hierarchy,
    hierarchy,
    issuing_ca,
    leaf_of,
    root_ca,
)
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import ocsp_response, wrapped
from ansible_collections.certops.rotation.tests.conformance.vector import Case, Pages, judge
from ansible_collections.certops.rotation.tests.support.pki import der as der_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

GOOD, REVOKED = RevocationStatus.GOOD, RevocationStatus.REVOKED
DATABASE = Path(__file__).resolve().parents[2] / "build" / "hypothesis"
OFFLINE = RevocationPolicy(fetch=False, judge_issuers=False)
EXAMPLES = 150
MORE = int(os.environ.get("CONFORMANCE_MORE", "1"))
"""how many times as many examples, and new ones in each run, for those who have the time"""
FINAL = frozenset({Reason.REVOKED})

_PROPERTIES: list[Callable[[], None]] = []


def holds(examples: int = EXAMPLES, **strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], None]:
    """Registers a property; its docstring is what must hold."""
    same_examples = MORE == 1

    def register(function: Callable[..., None]) -> None:
        checked = given(**strategies)(function) if strategies else function
        if strategies:
            checked = settings(
                max_examples=examples * MORE,
                deadline=None,
                derandomize=same_examples,
                database=None if same_examples else DirectoryBasedExampleDatabase(DATABASE),
                suppress_health_check=list(HealthCheck),
            )(checked)
        _PROPERTIES.append(checked)

    return register


def checks() -> Iterator[Check]:
    """The properties."""
    for each in _PROPERTIES:
        yield Check(each.__name__.strip("_"), each.__doc__ or "", functools.partial(_run, each))


def _run(check: Callable[[], None]) -> Sequence[str]:
    check()
    return ()


# What is damaged

Edit = Callable[[bytes], bytes]


def _damaged(samples: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Real bytes, with some of them overwritten, taken out, put in or doubled; or cut short; or mere noise."""
    place = st.floats(0, 1, exclude_max=True)
    edit = st.tuples(st.sampled_from("overwrite remove insert double flip".split()), place, st.binary(max_size=6))
    return st.builds(_edited, samples, st.lists(edit, max_size=4), st.none() | place) | st.binary(max_size=64)


def _edited(data: bytes, edits: Sequence[tuple[str, float, bytes]], end: float | None) -> bytes:
    for what, place, patch in edits:
        at = int(place * len(data))
        size = len(patch)
        if what == "overwrite":
            data = data[:at] + patch + data[at + size :]
        elif what == "remove":
            data = data[:at] + data[at + size :]
        elif what == "insert":
            data = data[:at] + patch + data[at:]
        elif what == "double":
            data = data[: at + 4 * size] + data[at:]
        elif data:
            data = data[:at] + bytes([data[at] ^ (1 << size)]) + data[at + 1 :]
    return data if end is None else data[: int(end * len(data))]


def _bytes_of(is_crl: bool) -> st.SearchStrategy[bytes]:
    found = {piece.data for case in all_cases().values() for piece in pieces_of(case) if piece.is_crl is is_crl}
    return st.sampled_from(sorted(found))


def _tbs_of(data: bytes) -> bytes:
    """The part of a certificate or CRL that is signed."""
    return bytes(der.sequence(data)[0].raw)


def _judge_offline(world: Hierarchy, **given_files: Any) -> Verdict:
    judging = Judging(http=Pages({}), policy=OFFLINE, anchors=world.anchors, given=Given(**given_files))
    return judging.verdict(world.chain, at=AT)


CRLS = st.deferred(lambda: _bytes_of(True))
RESPONSES = st.deferred(lambda: _bytes_of(False))
CERTIFICATES = st.deferred(
    lambda: st.sampled_from(sorted({der_of(each) for case in all_cases().values() for each in case.chain}))
)
NOISE = st.deferred(lambda: _damaged(CRLS | RESPONSES | CERTIFICATES))


# No bytes make the core raise anything but its own error


@holds(data=NOISE)
def der_reader_survives(data: bytes) -> None:
    """The DER reader gives elements that fill the bytes, or NotDerError."""
    try:
        found = list(der.elements(memoryview(data)))
    except der.NotDerError:
        return
    if b"".join(bytes(element.raw) for element in found) != data:
        raise AssertionError("the elements are not the bytes")


@holds(data=NOISE)
def certificate_reader_survives(data: bytes) -> None:
    """Reading certificates and their facts works or raises RotationError."""
    try:
        for certificate in read_certificates(data):
            json.dumps(to_result(certificate_facts(certificate)))
    except RotationError:
        pass


@holds(data=NOISE)
def crl_judge_survives(data: bytes) -> None:
    """Any bytes given as a CRL come to a verdict."""
    _judge_offline(hierarchy(), crls=(("x.crl", data),))


@holds(data=NOISE)
def response_judge_survives(data: bytes) -> None:
    """Any bytes given as an OCSP response come to a verdict."""
    _judge_offline(hierarchy(), ocsp_responses=(("x.ocsp", data),))


@holds(data=NOISE)
def staple_judge_survives(data: bytes) -> None:
    """Any bytes as a staple come to a verdict, and to what the staple is worth."""
    world = hierarchy()
    judging = Judging(http=Pages({}), policy=OFFLINE, anchors=world.anchors)
    judging.verdict(world.chain, at=AT, staple=data)
    if data and judging.judge_staple(world.chain, data, at=AT).status == "absent":
        raise AssertionError("there was a staple")


@holds(data=NOISE)
def pages_survive(data: bytes) -> None:
    """Any bytes at every URL that certificates name, caIssuers included, come to a verdict."""
    world = hierarchy()
    alone = leaf_of(world.ca, crl_urls=[CA_CRL], ocsp_urls=[OCSP], ca_issuers_urls=["http://aia.vectors.example"])
    pages = {CA_CRL: data, OCSP: data, "http://aia.vectors.example": data}
    judging = Judging(http=Pages(pages), policy=RevocationPolicy(), anchors=world.anchors)
    judging.verdict([alone.certificate], at=AT)
    judging.verdict(world.chain, at=AT)


@holds(data=_damaged(CRLS.map(_tbs_of)))
def well_signed_nonsense_crl_survives(data: bytes) -> None:
    """A damaged CRL that its CA signed, so that the signature does not keep it out, comes to a verdict."""
    world = hierarchy()
    _judge_offline(world, crls=(("x.crl", der_writer.signed(data, world.ca.key)),))


@holds(data=_damaged(st.deferred(lambda: st.sampled_from(_tbs_of_responses()))))
def well_signed_nonsense_response_survives(data: bytes) -> None:
    """A damaged response that the CA signed comes to a verdict."""
    world = hierarchy()
    _judge_offline(world, ocsp_responses=(("x.ocsp", wrapped(der_writer.signed(data, world.ca.key))),))


@holds(data=_damaged(CERTIFICATES.map(_tbs_of)))
def well_signed_nonsense_certificate_survives(data: bytes) -> None:
    """A damaged certificate that the CA signed comes to a verdict, as leaf, issuer and anchor."""
    world = hierarchy()
    try:
        strange = read_certificates(der_writer.signed(data, world.ca.key))
    except RotationError:
        return
    crls = (("ca.crl", world.ca_crl()), ("root.crl", world.root_crl))
    for chain, anchors in (
        ([*strange, world.ca.certificate], world.anchors),
        ([world.leaf.certificate, *strange], world.anchors),
        ([world.leaf.certificate, world.ca.certificate], strange),
    ):
        policy = RevocationPolicy(fetch=False)
        Judging(http=Pages({}), policy=policy, anchors=anchors, given=Given(crls=crls)).verdict(chain, at=AT)
        try:
            validate_chain(chain, anchors=anchors, at=AT, server_names=["shop.example.org"])
        except RotationError:
            pass


def _tbs_of_responses() -> list[bytes]:
    found = {piece.data for case in all_cases().values() for piece in pieces_of(case) if not piece.is_crl}
    bodies = [der.sequence(data)[1].children()[0].children()[1].content for data in sorted(found)]
    return [bytes(der.sequence(body)[0].raw) for body in bodies]


# No flipped bit yields good


def _small_world() -> Hierarchy:
    """With Ed25519, whose signatures are short and quick to verify."""
    root = root_ca()
    ca = issuing_ca(root, key_name="ed25519-issuing")
    return Hierarchy(root, ca, leaf_of(ca, key_name="ed25519-leaf"))


def _every_flip(world: Hierarchy, piece: Piece) -> None:
    situation = Situation(world.chain, world.anchors, AT, OFFLINE)
    if situation.verdict([piece]).status is not GOOD:
        raise AssertionError("the sample is not good before anything is flipped")
    for place in signed_bytes(piece):
        for bit in range(8):
            _is_not_good(situation, piece, place, bit)


def _is_not_good(situation: Situation, piece: Piece, place: int, bit: int) -> None:
    flipped = bytearray(piece.data)
    flipped[place] ^= 1 << bit
    verdict = situation.verdict([Piece(piece.is_crl, bytes(flipped))])
    if verdict.status is not RevocationStatus.UNKNOWN:
        raise AssertionError(f"bit {bit} of byte {place} flipped: {verdict.status}")


@holds()
def no_flipped_bit_of_a_response_counts() -> None:
    """Each bit of the signed part and of the signature of a good OCSP response, flipped: unknown."""
    world = _small_world()
    response = ocsp_response([world.single()], key=world.ca.key, responder=world.ca.certificate)
    _every_flip(world, Piece(False, response))


@holds()
def no_flipped_bit_of_a_crl_counts() -> None:
    """Each bit of the signed part and of the signature of a clean CRL, flipped: unknown."""
    world = _small_world()
    _every_flip(world, Piece(True, world.ca.crl([0x77])))


@holds(
    400,
    sample=st.deferred(lambda: st.sampled_from(good_samples())),
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def no_flipped_bit_of_a_vector_counts(sample: tuple[str, Situation, Piece], place: float, bit: int) -> None:
    """The same, some bits of each CRL and each response of the vectors that is good by itself."""
    _name, situation, piece = sample
    places = signed_bytes(piece)
    _is_not_good(situation, piece, places[int(place * len(places))], bit)


# More evidence, other times, other orders


@st.composite
def _subset(draw: st.DrawFn) -> tuple[Situation, list[Piece]]:
    situation, pool = draw(st.sampled_from(pools()))
    return situation, draw(st.lists(st.sampled_from(pool), max_size=4, unique=True))


SUBSETS = st.deferred(_subset)


def _is_final(verdict: Verdict) -> bool:
    return verdict.status is REVOKED and Reason.REVOKED in verdict.reasons


@holds(subset=SUBSETS, more=st.integers(0))
def more_evidence_never_takes_a_revocation_back(subset: tuple[Situation, list[Piece]], more: int) -> None:
    """Revoked for good by some sources stays revoked, whatever is added; so what is revoked by one source is by all."""
    situation, pieces = subset
    pool = next(pool for each, pool in pools() if each == situation)
    added = pool[more % len(pool)]
    if _is_final(situation.verdict(pieces)) or _is_final(situation.verdict([added])):
        verdict = situation.verdict([*pieces, added])
        if not _is_final(verdict):
            raise AssertionError(f"{verdict.status} for {verdict.reasons}")


@holds(subset=SUBSETS, seed=st.randoms(use_true_random=False))
def order_does_not_matter(subset: tuple[Situation, list[Piece]], seed: Any) -> None:
    """The same files in another order: the same verdict."""
    situation, pieces = subset
    shuffled = list(pieces)
    seed.shuffle(shuffled)
    first, second = _claim(situation.verdict(pieces)), _claim(situation.verdict(shuffled))
    if first != second:
        raise AssertionError(f"{first} and {second}")


@holds(300, subset=SUBSETS, place=st.floats(0, 1, exclude_max=True), share=st.floats(0, 1), other=st.floats(0, 1))
def time_matters_through_windows_only(
    subset: tuple[Situation, list[Piece]], place: float, share: float, other: float
) -> None:
    """Between two moments at which a validity window begins or ends, the verdict is the same for all times."""
    situation, pieces = subset
    moments = boundaries(situation, pieces)
    number = int(place * (len(moments) - 1))
    begin, end = moments[number : number + 2]
    claims = [_claim(situation.verdict(pieces, at=_inside(begin, end, each))) for each in (share, other)]
    if claims[0] != claims[1]:
        raise AssertionError(f"between {begin} and {end}: {claims[0]} and {claims[1]}")


def _inside(begin: datetime, end: datetime, share: float) -> datetime:
    """A moment between, neither of the two."""
    step = timedelta(microseconds=1)
    return begin + step + (end - begin - 2 * step) * share


@holds(subset=SUBSETS)
def good_has_a_verified_source(subset: tuple[Situation, list[Piece]]) -> None:
    """Good comes with evidence that is good, is about this certificate, and has a signer and a digest."""
    situation, pieces = subset
    verdict = situation.verdict(pieces)
    serial = serial_hex(situation.chain[0].serial_number)
    proofs = [each for each in verdict.evidence if each.serial == serial and each.status is GOOD]
    if verdict.status is GOOD and not any(proof.sha256 and proof.signer for proof in proofs):
        raise AssertionError("good without proof")
    if verdict.status is not GOOD and not verdict.reasons:
        raise AssertionError(f"{verdict.status} without a reason")


@holds()
def nothing_given_is_never_good() -> None:
    """No vector's certificate is good without any source."""
    for name, case in all_cases().items():
        if Situation.from_case(case).verdict([]).status is not RevocationStatus.UNKNOWN:
            raise AssertionError(name)


@holds()
def verdicts_are_plain_data_and_repeat() -> None:
    """The verdict of every vector without a responder becomes JSON, and judging once more gives the same."""
    for name, case in all_cases().items():
        if not all(isinstance(page, bytes) for page in case.pages.values()):
            continue  # what answers may have a nonce or a memory
        first, second = _text(case), _text(case)
        if first != second:
            raise AssertionError(f"{name}: {first} and {second}")


@holds()
def good_chains_are_good_all_the_way() -> None:
    """Where a vector with judge_issuers is good, each certificate below the anchor has a good source of its own."""
    for name, case in all_cases().items():
        verdict, _asked = judge(case)
        if verdict.status is GOOD and case.policy.judge_issuers:
            proven = {each.serial for each in verdict.evidence if each.status is GOOD}
            anchors = {anchor.serial_number for anchor in case.anchors}
            wanted = {serial_hex(each.serial_number) for each in _needed(case) if each.serial_number not in anchors}
            if not wanted <= proven:
                raise AssertionError(f"{name}: nothing proves {wanted - proven}")


def _needed(case: Case) -> list[Any]:
    """The leaf, and the CAs that it and they name as issuers."""
    needed = [case.chain[0]]
    while True:
        issuers = [each for each in case.chain if each.subject == needed[-1].issuer and each not in needed]
        trusted = [each for each in case.anchors if each.subject == needed[-1].issuer]
        if trusted or len(issuers) != 1:
            return needed
        needed += issuers


def _text(case: Case) -> str:
    verdict, _asked = judge(case)
    text = json.loads(json.dumps(to_result(verdict)))
    for evidence in text["evidence"]:
        evidence["source"].pop("seconds", None)
    return json.dumps(text)


def _claim(verdict: Verdict) -> tuple[Any, ...]:
    """What is claimed, without what the order or the time of judging may change."""
    since = (verdict.revoked_at, verdict.revocation_reason, verdict.invalidity_date)
    return (verdict.status, frozenset(verdict.reasons), *since, verdict.notes, verdict.is_soft)
