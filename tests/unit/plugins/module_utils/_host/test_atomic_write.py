# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import (
    read_file,
    replace_link,
    write_file,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions


def test_mode_is_the_wanted_one_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_file(str(tmp_path / "file"), b"content", FileOptions(mode=0o644))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_link_in_place_of_the_file_is_replaced(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "file").symlink_to(victim)
    write_file(str(tmp_path / "file"), b"content", FileOptions())
    assert (victim.read_text(), (tmp_path / "file").is_symlink()) == ("untouched", False)


def test_failure_leaves_the_file_and_no_rest(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    with pytest.raises(OSError, match="folder"):
        write_file(str(tmp_path / "folder"), b"content", FileOptions())
    with pytest.raises(OSError, match="folder"):
        replace_link(str(tmp_path / "folder"), "anywhere")
    assert os.listdir(tmp_path) == ["folder"]


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="link"):
        read_file(str(tmp_path / "link"), 10)
    assert read_file(str(tmp_path / "pipe"), 10) == b""
    assert read_file(str(tmp_path / "file"), 3) == b"con"
