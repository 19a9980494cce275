# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging over a run: a CA whose CRLs and responses a real server publishes, and everything that can be wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Prefer,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Verdict,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.pki import (
    DAY,
    HOUR,
    Authority,
    Issued,
    der,
    issuing_point,
    ocsp_error,
)
from cryptography import x509
from cryptography.x509 import ocsp

GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN


class World:
    """A root, an issuing CA and their publication point; each certificate has a CRL URL and an OCSP URL."""

    def __init__(self, web: HttpServer) -> None:
        self.web = web
        self.root = Authority.root()
        self.root_crl = web.put("/root.crl", self.root.crl())
        self.ca_url = web.url("/ca.crt")
        self.ca = self.root.intermediate(crl_urls=[self.root_crl])
        self.at = self.root.at
        web.put("/ca.crt", der(self.ca.certificate))
        self.publish()
        self.respond("good")

    def publish(self, **how: Any) -> None:
        how.setdefault("point", issuing_point(self.web.url("/ca.crl")))
        self.web.put("/ca.crl", self.ca.crl(**how))

    def respond(self, status: str, **how: Any) -> None:
        """The responder answers about whichever certificate of the CA is asked for, in the hash it is asked in."""

        def answer(request: ocsp.OCSPRequest) -> bytes:
            certificate = self.by_serial[request.serial_number]
            return self.ca.ocsp(certificate, status, algorithm=request.hash_algorithm, **how)

        self.by_serial: dict[int, x509.Certificate] = getattr(self, "by_serial", {})
        self.web.put_ocsp("/ocsp", answer)

    def leaf(self, crl: bool = True, responder: bool = True, **wanted: Any) -> Issued:
        wanted.setdefault("crl_urls", [self.web.url("/ca.crl")] if crl else [])
        wanted.setdefault("ocsp_urls", [self.web.url("/ocsp")] if responder else [])
        made = self.ca.issue(**wanted)
        self.by_serial[made.serial] = made.certificate
        return made

    def judging(self, *, given: Given | None = None, anchors: Any = None, **policy: Any) -> Judging:
        trusted = [self.root.certificate] if anchors is None else anchors
        client = HttpClient(timeout=3)
        return Judging(http=client, policy=RevocationPolicy(**policy), anchors=trusted, given=given)

    def verdict(self, chain: Any, *, staple: bytes | None = None, at: Any = None, **policy: Any) -> Verdict:
        return self.judging(**policy).verdict(chain, at=at or self.at, staple=staple)


@pytest.fixture
def world() -> Iterator[World]:
    with HttpServer() as web:
        yield World(web)


def test_good_by_crl_without_asking_the_responder(world: World) -> None:
    verdict = world.verdict(world.leaf().chain)
    assert (verdict.status, verdict.reasons) == (GOOD, ())
    assert [evidence.source.kind.value for evidence in verdict.evidence] == ["crl", "crl"]
    assert world.web.count("/ocsp") == 0


def test_good_by_ocsp_alone(world: World) -> None:
    assert world.verdict(world.leaf(crl=False).chain).status is GOOD


def test_revoked_by_crl(world: World) -> None:
    leaf = world.leaf()
    world.publish(revoked={leaf.serial: x509.ReasonFlags.key_compromise})
    verdict = world.verdict(leaf.chain)
    assert (verdict.status, verdict.reasons) == (REVOKED, (Reason.REVOKED,))
    assert (verdict.revocation_reason, verdict.revoked_at) == ("keyCompromise", world.at - 2 * HOUR)


def test_disagreement_is_revoked_and_seen(world: World) -> None:
    world.respond("revoked")
    verdict = world.verdict(world.leaf().chain, prefer=Prefer.BOTH)
    assert verdict.status is REVOKED
    assert [(each.source.kind.value, each.status.value) for each in verdict.evidence[:2]] == [
        ("ocsp", "revoked"),
        ("crl", "good"),
    ]


def test_ocsp_answers_where_the_crl_is_stale(world: World) -> None:
    world.publish(this_update=world.at - 9 * DAY, next_update=world.at - DAY)
    assert world.verdict(world.leaf().chain).status is GOOD
    verdict = world.verdict(world.leaf(responder=False).chain)
    assert (verdict.status, verdict.reasons) == (UNKNOWN, (Reason.STALE,))


