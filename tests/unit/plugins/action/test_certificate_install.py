# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step install, its way back, and fresh staples."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.host_steps import HostSteps, rotation
from ansible_collections.certops.rotation.tests.support.host_world import everything
from cryptography import x509

OCSP = ["http://127.0.0.1:9/ocsp"]


def prepared(host: HostSteps, name: str = "shop", **wanted: Any) -> dict[str, Any]:
    return host.issued(host.one("key_csr", rotation(name)), **wanted)


def test_release_is_live_with_its_record(host: HostSteps) -> None:
    first, second = host.second(compromised=True, revocation_reason="keyCompromise")
    assert host.live() == second["prepared"]["version"] == second["installation"]["version"]
    assert second["installation"]["previous"] == first["prepared"]["version"]
    assert second["times"]["installed"]
    record = json.loads(host.live_file("record.json").read_text())
    assert (record["state"], record["serial"]) == ("installed", second["issued"]["serial"])
    assert record["supersedes"] == {
        "version": first["prepared"]["version"],
        "serial": first["issued"]["serial"],
        "spki_sha256": first["issued"]["spki_sha256"],
        "certificate_pem": second["predecessor"]["certificate_pem"],
        "chain_pem": first["issued"]["chain_pem"],
        "already_revoked": False,
        "compromised": True,
        "revocation_reason": "keyCompromise",
    }
    assert "names no OCSP responder" in host.live_file("nginx.conf").read_text()


def test_snippet_is_rendered_from_the_roles_template_or_ones_own(host: HostSteps, tmp_path: Path) -> None:
    one = {**prepared(host, ocsp_urls=OCSP), "stapling": "nginx"}
    host.one("certificate_install", one, resolvers=["192.0.2.53"])
    text = host.live_file("nginx.conf").read_text()
    assert f"ssl_trusted_certificate {host.root}/shop/live/trust.pem;" in text
    assert "resolver 192.0.2.53;" in text
    template = tmp_path / "own.j2"
    template.write_text("# {{ name }} {{ stapling }} {{ ocsp_urls | length }}\n")
    host.one("certificate_install", prepared(host, "blog"), snippet_template=str(template))
    assert host.live_file("nginx.conf", "blog").read_text() == "# blog off 0\n"


@pytest.mark.parametrize("template", ["{{ no_such_name }}", "{% if %}", None])
def test_template_that_is_none_leaves_the_host_alone(host: HostSteps, tmp_path: Path, template: str | None) -> None:
    path = tmp_path / "own.j2"
    if template is not None:
        path.write_text(template)
    due, before = prepared(host), everything(host.root)
    result = host.step("certificate_install", due, snippet_template=str(path))
    assert (result["failed"], result["code"]) == (True, "snippet_template_invalid")
    assert everything(host.root) == before


def test_certificate_at_fault_does_not_keep_its_neighbour_from_being_installed(host: HostSteps) -> None:
    good, bad = prepared(host, "shop"), prepared(host, "blog")
    bad["issued"]["chain_pem"] = good["issued"]["chain_pem"]
    result = host.step("certificate_install", bad, good, keep_going=True)
    blog, shop = result["rotations"]
    assert (blog["error"]["step"], blog["error"]["code"]) == ("install", "key_mismatch")
    assert shop["installation"]["version"] == host.live("shop")
    assert not (host.root / "blog" / "live").exists()
    assert result["changed"] is True


def test_service_at_fault_is_everybodys_error(host: HostSteps) -> None:
    shop, blog = prepared(host, "shop"), prepared(host, "blog")
    service = {"kind": "command", "test": ["false"], "reload": ["true"]}
    result = host.step("certificate_install", shop, blog, keep_going=True, service=service)
    codes = {one["error"]["code"] for one in result["rotations"]}
    assert len(codes) == 1 and codes <= {"config_test_failed", "config_broken_before"}


@pytest.mark.parametrize(
    "other",
    [
        {"decision": {"action": "keep"}},
        {"decision": {"action": "finish"}},
        {"validated": None},
        {"error": {"step": "validate", "code": "key_known", "msg": "no", "remedy": "", "facts": {}}},
    ],
)
def test_others_pass_by_without_an_execution(host: HostSteps, other: dict[str, Any]) -> None:
    given = {**prepared(host), **other}
    executed = len(host.modules.outputs)
    assert host.step("certificate_install", given)["rotations"] == [given]
    assert len(host.modules.outputs) == executed


def test_check_mode_says_what_would_be_and_asks_no_host(host: HostSteps) -> None:
    assert host.step("certificate_install", rotation(), check=True)["changed"] is True
    assert host.step("certificate_install", rotation(decision={"action": "keep"}), check=True)["changed"] is False
    assert host.modules.outputs == []


def test_repair_reloads_what_is_live(host: HostSteps, tmp_path: Path) -> None:
    installed = host.installed(rotation())
    service = {"kind": "command", "test": ["true"], "reload": ["touch", str(tmp_path / "reloaded")]}
    again = {**rotation(), "decision": {"action": "repair"}}
    found = host.one("certificate_install", again, service=service)
    assert found["installation"]["version"] == installed["prepared"]["version"]
    assert (tmp_path / "reloaded").exists()


def test_way_back_for_those_that_need_it(host: HostSteps) -> None:
    first, second = host.second()
    host.installed(rotation("blog"))
    error = {"step": "verify", "code": "not_served", "msg": "old one", "remedy": "", "facts": {}}
    needing = {**second, "error": error, "needs_rollback": True}
    result = host.step("certificate_install", needing, rotation("blog"), operation="rollback", keep_going=True)
    shop, blog = result["rotations"]
    assert host.live() == first["prepared"]["version"]
    assert (shop["needs_rollback"], shop["error"]) == (False, error)
    assert shop["rolled_back"]["version"] == first["prepared"]["version"]
    assert "rolled_back" not in blog


def test_no_way_back_to_a_compromised_key_and_the_first_error_stays(host: HostSteps) -> None:
    _first, second = host.second(compromised=True)
    error = {"step": "verify", "code": "not_served", "msg": "old one", "remedy": "", "facts": {}}
    needing = {**second, "error": error, "needs_rollback": True}
    (found,) = host.step("certificate_install", needing, operation="rollback", keep_going=True)["rotations"]
    assert host.live() == second["prepared"]["version"]
    assert found["error"] == error
    assert found["needs_rollback"] is True
    assert any("rollback_refused" in text for text in found["warnings"])


def test_fresh_staple_replaces_the_one_that_is_live(host: HostSteps) -> None:
    due = prepared(host, ocsp_urls=OCSP)
    leaf = x509.load_pem_x509_certificate(due["issued"]["chain_pem"].encode())
    old, new = host.issuing.ocsp(leaf), host.issuing.ocsp(leaf, next_update=host.issuing.at.replace(year=2999))
    due["stapling"], due["validated"]["staple_b64"] = "file", base64.b64encode(old).decode()
    host.one("certificate_install", due)
    assert host.live_file("staple.der").read_bytes() == old
    fresh = {**rotation(decision={"action": "keep"}), "validated": {"staple_b64": base64.b64encode(new).decode()}}
    host.one("certificate_install", fresh, operation="staple")
    assert host.live_file("staple.der").read_bytes() == new
    executed = len(host.modules.outputs)
    host.one("certificate_install", rotation(), operation="staple")
    assert len(host.modules.outputs) == executed
