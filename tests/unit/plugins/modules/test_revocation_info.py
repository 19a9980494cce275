# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``revocation_info`` as a playbook calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.modules import revocation_info
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued, der, issuing_point
from ansible_collections.certops.rotation.tests.support.run_main import run_main
from ansible_collections.certops.rotation.tests.support.tls_server import TlsServer, closed_port
from cryptography import x509

ROOT = Authority.root()


@pytest.fixture
def web() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


@pytest.fixture
def ca(web: HttpServer) -> Authority:
    issuing = ROOT.intermediate(crl_urls=[web.put("/root.crl", ROOT.crl())])
    web.put("/ca.crl", issuing.crl(point=issuing_point(web.url("/ca.crl"))))
    return issuing


@pytest.fixture
def leaf(ca: Authority, web: HttpServer) -> Issued:
    return ca.issue(crl_urls=[web.url("/ca.crl")])


def ask(*certificates: dict[str, Any], **options: Any) -> dict[str, Any]:
    options.setdefault("trust_anchors", ROOT.pem)
    return run_main(revocation_info, certificates=list(certificates), timeout=5, **options)


def test_good_by_content_path_and_server(leaf: Issued, tmp_path: Path) -> None:
    (tmp_path / "leaf.der").write_bytes(der(leaf.certificate))
    (tmp_path / "chain.pem").write_text(leaf.chain_pem)
    with TlsServer(leaf) as server:
        result = ask(
            {"content": leaf.chain_pem},
            {"path": str(tmp_path / "leaf.der"), "chain_path": str(tmp_path / "chain.pem")},
            {"host": "127.0.0.1", "port": server.port, "server_name": "shop.example.org"},
        )
    assert (result["changed"], result["status"]) == (False, "good")
    assert [one["verdict"]["status"] for one in result["certificates"]] == ["good"] * 3
    assert [one["staple"] and one["staple"]["status"] for one in result["certificates"]] == [None, None, "absent"]


def test_revoked_is_a_result_with_its_proof(leaf: Issued, ca: Authority, web: HttpServer) -> None:
    web.put("/ca.crl", ca.crl({leaf.serial: x509.ReasonFlags.superseded}, number=9))
    result = ask({"content": leaf.chain_pem})
    verdict = result["certificates"][0]["verdict"]
    assert "failed" not in result and result["status"] == "revoked"
    assert (verdict["reasons"], verdict["revocation_reason"]) == (["revoked"], "superseded")
    assert verdict["revoked_at"].endswith("Z")
    evidence = verdict["evidence"][0]
    assert (evidence["crl_number"], evidence["source"]["url"]) == (9, web.url("/ca.crl"))
    assert len(evidence["sha256"]) == 64


def test_stapled_revocation_is_seen(leaf: Issued, ca: Authority) -> None:
    staple = ca.ocsp(leaf.certificate, "revoked", reason=x509.ReasonFlags.key_compromise)
    with TlsServer(leaf, staple=staple) as server:
        result = ask({"host": "127.0.0.1", "port": server.port})
    assert result["status"] == "revoked"
    assert result["certificates"][0]["staple"]["revocation_reason"] == "keyCompromise"


def test_server_that_does_not_answer_is_unknown(leaf: Issued) -> None:
    result = ask({"host": "127.0.0.1", "port": closed_port()}, {"content": leaf.chain_pem})
    assert result["status"] == "unknown"
    first, second = result["certificates"]
    assert first["error"]["code"] == "connection_refused" and first["certificate"] is None
    assert (first["verdict"]["status"], second["verdict"]["status"]) == ("unknown", "good")


def test_verdict_is_reproduced_offline(leaf: Issued, ca: Authority, web: HttpServer, tmp_path: Path) -> None:
    names = []
    for name, data in [("ca.crl", ca.crl([leaf.serial], revoked_at=ca.at - DAY)), ("root.crl", ROOT.crl())]:
        (tmp_path / name).write_bytes(data)
        names.append(str(tmp_path / name))
    (tmp_path / "root.pem").write_text(ROOT.pem)
    options = {
        "crl_paths": names,
        "fetch": False,
        "trust_anchors": None,
        "trust_anchor_paths": [str(tmp_path / "root.pem")],
    }
    assert ask({"content": leaf.chain_pem}, **options)["status"] == "revoked"
    before = ask({"content": leaf.chain_pem}, at=(ca.at - 2 * DAY).isoformat(), **options)
    assert before["status"] == "unknown"
    assert web.requests == []


def test_given_response(leaf: Issued, ca: Authority, tmp_path: Path) -> None:
    (tmp_path / "response.der").write_bytes(ca.ocsp(leaf.certificate, "revoked"))
    result = ask({"content": leaf.chain_pem}, ocsp_response_paths=[str(tmp_path / "response.der")])
    assert result["status"] == "revoked"


def test_stranger_is_not_trusted(web: HttpServer) -> None:
    other = Authority.root("Other Root")
    web.put("/other.crl", other.crl())
    result = ask({"content": other.issue(crl_urls=[web.url("/other.crl")]).chain_pem})
    assert result["status"] == "unknown"
    assert "chain_incomplete" in result["certificates"][0]["verdict"]["reasons"]


def test_check_mode_says_the_same(leaf: Issued) -> None:
    result = ask({"content": leaf.chain_pem}, _ansible_check_mode=True)
    assert (result["status"], result["changed"]) == ("good", False)


@pytest.mark.parametrize(
    ("certificate", "options", "code"),
    [
        ({"path": "/nonexistent.pem"}, {}, "file_unreadable"),
        ({"content": "hello"}, {}, "not_a_certificate"),
        ({"content": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, {}, "certificate_unreadable"),
        ({"content": ROOT.pem}, {"at": "yesterday"}, "time_invalid"),
        ({"content": ROOT.pem}, {"trust_anchors": "hello"}, "not_a_certificate"),
        ({"content": ROOT.pem}, {"crl_paths": ["/nonexistent.crl"]}, "file_unreadable"),
        ({"content": ROOT.pem}, {"max_mebibytes": 0}, "limit_invalid"),
    ],
)
def test_bad_input_is_one_clear_error(certificate: dict[str, Any], options: dict[str, Any], code: str) -> None:
    result = ask(certificate, **options)
    assert result["failed"] and result["code"] == code
    assert "Traceback" not in json.dumps(result)


def test_private_key_instead_of_a_certificate_is_never_shown(tmp_path: Path) -> None:
    key = ROOT.issue().key_pem
    (tmp_path / "privkey.pem").write_text(key)
    result = ask({"path": str(tmp_path / "privkey.pem")})
    assert result["code"] == "not_a_certificate" and "a private key" in result["msg"]
    assert key.splitlines()[1] not in json.dumps(result)


@pytest.mark.parametrize(
    "certificate", [{}, {"path": "/a", "host": "b"}, {"content": "x", "chain_path": "/a", "chain_content": "y"}]
)
def test_exactly_one_way_to_name_a_certificate(certificate: dict[str, Any]) -> None:
    assert ask(certificate)["failed"]
