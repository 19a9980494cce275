# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step validate: what must not be installed is refused before anything is touched; and staples are kept fresh."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.certificate_validate import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued
from cryptography import x509

NAMES = ["shop.example.org"]


class World:
    """A CA with a CRL and a responder, and the file by which it is trusted."""

    def __init__(self, folder: Path, web: HttpServer) -> None:
        self.root = Authority.root()
        self.root_crl = web.put("/root.crl", self.root.crl())
        self.ca = self.root.intermediate(crl_urls=[self.root_crl])
        self.web, self.anchor = web, folder / "root.pem"
        self.anchor.write_text(self.root.pem)
        self.status, self.sent = "good", b""
        self.crl = web.put("/ca.crl", self.ca.crl())
        self.ocsp = web.put_ocsp("/ocsp", lambda request: self.answer())
        self.leaf: Issued = self.issue()

    def issue(self, names: list[str] | None = None, **wanted: Any) -> Issued:
        wanted.setdefault("crl_urls", [self.crl])
        wanted.setdefault("ocsp_urls", [self.ocsp])
        self.leaf = self.ca.issue(names or NAMES, **wanted)
        return self.leaf

    def answer(self) -> bytes:
        self.sent = self.response()
        return self.sent

    def response(self, **how: Any) -> bytes:
        return self.ca.ocsp(self.leaf.certificate, self.status, **how)

    def rotation(self, **more: Any) -> dict[str, Any]:
        """The leaf, just issued for a fresh key."""
        facts = certificate_facts(self.leaf.certificate)
        issued = {"chain_pem": self.leaf.chain_pem, "serial": facts.serial, "spki_sha256": facts.spki_sha256}
        prepared = {"version": "v2", "spki_sha256": facts.spki_sha256}
        decision = {"action": "rotate"}
        return {
            "name": "shop", "server_names": NAMES, "decision": decision, "prepared": prepared, "issued": issued, **more,
        }  # fmt: skip

    def validate(self, *rotations: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given = {"web1": list(rotations or [self.rotation()])}
        arguments = {"rotations": given, "trust_anchors": [str(self.anchor)], "timeout": 2, "keep_going": True}
        return run_action(ActionModule, {**arguments, **options}, check_mode=check_mode)

    def one(self, rotation: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        (found,) = self.validate(rotation or self.rotation(), **options)["rotations"]["web1"]
        assert isinstance(found, dict)
        return found

    def refused(self, rotation: dict[str, Any] | None = None, **options: Any) -> str:
        """The code of the error; nothing was validated."""
        found = self.one(rotation, **options)
        assert "validated" not in found
        assert found["error"]["step"] == "validate"
        return str(found["error"]["code"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with HttpServer() as web:
        yield World(tmp_path, web)


def test_good_chain_is_validated_with_its_staple(world: World) -> None:
    found = world.one()
    assert found["validated"]["verdict"]["status"] == "good"
    assert base64.b64decode(found["validated"]["staple_b64"]) == world.sent
    assert found["times"]["validated"]
    assert not found.get("warnings")


def test_what_the_rotation_says_must_be_so(world: World) -> None:
    good = world.rotation()
    issued, prepared = good["issued"], good["prepared"]
    assert world.refused({**good, "server_names": ["other.example.org"]}) == "names_differ"
    assert world.refused({**good, "prepared": {**prepared, "spki_sha256": "0" * 64}}) == "key_mismatch"
    assert world.refused({**good, "predecessor": {"serial": issued["serial"]}}) == "serial_known"
    assert world.refused({**good, "predecessor": {"spki_sha256": issued["spki_sha256"]}}) == "key_known"
    assert world.refused(good, deny_list=[issued["spki_sha256"].upper()]) == "key_known"
    assert world.refused({**good, "must_staple": True}) == "must_staple_differs"


def test_chain_that_leads_nowhere_is_refused(world: World) -> None:
    good, other = world.rotation(), Authority.root("Somebody Else")
    leaf_alone = {**good["issued"], "chain_pem": world.leaf.pem}
    assert world.refused({**good, "issued": leaf_alone}) == "chain_incomplete"
    world.anchor.write_text(other.pem)
    with_its_root = {**good["issued"], "chain_pem": world.leaf.chain_pem + world.root.pem}
    assert world.refused({**good, "issued": with_its_root}) == "chain_untrusted"


@pytest.mark.parametrize(("offset", "code"), [(-400 * DAY, "chain_not_yet_valid"), (4000 * DAY, "chain_expired")])
def test_chain_is_judged_for_the_moment_given(world: World, offset: Any, code: str) -> None:
    assert world.refused(at=(world.ca.at + offset).isoformat()) == code


def test_issued_and_revoked_already_is_refused(world: World) -> None:
    world.status = "revoked"
    world.web.put("/ca.crl", world.ca.crl(revoked={world.leaf.serial: x509.ReasonFlags.superseded}))
    assert world.refused() == "issued_revoked"


def test_unknown_is_a_warning_or_an_error_but_never_good(world: World) -> None:
    world.web.put("/ca.crl", status=500)
    world.web.responders.clear()
    found = world.one()
    assert found["validated"]["verdict"]["status"] == "unknown"
    assert found["validated"]["staple_b64"] is None
    assert any("whether the new certificate is revoked is unknown" in text for text in found["warnings"])
    assert world.refused(on_unknown="fail") == "issued_unknown"


def test_must_staple_needs_a_responder_that_answers(world: World) -> None:
    world.issue(must_staple=True, ocsp_urls=[])
    assert world.refused() == "must_staple_without_responder"
    world.issue(must_staple=True)
    assert world.one(world.rotation(must_staple=True))["validated"]["staple_b64"]
    world.web.responders.clear()
    assert world.refused(world.rotation(must_staple=True)) == "staple_unavailable"


def test_way_of_stapling_says_whether_a_staple_is_needed(world: World) -> None:
    assert world.one(world.rotation(stapling="off"))["validated"]["staple_b64"] is None
    world.web.responders.clear()
    assert world.refused(world.rotation(stapling="file")) == "staple_unavailable"
    without = world.one(world.rotation(stapling="auto"))
    assert without["validated"]["staple_b64"] is None
    assert any("no staple could be fetched" in text for text in without["warnings"])
    world.issue(ocsp_urls=[])
    assert world.one()["validated"]["staple_b64"] is None
    assert world.refused(world.rotation(stapling="file")) == "staple_unavailable"


def test_failing_one_leaves_its_neighbours_alone(world: World) -> None:
    wrong = world.rotation(server_names=["other.example.org"])
    kept = {"name": "blog", "host": "web1", "decision": {"action": "keep"}}
    result = world.validate(wrong, world.rotation(), kept, keep_going=False)
    assert result["failed"] is True and result["code"] == "names_differ"
    assert [("validated" in one) for one in result["rotations"]["web1"]] == [False, True, False]
    assert result["rotations"]["web1"][2] == kept


def installed(world: World, staple: bytes | None, stapling: str = "file") -> dict[str, Any]:
    version = {
        "version": "v1",
        "record": {"stapling": stapling},
        "spki_sha256": certificate_facts(world.leaf.certificate).spki_sha256,
        "chain_pem": world.leaf.chain_pem,
        "staple_b64": base64.b64encode(staple).decode() if staple else None,
    }
    return {"name": "shop", "server_names": NAMES, "installed": {"live": "v1", "versions": [version]}}


def test_staple_file_is_fetched_anew_after_half_its_time(world: World) -> None:
    at = world.ca.at
    old = world.response(this_update=at - 3 * DAY, next_update=at + DAY)
    for staple in (None, old, b"no response"):
        fetched = world.one(installed(world, staple), staples_only=True)
        assert base64.b64decode(fetched["validated"]["staple_b64"]) == world.sent
    fresh = world.response(this_update=at - DAY, next_update=at + 3 * DAY)
    assert "validated" not in world.one(installed(world, fresh), staples_only=True)
    assert "validated" not in world.one(installed(world, old, stapling="nginx"), staples_only=True)


def test_staple_that_is_not_good_is_not_taken(world: World) -> None:
    world.status = "revoked"
    assert world.refused(installed(world, None), staples_only=True) == "staple_not_good"


def test_issuer_that_does_not_open_costs_a_warning_and_its_trust(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    issuers = {"gone": {"type": "internal_ca", "directory": str(tmp_path / "gone")}}
    assert world.one(issuers=issuers)["validated"]
    captured = capsys.readouterr()
    assert "issuer gone" in " ".join((captured.out + captured.err).split())


def test_trust_anchor_that_cannot_be_read_is_an_error_of_the_task(world: World) -> None:
    result = world.validate(trust_anchors=["/nowhere/root.pem"])
    assert (result["failed"], result["code"]) == (True, "trust_anchor_unreadable")
