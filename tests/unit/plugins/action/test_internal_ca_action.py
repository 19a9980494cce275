# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action internal_ca: create, refresh, check mode, and the playbook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.internal_ca import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_settings import load_settings
from ansible_collections.certops.rotation.plugins.modules.internal_ca import ARGUMENT_SPEC
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.publisher import Publisher


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    (tmp_path / "public").mkdir()
    with Publisher(tmp_path / "public") as running:
        yield running


@pytest.fixture
def wanted(tmp_path: Path, publisher: Publisher) -> dict[str, Any]:
    return {
        "directory": str(tmp_path / "ca"),
        "base_url": publisher.url,
        "publish_directory": str(tmp_path / "public"),
    }


def test_creates_once(wanted: dict[str, Any]) -> None:
    first = run_action(ActionModule, wanted)
    assert (first["changed"], first["created"]) == (True, True)
    assert first["crls"]["intermediate"]["revoked"] == 0
    assert {one["state"] for one in first["publications"]} == {"same"}
    assert first["warnings"] == []
    assert "BEGIN CERTIFICATE" in first["root_pem"]
    second = run_action(ActionModule, wanted)
    assert (second["changed"], second["created"]) == (False, False)
    assert second["crls"] == first["crls"]
    assert second["next_refresh_due"] == first["next_refresh_due"]


def test_check_mode_makes_nothing(wanted: dict[str, Any], tmp_path: Path) -> None:
    planned = run_action(ActionModule, wanted, check_mode=True)
    assert (planned["changed"], planned["created"]) == (True, True)
    assert not (tmp_path / "ca").exists()
    assert not list((tmp_path / "public").iterdir())
    assert wanted["base_url"] in planned["diff"]["after"]


def test_check_mode_tells_what_is_due_and_leaves_it(wanted: dict[str, Any], tmp_path: Path) -> None:
    run_action(ActionModule, wanted)
    (tmp_path / "public" / "root.crl").unlink()
    planned = run_action(ActionModule, wanted, check_mode=True)
    assert planned["changed"] and planned["refreshed"]["files"] == ["root.crl"]
    assert not (tmp_path / "public" / "root.crl").exists()
    done = run_action(ActionModule, {"directory": wanted["directory"], "state": "refreshed"})
    assert done["refreshed"]["files"] == ["root.crl"]
    assert (tmp_path / "public" / "root.crl").exists()


def test_settings_that_are_not_given_stay(wanted: dict[str, Any]) -> None:
    run_action(ActionModule, {**wanted, "allowed_names": ["example.org"], "ocsp": False})
    again = run_action(ActionModule, {"directory": wanted["directory"], "leaf_days": 30})
    assert again["changed"]
    settings = load_settings(Path(wanted["directory"]))
    assert (settings.allowed_names, settings.ocsp, settings.leaf_days) == (("example.org",), False, 30)


def test_refreshing_what_is_not_there_fails(tmp_path: Path) -> None:
    result = run_action(ActionModule, {"directory": str(tmp_path / "ca"), "state": "refreshed"})
    assert result["failed"] and result["code"] == "ca_directory_missing"
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"base_url": None}, "ca_setting_missing"),
        ({"base_url": "https://x"}, "base_url_invalid"),
        ({"leaf_days": 1000}, "ca_setting_invalid"),
        ({"leaf_days": "many"}, "arguments_invalid"),
        ({"root_key_type": "dsa"}, "arguments_invalid"),
        ({"directory": "/proc/nothing/ca"}, "ca_directory_unwritable"),
    ],
)
def test_bad_input_has_a_code(wanted: dict[str, Any], change: dict[str, Any], code: str) -> None:
    result = run_action(ActionModule, {**wanted, **change})
    assert (result["failed"], result["code"]) == (True, code)


def test_unreachable_publication_is_a_warning(wanted: dict[str, Any]) -> None:
    result = run_action(ActionModule, {**wanted, "base_url": "http://127.0.0.1:9"})
    assert {one["state"] for one in result["publications"]} == {"publish_unreachable"}
    assert len(result["warnings"]) == 4


def test_passphrase_protects_keys_and_stays_out_of_the_result(wanted: dict[str, Any]) -> None:
    result = run_action(ActionModule, {**wanted, "passphrase": "open sesame"})
    assert "sesame" not in str(result)
    assert "ENCRYPTED" in (Path(wanted["directory"]) / "root.key").read_text()
    assert ARGUMENT_SPEC["passphrase"] == {"type": "str", "no_log": True}


def test_playbook_creates_then_refreshes(wanted: dict[str, Any], tmp_path: Path) -> None:
    inventory = playbook.write_inventory(tmp_path / "inventory.json", {}, {})
    extra = [f"-einternal_ca_{name}={value}" for name, value in wanted.items()]
    first = playbook.run("certops.rotation.internal_ca", inventory, extra, cwd=tmp_path)
    assert first.returncode == 0, first.output
    assert first.changed == {"localhost": 1}
    second = playbook.run(
        "certops.rotation.internal_ca",
        inventory,
        [extra[0], "-einternal_ca_state=refreshed"],
        cwd=tmp_path,
    )
    assert second.returncode == 0, second.output
    assert second.changed == {"localhost": 0}
