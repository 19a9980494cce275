# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who leads and who receives, as the plan decides it: from outside, and settled with what is on the hosts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.certificate_issue import ActionModule as Issue
from ansible_collections.certops.rotation.plugins.action.rotation_plan import ActionModule as Plan
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.plugin_utils.sharing import envelope_for
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued, utc_now

ROOT = Authority.root()
LATER = utc_now() + timedelta(days=80)
OLD, NEW, OTHER = (ROOT.issue(not_after=LATER) for _number in range(3))
NAMES = list(certificate_facts(OLD.certificate).names)
CSR = {"version": "v2", "csr_pem": "a request", "spki_sha256": "5" * 64, "resumed": False}
WAITING = {"version": "v3", "csr_pem": None, "spki_sha256": None, "resumed": False, "certificate_pem": "one time"}
FAILED = {"step": "prepare", "code": "host_unreachable", "msg": "gone", "remedy": "", "facts": {}}


def spki(issued: Issued) -> str:
    return certificate_facts(issued.certificate).spki_sha256


def rotation(issued: Issued | None = OLD, status: str = "revoked", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "shop", "server_names": NAMES, "shared": "shop", "issuer": "internal", **more}
    if issued is not None:
        facts = certificate_facts(issued.certificate)
        entry = {
            "address": "192.0.2.7",
            "port": 443,
            "server_name": NAMES[0],
            "serial": facts.serial,
            "spki_sha256": facts.spki_sha256,
            "sha256": facts.sha256,
            "names": list(facts.names),
            "not_before": as_text(facts.not_before),
            "not_after": as_text(facts.not_after),
            "key_type": facts.key_type,
            "chain_pem": issued.chain_pem,
            "status": status,
            "error": None,
        }
        found.update(served=[entry], verdict={"status": status, "reasons": [], "revocation_reason": "keyCompromise"})
    return found


def good(issued: Issued = NEW, **more: Any) -> dict[str, Any]:
    return rotation(issued, "good", **more)


def live(
    issued: Issued, *, shared: str | None = "shop", state: str = "retired", has_key: bool = True
) -> dict[str, Any]:
    record = {"state": state, "request": {"shared": shared} if shared else {}, "issuer": "internal", "order": None}
    version = {
        "version": "v1",
        "spki_sha256": spki(issued),
        "has_key": has_key,
        "chain_pem": issued.chain_pem,
        "trust_pem": ROOT.pem,
        "record": record,
    }
    return {"live": "v1", "versions": [version], "keys_log": [], "paths": {}}