def test_preferred_source_alone_is_asked(world: World) -> None:
    world.web.put("/ca.crl", b"", status=500)
    assert world.verdict(world.leaf().chain, prefer=Prefer.CRL).reasons == (Reason.HTTP_ERROR,)
    assert world.web.count("/ocsp") == 0
    assert world.verdict(world.leaf().chain, prefer=Prefer.OCSP).status is GOOD


@pytest.mark.parametrize(
    ("body", "how", "reason"),
    [
        (b"", {"status": 404}, Reason.HTTP_ERROR),
        (b"<html>", {}, Reason.UNREADABLE),
        (b"", {"redirect": "file:///etc/passwd"}, Reason.REDIRECT_REFUSED),
        (b"x" * 1000, {"announce": 2000}, Reason.UNREACHABLE),
    ],
)
def test_unusable_answers_are_unknown(world: World, body: bytes, how: dict[str, Any], reason: Reason) -> None:
    world.web.put("/ca.crl", body, **how)
    verdict = world.verdict(world.leaf(responder=False).chain)
    assert (verdict.status, verdict.reasons) == (UNKNOWN, (reason,))


def test_other_shard_is_unknown(world: World) -> None:
    world.publish(point=issuing_point("http://crl.test/other.crl"))
    verdict = world.verdict(world.leaf(responder=False).chain)
    assert (verdict.status, verdict.reasons) == (UNKNOWN, (Reason.SCOPE_MISMATCH,))


def test_second_url_of_a_point_is_an_alternative(world: World) -> None:
    mirror = world.web.url("/ca.crl")
    names = [x509.UniformResourceIdentifier(url) for url in ("ldap://x/", world.web.url("/gone.crl"), mirror)]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])
    leaf = world.leaf(crl=False, responder=False, extra=[(points, False)])
    verdict = world.verdict(leaf.chain)
    assert verdict.status is GOOD
    assert [each.reasons for each in verdict.evidence[:3]] == [
        (Reason.UNSUPPORTED_POINTER,),
        (Reason.HTTP_ERROR,),
        (),
    ]


def test_revoked_issuer_revokes_what_it_issued(world: World) -> None:
    world.web.put("/root.crl", world.root.crl({world.ca.certificate.serial_number: x509.ReasonFlags.ca_compromise}))
    verdict = world.verdict(world.leaf().chain)
    assert (verdict.status, verdict.reasons) == (REVOKED, (Reason.ISSUER_REVOKED,))
    assert verdict.revocation_reason == "cACompromise"


def test_unknown_issuer_keeps_good_away(world: World) -> None:
    world.web.put("/root.crl", b"", status=404)
    verdict = world.verdict(world.leaf().chain)
    assert (verdict.status, verdict.reasons) == (UNKNOWN, (Reason.ISSUER_UNKNOWN_STATUS, Reason.HTTP_ERROR))
    assert world.verdict(world.leaf().chain, judge_issuers=False).status is GOOD


def test_issuer_without_pointer_is_unknown(world: World) -> None:
    silent = world.root.intermediate("Silent CA")
    world.web.put("/silent.crl", silent.crl())
    leaf = silent.issue(crl_urls=[world.web.url("/silent.crl")])
    assert world.verdict(leaf.chain).reasons == (Reason.ISSUER_UNKNOWN_STATUS, Reason.NO_POINTER)


def test_no_pointer(world: World) -> None:
    assert world.verdict(world.leaf(crl=False, responder=False).chain).reasons == (Reason.NO_POINTER,)


def test_short_lived_without_pointer_is_soft(world: World) -> None:
    leaf = world.leaf(crl=False, responder=False, not_before=world.at - HOUR, not_after=world.at + 6 * DAY)
    verdict = world.verdict(leaf.chain)
    assert (verdict.status, verdict.reasons, verdict.is_soft) == (UNKNOWN, (Reason.SHORT_LIVED,), True)


