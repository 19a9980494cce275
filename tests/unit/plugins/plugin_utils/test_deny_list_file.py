# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deny list as a file: what is in it, and that nothing in it is ever lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils.deny_list_file import denied_in, deny

ONE, OTHER = "1a" * 32, "2b" * 32
_ADDS = """
import sys
from ansible_collections.certops.rotation.plugins.plugin_utils.deny_list_file import deny
for number in range(20):
    deny(sys.argv[1], [f"{int(sys.argv[2]):02x}{number:062x}"], "a note")
"""


def test_what_is_denied_stays_denied_once(tmp_path: Path) -> None:
    path = str(tmp_path / "state" / "deny_list")
    assert denied_in(path) == frozenset()
    assert deny(path, [ONE], "2026-11-21T01:02:03Z leaked") == [ONE]
    assert deny(path, [ONE, OTHER], "again") == [OTHER]
    assert denied_in(path) == {ONE, OTHER}
    assert Path(path).read_text().splitlines()[0] == f"{ONE} 2026-11-21T01:02:03Z leaked"


def test_lines_of_people_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "deny_list"
    path.write_text(f"# leaked in spring\n\n{ONE.upper()} from the old load balancer")
    deny(str(path), [OTHER], "")
    assert path.read_text().startswith(f"# leaked in spring\n\n{ONE.upper()} from the old load balancer\n{OTHER}\n")


def test_runs_side_by_side_lose_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "deny_list")
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", _ADDS, path, str(run)], env={**os.environ, "PYTHONPATH": ":".join(sys.path)}
        )
        for run in range(4)
    ]
    assert [run.wait(60) for run in runs] == [0] * 4
    assert len(denied_in(path)) == 80
    assert sorted(file.name for file in tmp_path.iterdir()) == ["deny_list", "deny_list.lock"]


def test_damaged_line_stops_instead_of_being_overlooked(tmp_path: Path) -> None:
    path = tmp_path / "deny_list"
    path.write_text(f"{ONE[:40]}\n")
    with pytest.raises(RotationError) as refused:
        denied_in(str(path))
    assert refused.value.code == "policy_invalid"


def test_link_in_its_place_is_not_followed_by_the_lock(tmp_path: Path) -> None:
    (tmp_path / "deny_list.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RotationError) as refused:
        deny(str(tmp_path / "deny_list"), [ONE], "")
    assert refused.value.code == "deny_list_not_written"
    assert not (tmp_path / "elsewhere").exists()
