# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/architecture.svg shows the role as it is."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.documentation import picture

ROOT = Path(__file__).resolve().parents[2]
ROTATION = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## A rotation")[2].partition("\n## ")[0]
KEYS = set(re.findall(r"^(\w+):", ROTATION, re.MULTILINE))


def texts() -> set[str]:
    return {element.text or "" for element in ElementTree.parse(picture.PATH).iter("{http://www.w3.org/2000/svg}text")}


def test_picture_is_what_the_role_would_be_drawn_as() -> None:
    assert picture.PATH.read_text("utf-8") == picture.draw(), "python -m tools.documentation picture"


def test_every_task_file_that_calls_a_module_is_in_it() -> None:
    shown = " ".join(texts())
    for path in picture.TASKS.glob("*.yml"):
        if "certops.rotation." in path.read_text("utf-8").replace("name: certops.rotation.", ""):
            assert re.search(rf"\b{path.stem}\b", shown), path.name


def test_every_module_in_it_exists() -> None:
    modules = {module for step in picture.read_steps() for module in step.modules}
    assert len(modules) > 8
    assert modules <= {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert all(any(module in text.split(", ") for text in texts()) for module in modules)


def test_what_flows_is_what_a_rotation_has() -> None:
    flowing = {key for verb in picture.VERBS.values() for key in verb.adds.split(", ")}
    # The first is what a run ends with, the second what after_verify registers.
    assert flowing - KEYS <= {"report", "rolled_back"}


def test_steps_run_where_the_architecture_says() -> None:
    on_host = {step.name for step in picture.read_steps() if step.on_host}
    assert on_host == {"prepare", "install", "rollback", "sign", "retire"}


def test_task_file_that_nobody_drew_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in picture.TASKS.glob("*.yml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "new_verb.yml").write_text("- certops.rotation.key_csr:\n")
    monkeypatch.setattr(picture, "TASKS", tmp_path)
    with pytest.raises(ValueError, match="not in the picture: \\['new_verb'\\]"):
        picture.draw()
