# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking responders: which hash, which method, how often, with which nonce."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._ansible.downloads import Downloads
from ansible_collections.certops.rotation.plugins.module_utils._ansible.ocsp_sources import OcspAnswer, OcspSources
from ansible_collections.certops.rotation.plugins.module_utils._ansible.question import Question
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp_request import build_request, get_url
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Reason,
    RevocationPolicy,
    RevocationStatus,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued, ocsp_error
from cryptography import x509
from cryptography.x509 import ocsp

GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
CA = Authority.root()


@pytest.fixture
def web() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


def answers(leaf: Issued, *, random: bytes = bytes(32), nonce: bool = False) -> list[OcspAnswer]:
    sources = OcspSources(
        Downloads(HttpClient(timeout=3)),
        RevocationPolicy(nonce=nonce),
        lambda _delegate, _question: UNKNOWN,
        lambda size: random[:size],
    )
    return list(sources.answers(Question(leaf.certificate, CA.certificate, CA.at), ("sha256", "sha1")))


def test_get_where_it_fits_and_post_where_it_does_not(web: HttpServer) -> None:
    short = CA.issue(ocsp_urls=[web.url("/ocsp")])
    web.put_ocsp("/ocsp", lambda _request: CA.ocsp(short.certificate))
    long = CA.issue(ocsp_urls=[web.url("/" + "x" * 150)])
    web.put_ocsp("/" + "x" * 150, lambda _request: CA.ocsp(long.certificate))
    methods = [each.finding.evidence.source.method for leaf in (short, long) for each in answers(leaf)]
    assert methods == ["GET", "POST"] == [method for method, _path in web.requests]


def test_a_nonce_comes_from_the_callers_randomness(web: HttpServer) -> None:
    leaf = CA.issue(ocsp_urls=[web.url("/ocsp")])
    seen: list[bytes] = []

    def answer(request: ocsp.OCSPRequest) -> bytes:
        nonce = request.extensions.get_extension_for_class(x509.OCSPNonce).value
        seen.append(nonce.nonce)
        return CA.ocsp(leaf.certificate, extra=[(nonce, False)])

    web.put_ocsp("/ocsp", answer)
    (only,) = answers(leaf, nonce=True, random=b"r" * 40)
    assert only.finding.status is GOOD and seen == [b"r" * 32]


def test_no_nonce_unless_wanted(web: HttpServer) -> None:
    leaf = CA.issue(ocsp_urls=[web.url("/ocsp")])
    seen: list[int] = []

    def answer(request: ocsp.OCSPRequest) -> bytes:
        seen.append(len(request.extensions))
        return CA.ocsp(leaf.certificate)

    web.put_ocsp("/ocsp", answer)
    assert answers(leaf)[0].finding.status is GOOD and seen == [0]


@pytest.mark.parametrize(
    ("error", "hashes_asked"),
    [
        ("unauthorized", ["sha256", "sha1"]),
        ("malformed_request", ["sha256", "sha1"]),
        ("internal_error", ["sha256", "sha1"]),
        ("try_later", ["sha256"]),
        ("sig_required", ["sha256"]),
    ],
)
def test_sha1_is_tried_where_the_refusal_may_be_about_the_hash(
    web: HttpServer, error: str, hashes_asked: list[str]
) -> None:
    leaf = CA.issue(ocsp_urls=[web.url("/ocsp")])
    seen: list[str] = []

    def answer(request: ocsp.OCSPRequest) -> bytes:
        seen.append(request.hash_algorithm.name)
        return ocsp_error(error)

    web.put_ocsp("/ocsp", answer)
    found = answers(leaf)
    assert seen == hashes_asked
    assert all(each.finding.reasons == (Reason.RESPONDER_ERROR,) for each in found)
    assert all(error in each.finding.evidence.detail for each in found)


@pytest.mark.parametrize(("status", "requests"), [(400, 2), (404, 2), (403, 2), (401, 1), (429, 1), (500, 1), (503, 1)])
def test_sha1_is_tried_where_an_http_refusal_may_be_about_the_hash(web: HttpServer, status: int, requests: int) -> None:
    leaf = CA.issue(ocsp_urls=[web.url("/ocsp")])
    for algorithm in ("sha256", "sha1"):
        url = get_url(web.url("/ocsp"), build_request(leaf.certificate, CA.certificate, algorithm))
        assert url is not None
        web.put(url[len(web.url("")) :], status=status)
    found = answers(leaf)
    assert len(found) == requests == len(web.requests)
    assert {each.finding.reasons for each in found} == {(Reason.HTTP_ERROR,)}


def test_an_expired_revocation_is_not_lost_in_a_retry(web: HttpServer) -> None:
    """It stands as it is; the old way was to ask past caches, and to believe the second answer only."""
    leaf = CA.issue(ocsp_urls=[web.url("/ocsp")])
    old = CA.ocsp(
        leaf.certificate,
        "revoked",
        this_update=CA.at - 5 * DAY,
        next_update=CA.at - DAY,
        revoked_at=CA.at - 6 * DAY,
    )
    web.put_ocsp("/ocsp", lambda _request: old)
    (only,) = answers(leaf)
    assert only.finding.status is REVOKED and len(web.requests) == 1


def test_an_expired_response_is_kept_as_evidence_when_the_retry_gets_nothing(web: HttpServer) -> None:
    leaf = CA.issue(ocsp_urls=[web.url("/ocsp")])
    old = CA.ocsp(leaf.certificate, this_update=CA.at - 5 * DAY, next_update=CA.at - DAY)

    def answer(_request: ocsp.OCSPRequest) -> bytes:
        if len(web.requests) > 1:
            raise ConnectionAbortedError  # the server's thread ends, and with it the connection
        return old

    web.put_ocsp("/ocsp", answer)
    (only,) = answers(leaf)
    assert only.finding.reasons == (Reason.STALE,) and only.response == old
    assert "no-cache" in web.headers[1]["cache-control"]
