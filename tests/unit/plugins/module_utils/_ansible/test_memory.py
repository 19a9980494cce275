# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs leave to later ones, seen in their verdicts. Each ``run`` is a Judging of its own over one folder."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging_options import (
    default_cache_directory,
    memory_from,
    system_anchors,
)
from ansible_collections.certops.rotation.plugins.module_utils._ansible.memory import Memory
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Evidence,
    Prefer,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Verdict,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer, Reply
from ansible_collections.certops.rotation.tests.support.pki import HOUR, Authority, Issued, der
from cryptography import x509
from cryptography.x509 import ocsp

GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
FRESH = {"Cache-Control": "max-age=600"}


@dataclasses.dataclass
class World:
    web: HttpServer
    directory: str
    root: Authority
    leaf: Issued

    def publish(self, number: int = 1, headers: dict[str, str] | None = None, **how: Any) -> None:
        self.web.put("/ca.crl", self.root.crl(number=number, **how), headers=headers or {})

    def respond(self, status: str) -> None:
        def answer(request: ocsp.OCSPRequest) -> bytes:
            return self.root.ocsp(self.leaf.certificate, status, algorithm=request.hash_algorithm)

        self.web.put_ocsp("/ocsp", answer, FRESH)

    def run(
        self,
        *,
        at: Any = None,
        always_ask: bool = False,
        memory: bool = True,
        given: Given | None = None,
        **policy: Any,
    ) -> Verdict:
        kept = Memory(self.directory, always_ask=always_ask) if memory else None
        judging = Judging(
            http=HttpClient(timeout=5),
            policy=RevocationPolicy(**policy),
            anchors=[self.root.certificate],
            given=given,
            memory=kept,
        )
        return judging.verdict(self.leaf.chain, at=at or self.root.at)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with HttpServer() as web:
        root = Authority.root()
        leaf = root.issue(crl_urls=[web.url("/ca.crl")], ocsp_urls=[web.url("/ocsp")])
        made = World(web, str(tmp_path / "cache"), root, leaf)
        made.publish()
        made.respond("good")
        yield made


def only(verdict: Verdict) -> Evidence:
    [evidence] = verdict.evidence
    return evidence


def test_evidence_tells_age_and_whether_it_was_kept(world: World) -> None:
    world.publish(headers=FRESH)
    first, second = only(world.run()), only(world.run(at=world.root.at + HOUR))
    assert (first.age, second.age) == (3600, 7200)
    assert (first.source.cache_hit, first.source.cache_state) == (False, None)
    assert (second.source.cache_hit, second.source.cache_state) == (True, "fresh")
    assert first.sha256 == second.sha256 and world.web.count("/ca.crl") == 1


def test_new_crl_of_a_plain_file_server_is_seen_at_once(world: World) -> None:
    assert world.run().status is GOOD
    world.publish(number=2, revoked={world.leaf.serial: x509.ReasonFlags.key_compromise})
    assert world.run().status is REVOKED


def test_silent_server_leaves_a_marked_answer_for_those_who_look_round(world: World) -> None:
    world.run()
    world.web.replies["/ca.crl"] = Reply(status=503)
    found = world.run(prefer=Prefer.CRL)
    assert found.status is GOOD and only(found).source.cache_state == "source_silent"
    assert world.run(prefer=Prefer.CRL, always_ask=True).reasons == (Reason.HTTP_ERROR,)
    assert world.run(prefer=Prefer.CRL, memory=False).reasons == (Reason.HTTP_ERROR,)


def test_always_ask_sees_what_http_would_hide(world: World) -> None:
    world.publish(headers=FRESH)
    world.run()
    world.publish(number=2, revoked={world.leaf.serial: x509.ReasonFlags.key_compromise}, headers=FRESH)
    assert world.run().status is GOOD
    assert world.run(always_ask=True).status is REVOKED
    assert world.run().status is REVOKED


@pytest.mark.parametrize("days", [-30, 3, 30])
def test_other_time_to_judge_for_poisons_nothing(world: World, days: int) -> None:
    """A CRL of then is no CRL of now, whoever asked for it first."""
    at = world.root.at + timedelta(days=days)
    then: dict[str, Any] = {"this_update": at - HOUR, "next_update": at + HOUR}
    world.publish(headers=FRESH, **then)
    world.run(at=at, prefer=Prefer.CRL)
    world.publish(headers=FRESH)
    assert only(world.run(prefer=Prefer.CRL)).source.cache_hit is False
    assert world.run(prefer=Prefer.CRL).status is GOOD


def test_max_age_asks_for_what_is_younger(world: World) -> None:
    world.publish(headers=FRESH, this_update=world.root.at - 5 * HOUR)
    world.run()
    world.publish(number=2, headers=FRESH)
    assert world.run(prefer=Prefer.CRL, max_age=2 * HOUR).status is GOOD


# --- CRL numbers ---


