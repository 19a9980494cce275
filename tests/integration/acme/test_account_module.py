# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module acme_account, with a real ACME server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.acme_account import ActionModule
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.internal_ca import make_ca
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")


def account(pebble: Pebble, state: str = "present", *, check_mode: bool = False, **entry: Any) -> dict[str, Any]:
    arguments = {"issuers": {"pebble": pebble.issuer(**entry)}, "issuer": "pebble", "state": state}
    result = run_action(ActionModule, arguments, check_mode=check_mode)
    assert not result.get("failed"), result
    return result


def test_an_account_is_made_once_and_its_contact_follows(pebble: Pebble) -> None:
    planned = account(pebble, check_mode=True)
    assert (planned["changed"], planned["uri"], Path(planned["key_path"]).exists()) == (True, None, False)
    made = account(pebble)
    assert made["changed"]
    assert made["uri"].startswith("https://127.0.0.1")
    assert Path(made["key_path"]).stat().st_mode & 0o777 == 0o600
    assert account(pebble) == {**made, "changed": False}
    assert account(pebble, check_mode=True) == {**made, "changed": False}
    assert account(pebble, contact=["a@example.org"])["changed"]
    assert not account(pebble, contact=["a@example.org"])["changed"]


def test_a_new_key_and_the_end(pebble: Pebble) -> None:
    first = account(pebble)
    assert account(pebble, "new_key", check_mode=True) == {**first, "changed": True}
    second = account(pebble, "new_key")
    assert (second["changed"], second["uri"]) == (True, first["uri"])
    assert second["thumbprint"] != first["thumbprint"]
    assert account(pebble) == {**second, "changed": False}
    assert account(pebble, "deactivated")["uri"] is None


def test_a_given_key_is_not_replaced(pebble: Pebble, tmp_path: Path) -> None:
    made = account(pebble)
    content = Path(made["key_path"]).read_text()
    entry: dict[str, Any] = {"account_key_content": content, "state_dir": str(tmp_path / "other")}
    assert account(pebble, **entry) == {**made, "changed": False, "key_path": None}
    arguments = {"issuers": {"pebble": pebble.issuer(**entry)}, "issuer": "pebble", "state": "new_key"}
    refused = run_action(ActionModule, arguments)
    assert refused["code"] == "acme_key_not_replaceable"
    assert content.splitlines()[1] not in str(refused)


def test_only_acme_issuers_have_accounts(tmp_path: Path) -> None:
    ca = make_ca(tmp_path, "http://127.0.0.1:1", publish_check=False)
    issuers = {"internal": {"type": "internal_ca", "directory": str(ca.directory)}}
    assert run_action(ActionModule, {"issuers": issuers, "issuer": "internal"})["code"] == "issuer_invalid"