@pytest.mark.parametrize(("days", "reason"), [(40, Reason.EXPIRED), (-3, Reason.NOT_YET_VALID)])
def test_outside_its_dates_is_never_good(world: World, days: int, reason: Reason) -> None:
    world.publish(this_update=world.at - 90 * DAY, next_update=world.at + 90 * DAY)
    verdict = world.verdict(world.leaf().chain, at=world.at + days * DAY)
    assert verdict.status is UNKNOWN and verdict.reasons[0] is reason


def test_revoked_and_expired_is_revoked(world: World) -> None:
    leaf = world.leaf()
    staple = world.ca.ocsp(leaf.certificate, "revoked")
    assert world.verdict(leaf.chain, staple=staple, at=world.at + 40 * DAY).status is REVOKED


def test_untrusted_chain_is_never_good_but_can_be_revoked(world: World) -> None:
    other = [Authority.root("Other Root").certificate]
    leaf = world.leaf()
    verdict = world.judging(anchors=other).verdict(leaf.chain, at=world.at)
    assert verdict.status is UNKNOWN and Reason.CHAIN_INCOMPLETE in verdict.reasons
    world.publish(revoked=[leaf.serial])
    assert world.judging(anchors=other).verdict(leaf.chain, at=world.at).status is REVOKED
    whole = [*leaf.chain, world.root.certificate]
    assert Reason.CHAIN_UNTRUSTED in world.judging(anchors=[]).verdict(whole, at=world.at).reasons


def test_chain_that_breaks_a_rule_is_never_good(world: World) -> None:
    long_gone = world.root.intermediate("Old CA", not_before=world.at - 9 * DAY, not_after=world.at - DAY)
    world.web.put("/old.crl", long_gone.crl())
    verdict = world.verdict(long_gone.issue(crl_urls=[world.web.url("/old.crl")]).chain)
    assert verdict.status is UNKNOWN and verdict.reasons[0] is Reason.CHAIN_INVALID
    assert "Old CA" in verdict.detail and "expired" in verdict.detail


def test_certificates_of_one_issuer_get_a_verdict_each(world: World) -> None:
    first, second = world.leaf(), world.leaf()
    world.publish(revoked=[second.serial])
    judging = world.judging()
    verdicts = [judging.verdict(each.chain, at=world.at) for each in (first, second, first)]
    assert [verdict.status for verdict in verdicts] == [GOOD, REVOKED, GOOD]
    serials = [int(verdict.evidence[0].serial, 16) for verdict in verdicts]
    assert serials == [first.serial, second.serial, first.serial]


def test_forged_certificate_is_not_taken_for_another_of_its_issuer(world: World) -> None:
    judging, leaf = world.judging(), world.leaf()
    assert judging.verdict(world.leaf().chain, at=world.at).status is GOOD
    encoded = bytearray(der(leaf.certificate))
    encoded[-1] ^= 1  # in the signature
    forged = [x509.load_der_x509_certificate(bytes(encoded)), *leaf.chain[1:]]
    verdict = judging.verdict(forged, at=world.at)
    assert verdict.status is UNKNOWN and Reason.CHAIN_INCOMPLETE in verdict.reasons
    assert verdict.reasons == world.verdict(forged).reasons


def test_anchor_among_certificates_of_one_issuer_ends_its_own_path(world: World) -> None:
    pinned = world.leaf(crl=False, responder=False)
    judging = world.judging(anchors=[world.root.certificate, pinned.certificate])
    assert judging.verdict(world.leaf().chain, at=world.at).status is GOOD
    assert judging.verdict(pinned.chain, at=world.at).reasons == (Reason.NO_POINTER,)


def test_name_that_the_issuer_may_not_vouch_for_is_found_behind_one_that_it_may(world: World) -> None:
    permitted = x509.NameConstraints([x509.DNSName("inside.example")], None)
    world.ca = world.root.intermediate("Bound CA", crl_urls=[world.root_crl], extra=[(permitted, True)])
    world.publish()
    judging = world.judging()
    assert judging.verdict(world.leaf(names=["a.inside.example"]).chain, at=world.at).status is GOOD
    outside = judging.verdict(world.leaf(names=["outside.example"]).chain, at=world.at)
    assert outside.status is UNKNOWN and outside.reasons[0] is Reason.CHAIN_INVALID


