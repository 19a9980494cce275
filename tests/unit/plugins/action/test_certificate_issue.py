# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action certificate_issue, with real internal CAs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.certificate_issue import ActionModule
from ansible_collections.certops.rotation.plugins.modules.certificate_issue import ARGUMENT_SPEC
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.internal_ca import TestCa, make_ca
from ansible_collections.certops.rotation.tests.support.pki import make_csr, make_key
from ansible_collections.certops.rotation.tests.support.publisher import Publisher


@pytest.fixture
def ca(tmp_path: Path) -> Iterator[TestCa]:
    (tmp_path / "public").mkdir()
    with Publisher(tmp_path / "public") as publisher:
        yield make_ca(tmp_path, publisher.url)


def rotation(name: str, **more: Any) -> dict[str, Any]:
    names = [f"{name}.example.org"]
    return {
        "name": name,
        "server_names": names,
        "issuer": "internal",
        "decision": {"action": "rotate"},
        "prepared": {"csr_pem": make_csr(names, make_key()), "version": "v1"},
        **more,
    }


def issue(ca: TestCa, rotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    check_mode = bool(more.pop("check_mode", False))
    issuers = {"internal": {"type": "internal_ca", "directory": str(ca.directory)}}
    arguments = {"rotations": rotations, "issuers": issuers, **more}
    return run_action(ActionModule, arguments, check_mode=check_mode)


def test_issues_for_all_hosts(ca: TestCa) -> None:
    result = issue(ca, {"web1": [rotation("a"), rotation("b")], "web2": [rotation("c", must_staple=True)]})
    assert result["changed"]
    assert len(result["orders"]) == 3
    issued = result["rotations"]["web2"][0]["issued"]
    assert issued["must_staple"] is True
    assert issued["chain_pem"].count("BEGIN CERTIFICATE") == issued["trust_pem"].count("BEGIN CERTIFICATE") == 2
    assert set(issued) == {
        "chain_pem", "trust_pem", "serial", "spki_sha256", "not_before", "not_after", "issuer_name",
        "ocsp_urls", "crl_urls", "must_staple", "order", "issuer",
    }  # fmt: skip
    assert all(one["times"]["issued"] for of_host in result["rotations"].values() for one in of_host)


def test_same_rotations_again_change_nothing(ca: TestCa) -> None:
    wanted = {"web1": [rotation("a")]}
    first, second = issue(ca, wanted), issue(ca, wanted)
    assert second["rotations"]["web1"][0]["issued"] == first["rotations"]["web1"][0]["issued"]
    assert (first["changed"], second["changed"]) == (True, False)


def test_rotation_without_a_decision_is_an_order_of_its_own(ca: TestCa) -> None:
    alone = rotation("a")
    del alone["decision"]
    assert issue(ca, {"web1": [alone]})["rotations"]["web1"][0]["issued"]


@pytest.mark.parametrize(
    "other",
    [
        {"decision": {"action": "keep"}},
        {"decision": {"action": "finish"}},
        {"prepared": None},
        {"error": {"step": "prepare", "code": "disk_full", "msg": "full", "remedy": "", "facts": {}}},
    ],
)
def test_others_pass_by_untouched(ca: TestCa, other: dict[str, Any]) -> None:
    wanted = {"host": "web1", **rotation("a", **other)}
    result = issue(ca, {"web1": [wanted]})
    assert result["rotations"]["web1"] == [wanted]
    assert not result["changed"] and not result.get("failed")


def test_refusal_stays_in_its_rotation(ca: TestCa) -> None:
    wrong = rotation("b", server_names=["other.example.org"])
    result = issue(ca, {"web1": [rotation("a"), wrong]}, keep_going=True)
    good, bad = result["rotations"]["web1"]
    assert "issued" in good and "error" not in good
    assert (bad["error"]["step"], bad["error"]["code"]) == ("issue", "csr_names_differ")
    assert not result.get("failed")
    assert issue(ca, {"web1": [wrong]})["failed"]


@pytest.mark.parametrize(
    ("issuer", "code"), [("nobody", "issuer_unknown"), (None, "issuer_unknown"), ("gone", "ca_directory_missing")]
)
def test_issuer_that_does_not_open_fails_its_rotations_alone(
    ca: TestCa, tmp_path: Path, issuer: str | None, code: str
) -> None:
    issuers = {
        "internal": {"type": "internal_ca", "directory": str(ca.directory)},
        "gone": {"type": "internal_ca", "directory": str(tmp_path / "gone")},
    }
    wanted = {"web1": [rotation("a", issuer=issuer), rotation("b")]}
    result = issue(ca, wanted, issuers=issuers, keep_going=True)
    bad, good = result["rotations"]["web1"]
    assert bad["error"]["code"] == code
    assert good["issued"]
    if issuer == "gone":  # what no_log keeps out of logs is still named where it is needed
        assert str(tmp_path / "gone") in bad["error"]["msg"]


def test_check_mode_orders_nothing_and_says_what_it_would(ca: TestCa) -> None:
    unprepared = rotation("a", prepared=None)
    result = issue(ca, {"web1": [unprepared]}, check_mode=True)
    assert result["changed"]
    assert result["orders"] == [{"host": "web1", "name": "a", "issuer": "internal", "server_names": ["a.example.org"]}]
    assert "issued" not in result["rotations"]["web1"][0]
    with ca.open().store.reading() as records:
        assert records.answered(at=ca.clock()) == []


def test_issuers_are_not_logged() -> None:
    assert ARGUMENT_SPEC["issuers"] == {"type": "dict", "required": True, "no_log": True}


def test_twenty_hosts_take_less_than_15_ms_each(ca: TestCa) -> None:
    wanted = {f"web{number}": [rotation("a", server_names=["a.example.org"])] for number in range(20)}
    # Of the processor, because other tests share it.
    began = time.process_time()
    result = issue(ca, wanted)
    assert (time.process_time() - began) / 20 < 0.015
    assert result["changed"]


def with_fallback(ca: TestCa, first: dict[str, Any], rotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    issuers = {
        "first": {"fallback": ["internal"], **first},
        "internal": {"type": "internal_ca", "directory": str(ca.directory)},
    }
    return run_action(ActionModule, {"rotations": rotations, "issuers": issuers, "keep_going": True, **more})


@pytest.mark.parametrize(
    "first",
    [
        {"type": "acme", "directory_url": "https://127.0.0.1:1/directory", "timeout": 1},
        {"type": "internal_ca", "directory": "/nowhere"},
    ],
)
def test_the_fallback_issues_where_the_first_is_down_and_that_is_loud(
    ca: TestCa, first: dict[str, Any], tmp_path: Path
) -> None:
    if first["type"] == "acme":
        first = {**first, "state_dir": str(tmp_path / "state")}
    [one] = with_fallback(ca, first, {"web1": [rotation("a", issuer="first")]})["rotations"]["web1"]
    assert one["issued"]["issuer"] == "internal"
    assert not one.get("error")
    assert "ISSUED BY internal because first did not" in one["warnings"][0]


def test_no_fallback_for_a_request_that_nobody_would_take(ca: TestCa) -> None:
    broken = rotation("a", issuer="first", prepared={"csr_pem": "nonsense"})
    [one] = with_fallback(ca, {"type": "internal_ca", "directory": str(ca.directory)}, {"web1": [broken]})["rotations"][
        "web1"
    ]
    assert one["error"]["code"] == "csr_invalid"


def test_where_all_fail_the_first_error_counts_and_the_others_are_told() -> None:
    first = {"type": "internal_ca", "directory": "/nowhere", "fallback": ["other"]}
    issuers = {"first": first, "other": {"type": "internal_ca", "directory": "/nowhere/either"}}
    arguments = {"rotations": {"web1": [rotation("a", issuer="first")]}, "issuers": issuers, "keep_going": True}
    [one] = run_action(ActionModule, arguments)["rotations"]["web1"]
    assert one["error"]["code"] == "ca_directory_missing"
    assert "the fallback other did not issue either" in one["warnings"][0]


def test_a_fallback_that_nobody_knows_is_an_error_at_once(ca: TestCa) -> None:
    issuers = {"internal": {"type": "internal_ca", "directory": str(ca.directory), "fallback": "nobody"}}
    arguments = {"rotations": {"web1": [rotation("a")]}, "issuers": issuers, "keep_going": True}
    [one] = run_action(ActionModule, arguments)["rotations"]["web1"]
    assert one["error"]["code"] == "issuer_unknown"
