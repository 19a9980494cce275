# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides show can be copied: YAML is YAML, and every variable and option in it is one."""

from __future__ import annotations

import functools
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import read_config
from ansible_collections.certops.rotation.tests.support.guide_text import GUIDES, README, ROOT, Block, blocks, commands

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
OURS = re.compile(rf"\b(?:{'|'.join(ROLES)})_[a-z0-9_]+\b")
PAGES = (*GUIDES, README)
KEYS = re.compile(rf"{OURS.pattern}|\bcertops_[a-z0-9_]+\b")
YAML = [block for page in PAGES for block in blocks(page) if block.language == "yaml"]
LANDING = (ROOT / "docs" / "site" / "index.rst").read_text("utf-8")
# Words of that form which are none of our variables: playbooks, task files, fields.
NO_VARIABLES = {"emergency_drill", "rotate_all"}


@functools.cache
def specs() -> dict[str, dict[str, Any]]:
    """The options of all roles."""
    found: dict[str, dict[str, Any]] = {}
    for role in ROLES:
        spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text("utf-8"))
        for entry in spec["argument_specs"].values():
            found.update(entry.get("options", {}))
    return found


@functools.cache
def variables() -> set[str]:
    """Those, what plays read themselves because it is about hosts and batches, and what AWX and rulebooks are told."""
    plays = "".join(
        path.read_text("utf-8")
        for path in [*ROOT.glob("playbooks/*.yml"), *ROOT.glob("roles/*/vars/*.yml"), *ROOT.glob("roles/*/tasks/*.yml")]
    )
    awx = yaml.safe_load((ROOT / "extensions" / "awx" / "data" / "defaults.yml").read_text("utf-8"))
    rulebooks = "".join(path.read_text("utf-8") for path in ROOT.glob("extensions/eda/rulebooks/*.yml"))
    return {*specs(), *re.findall(r"\b([a-z]\w+) \| default\(", plays + rulebooks), *awx}


def documents(block: Block) -> list[Any]:
    # One key several times stands for alternatives: each is a document.
    parts, keys = [""], set[str]()
    for line in block.text.splitlines():
        key = re.match(r"(\w+):", line)
        if key and key[1] in keys:
            parts.append("")
            keys.clear()
        if key:
            keys.add(key[1])
        parts[-1] += f"{line}\n"
    return [yaml.safe_load(part) for part in parts]


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from mappings(one)
    elif isinstance(value, list):
        for one in value:
            yield from mappings(one)


def has_expression(value: Any) -> bool:
    return "{{" in yaml.safe_dump(value)


def name(block: Block) -> str:
    return block.where


def test_there_are_blocks_and_commands() -> None:
    assert len(YAML) > 15
    assert len(commands()) > 25


@pytest.mark.parametrize("block", YAML, ids=name)
def test_yaml_is_yaml_and_its_variables_exist(block: Block) -> None:
    for document in documents(block):
        assert isinstance(document, dict | list), block.text
        for mapping in mappings(document):
            ours = {key for key in mapping if KEYS.fullmatch(str(key))}
            assert ours <= variables(), f"{block.where}: {ours - variables()}"
            for key in ours & specs().keys():
                if not has_expression(mapping[key]):
                    checked = ArgumentSpecValidator({key: specs()[key]}).validate({key: mapping[key]})
                    assert checked.error_messages == [], block.where


def acme_entries(block: Block) -> Iterator[dict[str, Any]]:
    """Whole entries of ``rotate_issuers``, and ways to prove control that are shown alone."""
    for document in documents(block):
        for mapping in mappings(document):
            if mapping.get("type") == "acme":
                yield mapping
        if isinstance(document, dict) and document.keys() == {"challenge"}:
            yield {"type": "acme", "directory_url": "https://ca.example/directory", **document}


ACME = [(block, entry) for block in YAML for entry in acme_entries(block)]


@pytest.mark.parametrize(("block", "entry"), ACME, ids=lambda one: one.where if isinstance(one, Block) else "")
def test_acme_issuers_are_understood(block: Block, entry: dict[str, Any]) -> None:
    # A secret from the reader's vault.
    filled = yaml.safe_load(re.sub(r"'?\{\{.*?\}\}'?", "c2VjcmV0LXNlY3JldC1zZWNyZXQ", yaml.safe_dump(entry)))
    read_config(block.where, filled)


def test_acme_issuers_were_found() -> None:
    assert len(ACME) >= 8


@pytest.mark.parametrize("block", [one for one in YAML if "certops.rotation." in one.text], ids=name)
def test_modules_in_tasks_have_the_options_that_they_are_given(block: Block) -> None:
    found = 0
    for document in documents(block):
        for mapping in mappings(document):
            for key, options in mapping.items():
                module = key.removeprefix("certops.rotation.") if isinstance(key, str) else ""
                if module == key or not (ROOT / "plugins" / "modules" / f"{module}.py").is_file():
                    continue
                found += 1
                package = f"ansible_collections.certops.rotation.plugins.modules.{module}"
                known = set(importlib.import_module(package).ARGUMENT_SPEC)
                assert set(options) <= known, f"{block.where}: {set(options) - known}"
    assert found or "roles:" in block.text or "import_playbook" in block.text or "run_playbook" in block.text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_variables_named_in_a_page_exist(page: Path) -> None:
    literal = re.compile(r"``([^`]+)``|`([^`]+)`")
    named = {word for found in literal.finditer(page.read_text("utf-8")) for word in OURS.findall(found[0])}
    fields = set(re.findall(r"^\w+", yaml.safe_dump(_fields()), re.MULTILINE))
    assert named - fields - NO_VARIABLES <= variables()


def _fields() -> dict[str, None]:
    """Codes and fields that begin as a role is called."""
    texts = "".join(path.read_text("utf-8") for path in [*ROOT.glob("plugins/**/*.py"), *ROOT.glob("roles/*/tasks/*")])
    return dict.fromkeys(re.findall(r"[\"'](\w+)[\"']", texts))


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.where)
def test_variables_given_to_a_command_exist(command: Any) -> None:
    for word in OURS.findall(command.text):
        if f"certops.rotation.{word}" not in command.text:
            assert word in variables(), command.text
    assert shlex.split(command.text)


@pytest.mark.parametrize(
    "guide", sorted((ROOT / "docs" / "docsite" / "rst").glob("guide_*.rst")), ids=lambda path: path.stem
)
def test_every_guide_is_a_question_on_the_landing_page_and_in_its_menu(guide: Path) -> None:
    assert f"docsite.{guide.stem}>" in LANDING
    assert f"collection/docsite/{guide.stem}\n" in LANDING
    sections = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text("utf-8"))["sections"]
    assert guide.stem in [entry for section in sections for entry in section["toctree"]]