def test_missing_issuer_is_fetched_and_verified(world: World) -> None:
    leaf = world.leaf(ca_issuers_urls=[world.ca_url])
    assert world.verdict([leaf.certificate]).status is GOOD
    world.web.put("/ca.crt", der(world.root.intermediate().certificate))
    assert world.verdict([leaf.certificate]).reasons == (Reason.CHAIN_INCOMPLETE, Reason.NO_POINTER)


def test_good_staple_does_not_hide_a_revocation(world: World) -> None:
    leaf = world.leaf()
    world.publish(revoked=[leaf.serial])
    assert world.verdict(leaf.chain, staple=world.ca.ocsp(leaf.certificate)).status is REVOKED


def test_good_staple_counts_where_nobody_else_answers(world: World) -> None:
    world.web.put("/ca.crl", b"", status=503)
    leaf = world.leaf(responder=False)
    assert world.verdict(leaf.chain, staple=world.ca.ocsp(leaf.certificate)).status is GOOD


def test_revoked_staple_is_enough(world: World) -> None:
    leaf = world.leaf()
    assert world.verdict(leaf.chain, staple=world.ca.ocsp(leaf.certificate, "revoked")).status is REVOKED
    assert world.web.count("/ca.crl") == 0


def test_crl_is_fetched_once_for_many_certificates_at_the_same_time(world: World) -> None:
    chains = [world.leaf().chain for _time in range(40)]
    judging = world.judging()
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda chain: judging.verdict(chain, at=world.at), chains))
    assert {verdict.status for verdict in verdicts} == {GOOD}
    assert (world.web.count("/ca.crl"), world.web.count("/root.crl")) == (1, 1)


def test_what_is_down_is_asked_once(world: World) -> None:
    world.web.put("/ca.crl", b"", status=500)
    judging = world.judging()
    for _time in range(5):
        judging.verdict(world.leaf(responder=False).chain, at=world.at)
    assert world.web.count("/ca.crl") == 1


def test_sha1_is_asked_when_the_responder_refuses_sha256(world: World) -> None:
    def answer(request: ocsp.OCSPRequest) -> bytes:
        asked.append(request.hash_algorithm.name)
        if request.hash_algorithm.name == "sha256":
            return ocsp_error("unauthorized")
        return world.ca.ocsp(leaf.certificate, algorithm=request.hash_algorithm)

    asked: list[str] = []
    leaf = world.leaf(crl=False)
    world.web.put_ocsp("/ocsp", answer)
    assert world.verdict(leaf.chain).status is GOOD
    assert asked == ["sha256", "sha1"]


def test_expired_response_is_asked_for_once_more_past_caches(world: World) -> None:
    world.respond("good", this_update=world.at - 5 * DAY, next_update=world.at - DAY)
    assert world.verdict(world.leaf(crl=False).chain).reasons == (Reason.STALE,)
    asked = [headers.get("cache-control") for headers in world.web.headers if "cache-control" in headers]
    assert (world.web.count("/ocsp"), asked) == (2, ["no-cache"])


def test_long_responder_urls_are_posted_to(world: World) -> None:
    path = "/" + "o" * 200
    leaf = world.leaf(crl=False, ocsp_urls=[world.web.url(path)])
    world.web.put_ocsp(path, lambda request: world.ca.ocsp(leaf.certificate, algorithm=request.hash_algorithm))
    assert world.verdict(leaf.chain).status is GOOD
    assert ("POST", path) in world.web.requests


def test_delegate_without_nocheck_is_looked_up_in_its_crl(world: World) -> None:
    signer = world.ca.delegate(nocheck=False, crl_urls=[world.web.url("/ca.crl")])
    world.respond("good", signer=signer)
    assert world.verdict(world.leaf(crl=False).chain).status is GOOD
    world.publish(revoked=[signer.serial])
    assert world.verdict(world.leaf(crl=False).chain).reasons == (Reason.RESPONDER_REVOKED,)
    world.respond("good", signer=world.ca.delegate(nocheck=False))
    assert world.verdict(world.leaf(crl=False).chain).reasons == (Reason.RESPONDER_STATUS_UNKNOWN,)


