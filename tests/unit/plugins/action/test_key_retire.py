# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step retire: which keys go, and what is written down of how far a rotation came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.host_steps import HostSteps, rotation
from ansible_collections.certops.rotation.tests.support.host_world import everything

PROOF = {"proof": {"checked": []}, "times": {"served": "2026-11-21T01:00:00Z"}}
REVOKED = {"state": "visible", "reason": "keyCompromise"}


def state_of_live(host: HostSteps) -> str:
    return str(json.loads(host.live_file("record.json").read_text())["state"])


@pytest.mark.parametrize(
    ("revocation", "fate"),
    [
        (REVOKED, "revoked:keyCompromise"),
        ({"state": "accepted_not_published", "reason": None}, "revoked:unspecified"),
        ({"state": "skipped"}, "retired"),
    ],
)
def test_key_goes_when_its_certificate_is_done_with(host: HostSteps, revocation: dict[str, Any], fate: str) -> None:
    first, second = host.second()
    found = host.one("key_retire", {**second, **PROOF, "revocation": revocation})
    assert host.keys() == [second["prepared"]["version"]]
    assert found["retirement"]["destroyed"] == [first["prepared"]["spki_sha256"]]
    assert found["times"]["retired"] and found["retirement"]["at"]
    assert host.fates()[-1] == (first["prepared"]["spki_sha256"][:6], fate)
    assert state_of_live(host) == "retired"
    assert host.step("key_retire", {**second, **PROOF, "revocation": revocation})["changed"] is False


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, "served"),
        ({"revocation": {"state": "revoked"}, "error": {"step": "revoke", "code": "x", "msg": "x"}}, "revoked"),
        ({"revocation": {}, "error": {"step": "revoke", "code": "ca_refused", "msg": "no"}}, "served"),
    ],
)
def test_key_stays_as_long_as_its_certificate_is_not(host: HostSteps, more: dict[str, Any], state: str) -> None:
    _first, second = host.second()
    found = host.one("key_retire", {**second, **PROOF, **more})
    assert len(host.keys()) == 2
    assert state_of_live(host) == state
    assert "retirement" not in found


def test_without_a_proof_nothing_is_written(host: HostSteps) -> None:
    _first, second = host.second()
    before = everything(host.root)
    host.one("key_retire", {**second, "revocation": REVOKED})
    assert everything(host.root) == before
    assert state_of_live(host) == "installed"


def test_first_certificate_is_done_with_at_once(host: HostSteps) -> None:
    first = host.installed(rotation())
    host.one("key_retire", {**first, **PROOF})
    assert state_of_live(host) == "retired"
    assert host.keys() == [first["prepared"]["version"]]


def test_check_mode_says_so_and_destroys_nothing(host: HostSteps) -> None:
    _first, second = host.second()
    before = everything(host.root)
    assert host.step("key_retire", {**second, **PROOF, "revocation": REVOKED}, check=True)["changed"] is True
    assert host.step("key_retire", {**second, "decision": {"action": "keep"}}, check=True)["changed"] is False
    assert everything(host.root) == before


def test_last_step_of_a_host_fails_for_any_step(host: HostSteps) -> None:
    error = {"step": "issue", "code": "ca_refused", "msg": "the CA says no", "remedy": "Ask it.", "facts": {}}
    result = host.step("key_retire", rotation(error=error), last=True, keep_going=True)
    assert result["failed"] is True
    assert "the CA says no (ca_refused). Ask it." in result["msg"]
    assert result["rotations"][0]["error"] == error
    assert not host.step("key_retire", rotation(error=error), keep_going=True).get("failed")