def plan(*rotations: dict[str, Any], **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    by_host = {f"web{number}": [one] for number, one in enumerate(rotations, 1)}
    result = run_action(Plan, {"rotations": by_host, "keep_going": True, **options})
    return result, [of_host[0] for of_host in result["rotations"].values()]


def roles(rotations: list[dict[str, Any]]) -> list[str | None]:
    return [(one.get("share") or {}).get("role") for one in rotations]


def test_first_of_those_that_are_due_leads_the_others_receive() -> None:
    _result, found = plan(rotation(), rotation(), rotation())
    assert roles(found) == ["lead", "receiver", "receiver"]
    assert {one["share"]["lead"] for one in found} == {"web1"}
    assert all("spki_sha256" not in one["share"] for one in found)


def test_who_is_not_shared_or_not_due_has_no_part() -> None:
    alone = {key: value for key, value in rotation().items() if key != "shared"}
    _result, found = plan(alone, good(OTHER), rotation(server_names=[*NAMES, "more.example.org"]))
    assert roles(found) == [None, None, "lead"]


def test_settled_the_lead_is_who_has_the_request() -> None:
    first = rotation(prepared=WAITING, installed=live(OLD, shared=None))
    second = rotation(prepared=CSR, installed=live(OLD, shared=None))
    result, found = plan(first, second, settle=True)
    assert roles(found) == ["receiver", "lead"]
    assert (result["sealing"], result["late"], result["next"]) == (["web2"], [], "due")


def test_lead_that_is_lost_is_replaced_and_the_next_makes_its_key_late() -> None:
    lost = rotation(error=FAILED)
    others = [rotation(prepared=WAITING, installed=live(OLD, shared=None)) for _number in range(2)]
    result, found = plan(lost, *others, settle=True)
    assert roles(found) == [None, "lead", "receiver"]
    assert "prepared" not in found[1] and found[2]["prepared"] == WAITING
    assert (result["sealing"], result["late"], result["next"]) == (["web2"], ["web2"], "due_late")


@pytest.mark.parametrize("state", ["retired", "installed", "served"])
def test_good_live_key_of_the_group_is_taken_over(state: str) -> None:
    """Also from a host where the last run was killed. It has only its key to seal."""
    installed = live(NEW, state=state)
    installed["versions"][0]["record"]["supersedes"] = {"serial": "0a", "compromised": True, "spki_sha256": spki(OLD)}
    outside, seen = plan(rotation(), good())
    assert seen[0]["share"] == {"group": "shop", "role": "receiver", "lead": "web2", "spki_sha256": spki(NEW)}
    result, found = plan({**seen[0], "prepared": WAITING}, {**seen[1], "installed": installed}, settle=True)
    assert roles(found) == ["receiver", "lead"]
    assert found[1]["share"]["is_live"] is True
    assert (result["sealing"], result["late"]) == (["web2"], [])
    assert result["due"] == result["concerned"] == ["web1", "web2"]
    assert outside["sealing"] == ["web2"]


def test_live_key_that_waits_for_its_reload_is_taken_over() -> None:
    """What is served there is the revoked one still."""
    installed = live(NEW, state="installed")
    first = rotation(prepared=WAITING, installed=live(OLD, shared=None))
    result, found = plan(first, rotation(OLD, installed=installed), settle=True)
    assert [one["decision"]["action"] for one in found] == ["rotate", "repair"]
    assert roles(found) == ["receiver", "lead"] and result["sealing"] == ["web2"]


@pytest.mark.parametrize(
    "installed",
    [live(NEW, shared=None), live(NEW, shared="other"), live(NEW, has_key=False), {**live(NEW), "live": None}],
)
def test_key_that_was_not_made_for_the_group_is_nobodys_but_its_hosts(installed: dict[str, Any]) -> None:
    """The first that is due makes a new one instead, in an execution of its own."""
    first = rotation(prepared=WAITING, installed=live(OLD, shared=None))
    result, found = plan(first, good(installed=installed), settle=True)
    assert roles(found) == ["lead", None]
    assert result["late"] == ["web1"] and result["sealing"] == []


def test_key_to_be_replaced_is_not_taken_over_from_a_host_that_keeps_it() -> None:
    """For that one the revocation is not visible yet."""
    _result, outside = plan(rotation(OLD), good(OLD))
    assert roles(outside) == ["lead", None]
    _result, settled = plan(rotation(OLD, prepared=WAITING), good(OLD, installed=live(OLD)), settle=True)
    assert roles(settled) == ["lead", None]


@pytest.mark.parametrize("fault", ["denied", "expired", "revoked"])
def test_kept_is_not_taken_for_good(fault: str) -> None:
    """In an emergency about one key, others are kept whatever is wrong with them."""
    about = {"spki_sha256": [spki(OLD)], "serials": [], "certificates": [], "reason": "keyCompromise"}
    policy = {"affected": about, "deny_list": [spki(NEW)] if fault == "denied" else []}
    kept = rotation(NEW, "revoked" if fault == "revoked" else "good", installed=live(NEW))
    at = as_text(LATER + timedelta(days=1)) if fault == "expired" else as_text(utc_now())
    given = rotation(OLD, prepared=CSR, installed=live(OLD, shared=None)), kept
    result, found = plan(*given, settle=True, policy=policy, at=at)
    assert [one["decision"]["action"] for one in found] == ["rotate", "keep"]
    assert roles(found) == ["lead", None] and result["sealing"] == []
    good_one = {**policy, "deny_list": []}
    _result, found = plan(given[0], good(installed=live(NEW)), settle=True, policy=good_one)
    assert roles(found) == ["receiver", "lead"]


def test_arrived_key_needs_no_seal_and_another_one_is_given_up() -> None:
    arrived = {**WAITING, "spki_sha256": spki(NEW), "certificate_pem": None, "resumed": True}
    result, found = plan(rotation(prepared=arrived), good(installed=live(NEW)), settle=True)
    assert result["sealing"] == [] and found[0]["prepared"] == arrived
    other = {**arrived, "spki_sha256": spki(OTHER)}
    result, found = plan(rotation(prepared=other), good(installed=live(NEW)), settle=True)
    assert (result["sealing"], result["late"]) == (["web2"], ["web1"])
    assert "prepared" not in found[0]


def test_nothing_is_sealed_in_check_mode() -> None:
    by_host = {"web1": [rotation()], "web2": [rotation()]}
    assert run_action(Plan, {"rotations": by_host, "keep_going": True}, check_mode=True)["sealing"] == []


def test_group_with_a_name_has_one_certificate_and_each_host_once() -> None:
    one, other = rotation(shared="farm"), rotation(shared="farm", must_staple=True)
    _result, found = plan(one, other)
    assert [entry.get("error", {}).get("code") for entry in found] == [None, "share_differs"]
    twice = {"web1": [rotation(shared="farm"), rotation(shared="farm", name="blog")]}
    both = run_action(Plan, {"rotations": twice, "keep_going": True})["rotations"]["web1"]
    assert [entry.get("error", {}).get("code") for entry in both] == [None, "share_differs"]


def issue(*rotations: dict[str, Any]) -> list[dict[str, Any]]:
    by_host = {f"web{number}": [one] for number, one in enumerate(rotations, 1)}
    result = run_action(Issue, {"rotations": by_host, "issuers": {}, "keep_going": True})
    return [of_host[0] for of_host in result["rotations"].values()]


def part(role: str, lead: str, **more: Any) -> dict[str, Any]:
    return {"group": "shop", "role": role, "lead": lead, **more}


DUE = {"action": "rotate", "reasons": []}


def test_receivers_get_the_certificate_that_is_live_on_the_lead_without_an_order() -> None:
    lead = good(decision={"action": "keep"}, installed=live(NEW), share=part("lead", "web2", is_live=True))
    first, _lead = issue(rotation(decision=DUE, prepared=WAITING, share=part("receiver", "web2")), lead)
    assert first["issued"]["spki_sha256"] == first["prepared"]["spki_sha256"] == spki(NEW)
    assert first["issued"]["trust_pem"] == ROOT.pem and first["times"]["issued"]


def test_without_a_certificate_of_the_lead_its_receivers_fail_with_its_reason() -> None:
    lead = rotation(decision=DUE, error=FAILED, share=part("lead", "web1"))
    _lead, second = issue(lead, rotation(decision=DUE, prepared=WAITING, share=part("receiver", "web1")))
    assert second["error"]["code"] == "share_without_certificate" and "gone" in second["error"]["msg"]


def test_answers_to_challenges_are_on_all_hosts_of_the_group() -> None:
    """The CA may ask any of them."""
    challenges = [{"directory": "/srv", "token": "t", "content": "c"}]
    prepared = {**CSR, "csr_pem": None}
    lead = rotation(decision=DUE, prepared=prepared, challenges=challenges, share=part("lead", "web1"))
    _lead, second = issue(lead, rotation(decision=DUE, prepared=WAITING, share=part("receiver", "web1")))
    assert second["challenges"] == challenges and "issued" not in second


def test_envelope_is_the_one_for_this_very_version() -> None:
    receiver = rotation(host="web2", prepared=WAITING, share=part("receiver", "web1"))
    entry = {"host": "web2", "name": "shop", "version": "v3", "sealed_key_b64": "MIIB"}

    def found(*sealed: dict[str, Any]) -> str:
        return envelope_for(receiver, {"hostvars": {"web1": {"sealed": {"sealed": list(sealed)}}}}, "sealed")

    assert found({**entry, "version": "v1", "sealed_key_b64": "old"}, entry) == "MIIB"
    error = {"code": "host_unreachable", "msg": "gone", "remedy": ""}
    for nothing in ([], [{**entry, "version": "v1"}], [{**entry, "sealed_key_b64": None, "error": error}]):
        with pytest.raises(RotationError) as refused:
            found(*nothing)
        assert refused.value.code == "key_not_sealed"
