# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided while an emergency goes on: what is affected is replaced, and nothing else."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.affected import Affected, affected_from
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.plan import Decision
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_emergency import decide_affected
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued

AT = datetime(2026, 11, 21, 1, 2, 3, tzinfo=timezone.utc)
ROOT = Authority.root(at=AT)
OLD = ROOT.issue(["shop.example.org"], not_before=AT - 10 * DAY, not_after=AT + 80 * DAY)
NEW = ROOT.issue(["shop.example.org"], not_before=AT - 1 * DAY, not_after=AT + 89 * DAY)
EXPIRED = ROOT.issue(["shop.example.org"], not_before=AT - 90 * DAY, not_after=AT - 1 * DAY)
OF_KEY = Affected(spki_sha256=frozenset({certificate_facts(OLD.certificate).spki_sha256}))


def served(issued: Issued) -> dict[str, Any]:
    facts = certificate_facts(issued.certificate)
    return {
        "address": "192.0.2.7",
        "port": 443,
        "serial": facts.serial,
        "spki_sha256": facts.spki_sha256,
        "sha256": facts.sha256,
        "not_before": as_text(facts.not_before),
        "not_after": as_text(facts.not_after),
        "chain_pem": issued.chain_pem,
        "status": "unknown",
    }


def installed(issued: Issued, state: str = "retired", supersedes: Issued | None = None) -> dict[str, Any]:
    record: dict[str, Any] = {"state": state, "supersedes": None}
    if supersedes:
        facts = certificate_facts(supersedes.certificate)
        record["supersedes"] = {
            "serial": facts.serial,
            "spki_sha256": facts.spki_sha256,
            "certificate_pem": supersedes.chain_pem,
            "compromised": False,
            "revocation_reason": "superseded",
        }
    spki = certificate_facts(issued.certificate).spki_sha256
    version = {"version": "v1", "spki_sha256": spki, "chain_pem": issued.chain_pem, "record": record}
    return {"live": "v1", "versions": [version], "paths": {}}


def decided(affected: Affected, *entries: dict[str, Any], **more: Any) -> Decision:
    return decide_affected({"host": "web1", "name": "shop", "served": list(entries), **more}, affected, AT)


def facts_of(what: str) -> Affected:
    facts = certificate_facts(OLD.certificate)
    value = {"spki_sha256": facts.spki_sha256, "serials": facts.serial, "certificates": facts.sha256}[what]
    option = affected_from({what: [value.upper()]})
    assert option is not None
    return option


@pytest.mark.parametrize("what", ["spki_sha256", "serials", "certificates"])
def test_what_is_served_and_affected_is_rotated(what: str) -> None:
    decision = decided(facts_of(what), served(OLD))
    assert (decision.action, decision.compromised, decision.revocation_reason) == ("rotate", True, "keyCompromise")
    assert decision.premise == certificate_facts(OLD.certificate).spki_sha256


@pytest.mark.parametrize("other", [NEW, EXPIRED])
def test_what_is_not_affected_is_left_alone_whatever_is_wrong_with_it(other: Issued) -> None:
    decision = decided(OF_KEY, served(other), installed=installed(other), verdict={"status": "unknown"})
    assert decision.action == "keep"
    assert [reason.code for reason in decision.reasons] == ["not_affected"]


def test_affected_pair_that_is_installed_and_not_served_is_rotated_too() -> None:
    decision = decided(OF_KEY, installed=installed(OLD))
    assert decision.action == "rotate"
    assert decision.predecessor is not None and decision.predecessor["version"] == "v1"


def test_affected_pair_behind_another_certificate_is_rotated() -> None:
    assert decided(OF_KEY, served(NEW), served(OLD)).action == "rotate"


def test_replacement_of_an_earlier_run_is_finished_for_what_is_known_now() -> None:
    """It was replaced as a routine; since then its key has leaked."""
    decision = decided(OF_KEY, served(NEW), installed=installed(NEW, "served", supersedes=OLD))
    assert (decision.action, decision.compromised, decision.revocation_reason) == ("finish", True, "keyCompromise")
    assert decision.predecessor is not None
    assert decision.predecessor["serial"] == certificate_facts(OLD.certificate).serial


def test_replacement_that_was_finished_is_kept() -> None:
    assert decided(OF_KEY, served(NEW), installed=installed(NEW, "retired", supersedes=OLD)).action == "keep"


def test_unfinished_rotation_of_something_else_waits() -> None:
    assert decided(OF_KEY, served(NEW), installed=installed(NEW, "served", supersedes=EXPIRED)).action == "keep"


def test_server_that_goes_on_with_the_old_pair_is_reloaded() -> None:
    decision = decided(OF_KEY, served(OLD), installed=installed(NEW, "retired", supersedes=OLD))
    assert (decision.action, decision.compromised) == ("repair", True)
    assert decision.predecessor is not None
    assert decision.predecessor["serial"] == certificate_facts(OLD.certificate).serial


def test_reason_decides_whether_the_way_back_is_open() -> None:
    of_ca = affected_from({"certificates": [certificate_facts(OLD.certificate).sha256], "reason": "superseded"})
    assert of_ca is not None
    decision = decided(of_ca, served(OLD))
    assert (decision.compromised, decision.revocation_reason) == (False, "superseded")


@pytest.mark.parametrize("option", [{"keys": ["00"]}, {"serials": "0a1b"}])
def test_option_that_is_not_what_the_plan_returned_is_refused(option: dict[str, Any]) -> None:
    with pytest.raises(RotationError) as refused:
        affected_from(option)
    assert refused.value.code == "policy_invalid"
