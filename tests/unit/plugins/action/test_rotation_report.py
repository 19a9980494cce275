# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step report: a file for each run, and a link to the last."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.action.rotation_report import ActionModule
from ansible_collections.certops.rotation.tests.support.action import run_action

ERROR = {"step": "issue", "code": "ca_refused", "msg": "the CA says no", "remedy": "Ask it.", "facts": {}}
ROTATED = {"name": "shop", "decision": {"action": "rotate", "reasons": []}, "proof": {"checked": []}}
FAILED = {"name": "blog", "decision": {"action": "rotate", "reasons": []}, "error": ERROR}


def report(directory: Path, rotations: Any = None, **more: Any) -> dict[str, Any]:
    check_mode = bool(more.pop("check_mode", False))
    given = {"web1": [ROTATED], "web2": [FAILED]} if rotations is None else rotations
    return run_action(ActionModule, {"rotations": given, "directory": str(directory), **more}, check_mode=check_mode)


def test_each_run_has_a_folder_and_latest_is_the_last(tmp_path: Path) -> None:
    first, second = report(tmp_path / "reports"), report(tmp_path / "reports", {})
    assert first["path"] != second["path"]
    assert os.path.samefile(tmp_path / "reports" / "latest" / "report.json", second["path"])
    written = json.loads(Path(first["path"]).read_text())
    assert written == first["report"]
    assert {one["name"]: one["outcome"] for one in written["rotations"]} == {"shop": "rotated", "blog": "failed"}
    assert sorted(os.listdir(Path(first["path"]).parent)) == ["report.json"]


def test_hosts_that_failed_are_told_with_what_to_do(tmp_path: Path) -> None:
    result = report(tmp_path)
    assert result["counts"] == {"rotated": 1, "failed": 1}
    assert result["failures"] == {"web2": "blog: issue: the CA says no (ca_refused). Ask it."}
    assert result["lines"][0] == "1 failed, 1 rotated"
    assert result["lines"][-1] == f"report: {result['path']}"
    assert not result.get("failed")


def test_packed_result_leaves_the_report_to_the_file(tmp_path: Path) -> None:
    result = report(tmp_path, packed=True)
    assert "report" not in result
    assert json.loads(Path(result["path"]).read_text())["counts"] == result["counts"]


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    result = report(tmp_path / "reports", check_mode=True)
    assert result["path"] == ""
    assert result["report"]["check_mode"] is True
    assert not (tmp_path / "reports").exists()


def test_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    result = report(tmp_path / "reports")
    assert (result["failed"], result["code"]) == (True, "report_not_written")
    assert str(tmp_path / "reports") in result["msg"]