def test_given_information_is_enough_without_network(world: World) -> None:
    leaf = world.leaf()
    crls = (("ca.crl", world.web.replies["/ca.crl"].body), ("root.crl", world.root.crl()))
    verdict = world.judging(given=Given(crls=crls), fetch=False).verdict(leaf.chain, at=world.at)
    assert verdict.status is GOOD and world.web.requests == []


def test_given_response_about_the_certificate(world: World) -> None:
    leaf, other = world.leaf(), world.leaf()
    responses = (
        ("other.der", world.ca.ocsp(other.certificate)),
        ("mine.der", world.ca.ocsp(leaf.certificate, "revoked")),
    )
    verdict = world.judging(given=Given(ocsp_responses=responses), fetch=False).verdict(leaf.chain, at=world.at)
    assert verdict.status is REVOKED
    assert [each.source.url for each in verdict.evidence if each.source.method == "file"] == ["mine.der"]


def test_nothing_is_asked_when_fetching_is_off(world: World) -> None:
    verdict = world.verdict(world.leaf().chain, fetch=False)
    assert Reason.NOT_ASKED in verdict.reasons and world.web.requests == []


def test_private_addresses_refused_is_unknown(world: World) -> None:
    client = HttpClient(timeout=3, allow_private=False)
    judging = Judging(http=client, policy=RevocationPolicy(), anchors=[world.root.certificate])
    verdict = judging.verdict(world.leaf().chain, at=world.at)
    assert verdict.status is UNKNOWN and Reason.ADDRESS_REFUSED in verdict.reasons and world.web.requests == []


def test_empty_chain_is_unknown(world: World) -> None:
    assert world.verdict([]).status is UNKNOWN


def test_self_signed_leaf_that_is_trusted_has_no_pointer(world: World) -> None:
    assert world.verdict([world.root.certificate]).reasons == (Reason.NO_POINTER,)


@pytest.mark.parametrize(
    ("made", "status", "reasons"),
    [
        (lambda ca, leaf: None, "absent", ()),
        (lambda ca, leaf: b"", "absent", ()),
        (lambda ca, leaf: ca.ocsp(leaf), "good", ()),
        (lambda ca, leaf: ca.ocsp(leaf, "revoked"), "revoked", (Reason.REVOKED,)),
        (lambda ca, leaf: ca.ocsp(leaf, "unknown"), "unknown", (Reason.RESPONDER_SAYS_UNKNOWN,)),
        (lambda ca, leaf: ca.ocsp(ca.issue().certificate), "invalid", (Reason.OTHER_CERTIFICATE,)),
        (lambda ca, leaf: ca.ocsp(leaf, next_update=ca.at - HOUR / 2), "invalid", (Reason.STALE,)),
        (lambda ca, leaf: b"garbage", "invalid", (Reason.UNREADABLE,)),
    ],
)
def test_staples_are_judged(world: World, made: Any, status: str, reasons: tuple[Reason, ...]) -> None:
    leaf = world.leaf()
    finding = world.judging().judge_staple(leaf.chain, made(world.ca, leaf.certificate), at=world.at)
    assert (finding.status, finding.reasons) == (status, reasons)


def test_good_staple_is_asked_for_with_the_cert_id_that_all_clients_take(world: World) -> None:
    leaf = world.leaf()
    response = ocsp.load_der_ocsp_response(world.judging().good_staple(leaf.chain, at=world.at))
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.hash_algorithm.name == "sha1"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"status": "revoked"}, "staple_not_good"),
        ({"status": "unknown"}, "staple_not_good"),
        ({"status": "good", "no_next_update": True}, "staple_not_good"),
    ],
)
def test_only_good_responses_are_stapled(world: World, how: dict[str, Any], code: str) -> None:
    world.respond(**how)
    with pytest.raises(RotationError) as caught:
        world.judging().good_staple(world.leaf().chain, at=world.at)
    assert caught.value.code == code


def test_no_staple_without_responder_or_when_it_is_down(world: World) -> None:
    for leaf, code in [
        (world.leaf(responder=False), "no_responder"),
        (world.leaf(ocsp_urls=["http://127.0.0.1:1/"]), "responder_unreachable"),
    ]:
        with pytest.raises(RotationError) as caught:
            world.judging().good_staple(leaf.chain, at=world.at)
        assert caught.value.code == code