def test_crl_number_that_went_back_is_unknown(world: World) -> None:
    """Who keeps a revocation from us by sending the CRL from before it."""
    world.publish(number=7)
    assert world.run(prefer=Prefer.CRL).status is GOOD
    world.publish(number=6)
    for _run in range(2):
        found = world.run(prefer=Prefer.CRL)
        assert (found.status, found.reasons) == (UNKNOWN, (Reason.CRL_NUMBER_WENT_BACK,))
    world.publish(number=7)
    assert world.run(prefer=Prefer.CRL).status is GOOD


def test_what_went_back_is_not_kept(world: World) -> None:
    world.publish(number=7)
    world.run(prefer=Prefer.CRL)
    world.publish(number=6, headers=FRESH)
    world.run(prefer=Prefer.CRL)
    world.publish(number=8)
    assert only(world.run(prefer=Prefer.CRL)).crl_number == 8


def test_kept_crl_with_a_lower_number_than_another_url_gave_is_asked_for_again(world: World) -> None:
    names = [x509.UniformResourceIdentifier(world.web.url(path)) for path in ("/ca.crl", "/mirror.crl")]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])
    world.leaf = world.root.issue(extra=[(points, False)])
    world.publish(number=5, headers=FRESH)
    assert world.run().status is GOOD
    world.web.put("/mirror.crl", world.root.crl(number=6))
    other = world.root.issue(crl_urls=[world.web.url("/mirror.crl")])
    world.leaf, mine = other, world.leaf
    assert world.run().status is GOOD
    world.leaf = mine
    world.publish(number=6, headers=FRESH)
    found = world.run()
    assert found.status is GOOD and only(found).crl_number == 6 and world.web.count("/ca.crl") == 2


def test_files_may_be_as_old_as_they_are(world: World) -> None:
    world.publish(number=7)
    world.run()
    given = Given(crls=(("old.crl", world.root.crl(number=3)),))
    assert world.run(given=given, fetch=False).status is GOOD


def test_revoked_by_a_crl_that_went_back_stays_revoked(world: World) -> None:
    world.publish(number=7)
    world.run()
    world.publish(number=6, revoked={world.leaf.serial: x509.ReasonFlags.key_compromise})
    assert world.run(prefer=Prefer.CRL).status is REVOKED


# --- OCSP and issuers ---


def test_verified_ocsp_response_is_kept_and_an_unknown_one_is_not(world: World) -> None:
    world.respond("unknown")
    assert world.run(prefer=Prefer.OCSP).status is UNKNOWN
    world.respond("good")
    assert only(world.run(prefer=Prefer.OCSP)).source.cache_hit is False
    assert only(world.run(prefer=Prefer.OCSP)).source.cache_state == "fresh"


def test_answer_to_a_nonce_is_of_now(world: World) -> None:
    world.run(prefer=Prefer.OCSP)
    asked = world.web.count("/ocsp")
    for number in (1, 2):
        assert only(world.run(prefer=Prefer.OCSP, nonce=True)).source.cache_hit is False
        assert world.web.count("/ocsp") == asked + number


def test_issuer_that_was_fetched_is_kept(world: World) -> None:
    ca = world.root.intermediate(crl_urls=[world.web.url("/ca.crl")])
    world.web.put("/issuing.crt", der(ca.certificate), headers=FRESH)
    world.web.put("/issuing.crl", ca.crl())
    leaf = ca.issue(crl_urls=[world.web.url("/issuing.crl")], ca_issuers_urls=[world.web.url("/issuing.crt")])
    for _run in range(3):
        judging = Judging(
            http=HttpClient(timeout=5),
            policy=RevocationPolicy(),
            anchors=[world.root.certificate],
            memory=Memory(world.directory),
        )
        assert judging.verdict(leaf.chain[:1], at=world.root.at).status is GOOD
    assert world.web.count("/issuing.crt") == 1


# --- options ---


def test_default_place_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_directory() == f"{tmp_path}/certops/revocation"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_cache_directory() == "/home/someone/.cache/certops/revocation"


def test_empty_directory_keeps_nothing() -> None:
    assert memory_from("", timeout=5, warn=pytest.fail) is None


def test_directory_that_is_not_safe_is_warned_about_and_not_used(tmp_path: Path) -> None:
    warnings: list[str] = []
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "answers").mkdir()
    (tmp_path / "open" / "answers").chmod(0o777)
    for directory in (tmp_path / "open", Path("/proc/nothing")):
        assert memory_from(str(directory), timeout=5, warn=warnings.append) is None
    assert len(warnings) == 2 and "others may write" in warnings[0]


def test_one_root_that_cannot_be_read_does_not_take_the_others_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    roots = [Authority.root().pem for _number in range(3)]
    broken = re.sub(r"\n.{20}", "\nAAAAAAAAAAAAAAAAAAAA", roots[1], count=1)
    (tmp_path / "roots.pem").write_text("# some words\n" + roots[0] + broken + roots[2])
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    assert len(system_anchors()) == 2
