# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No option that sounds like a secret is silent about no_log, in any module or role."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.certops.rotation.tests.gates.secret_options import role_specs, shown_secrets, silent_options

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


@pytest.mark.parametrize("name", MODULES)
def test_module_states_no_log(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.certops.rotation.plugins.modules.{name}")
    assert list(silent_options(module.ARGUMENT_SPEC, name)) == []
    assert list(shown_secrets(module.ARGUMENT_SPEC, name)) == []


@pytest.mark.parametrize("name", ROLES)
def test_role_states_no_log(name: str) -> None:
    document = yaml.safe_load((ROOT / "roles" / name / "meta" / "argument_specs.yml").read_text("utf-8"))
    specs = dict(role_specs(document, name))
    assert specs
    for where, options in specs.items():
        assert list(silent_options(options, where)) == []
        assert list(shown_secrets(options, where)) == []


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"api_key": {"type": "str"}}, ["m.api_key"]),
        ({"KeyFile": {"type": "path"}}, ["m.KeyFile"]),
        ({"credential": {"type": "str", "aliases": ["token"]}}, ["m.credential"]),
        ({"ca": {"type": "dict", "options": {"passphrase": {"type": "str"}}}}, ["m.ca.passphrase"]),
        ({"a": {"options": {"b": {"options": {"secret": {}}}}}}, ["m.a.b.secret"]),
        ({"private_key": {"type": "path", "no_log": False}}, []),
        ({"keys": {"no_log": False, "options": {"password": {"no_log": True}}}}, []),
        ({"name": {"type": "str"}}, []),
    ],
)
def test_silent_options_are_named_at_any_depth(spec: dict[str, Any], named: list[str]) -> None:
    assert [text.partition(":")[0] for text in silent_options(spec, "m")] == named


def test_a_passphrase_declared_harmless_is_named() -> None:
    spec = {"ca": {"options": {"passphrase": {"no_log": False}}}}
    assert list(silent_options(spec, "m")) == []
    assert list(shown_secrets(spec, "m")) == ["m.ca.passphrase: a secret without no_log: true"]


def test_issuers_that_would_be_logged_are_named() -> None:
    spec = {"rotate_issuers": {"type": "dict"}, "issuers": {"type": "dict", "no_log": True}, "rotate_issuer": {}}
    assert list(shown_secrets(spec, "r")) == ["r.rotate_issuers: a secret without no_log: true"]


def test_every_entry_point_of_a_role_is_read() -> None:
    document: dict[str, Any] = {
        "argument_specs": {"main": {"options": {"token": {}}}, "detect": {"options": {"secret": {}}}}
    }
    found = [text for where, options in role_specs(document, "r") for text in silent_options(options, where)]
    assert found == ["r.main.token: no_log is not stated", "r.detect.secret: no_log is not stated"]
