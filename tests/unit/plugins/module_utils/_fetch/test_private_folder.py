# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of which others can make no use."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.private_folder import PrivateFolder

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def folder(tmp_path: Path) -> PrivateFolder:
    return PrivateFolder(str(tmp_path / "new" / "cache"))


def content(folder: PrivateFolder, name: str) -> bytes | None:
    with folder.reading(name) as file:
        return None if file is None else file.read()


def refusal(folder: PrivateFolder) -> str:
    with pytest.raises(RotationError) as caught:
        folder.sizes()
    assert caught.value.code == "cache_refused"
    return caught.value.message


def test_made_for_us_alone(folder: PrivateFolder) -> None:
    before = os.umask(0)
    try:
        folder.write("a", b"con", b"tent")
    finally:
        os.umask(before)
    assert content(folder, "a") == b"content" and content(folder, "b") is None
    assert [path.stat().st_mode & 0o777 for path in (folder.path, folder.path.parent)] == [0o700, 0o700]
    assert (folder.path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.path.iterdir()] == ["a"]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_folder_that_others_may_write_to_is_refused(folder: PrivateFolder, mode: int) -> None:
    folder.write("a", b"content")
    folder.path.chmod(mode)
    assert "others may write" in refusal(folder)
    with pytest.raises(RotationError):
        content(folder, "a")
    folder.path.chmod(0o755)
    assert content(folder, "a") == b"content"


@needs_root
def test_folder_of_another_user_is_refused(folder: PrivateFolder) -> None:
    folder.write("a", b"content")
    os.chown(folder.path, 12345, 12345)
    assert "another user" in refusal(folder)


@needs_root
def test_file_of_another_user_is_not_read(folder: PrivateFolder) -> None:
    folder.write("a", b"content")
    os.chown(folder.path / "a", 12345, 12345)
    assert content(folder, "a") is None


def test_link_instead_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to("elsewhere")
    assert "no folder" in refusal(PrivateFolder(str(tmp_path / "cache")))


def test_file_instead_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    assert "no folder" in refusal(PrivateFolder(str(tmp_path / "cache")))


def test_links_are_not_followed(folder: PrivateFolder, tmp_path: Path) -> None:
    folder.sizes()
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (folder.path / "a").symlink_to(victim)
    os.link(victim, folder.path / "b")
    os.mkfifo(folder.path / "c")
    (folder.path / "d").mkdir()
    assert [content(folder, name) for name in "abcd"] == [None] * 4
    for name in "abc":
        folder.write(name, b"new")
        assert content(folder, name) == b"new"
    assert victim.read_bytes() == b"mine"
    with pytest.raises(OSError):
        folder.write("d", b"new")
    assert sorted(folder.sizes()) == ["a", "b", "c", "d"]


def test_lock_that_is_a_link_locks_nothing_and_writes_nothing(folder: PrivateFolder, tmp_path: Path) -> None:
    folder.sizes()
    (folder.path / "a.lock").symlink_to(tmp_path / "victim")
    with folder.locked("a", patience=5) as alone:
        assert alone is False
    assert not (tmp_path / "victim").exists()


def test_what_a_killed_run_left_is_removed_after_an_hour(folder: PrivateFolder) -> None:
    folder.write("a", b"content")
    for name in ("a.0123.tmp", "b.lock"):
        (folder.path / name).write_bytes(b"x")
    assert list(folder.sizes()) == ["a"] and len(list(folder.path.iterdir())) == 3
    for name in ("a.0123.tmp", "b.lock", "a"):
        os.utime(folder.path / name, (time.time() - 4000, time.time() - 4000))
    assert list(folder.sizes()) == ["a"] and len(list(folder.path.iterdir())) == 1


def test_lock_is_for_one_at_a_time(folder: PrivateFolder) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with folder.locked("a", patience=20) as alone:
            assert alone
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.005)
            inside.pop()

    threads = [threading.Thread(target=work) for _number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 12 and list(folder.path.iterdir()) == []


def test_patience_ends(folder: PrivateFolder) -> None:
    started = time.monotonic()
    with folder.locked("a", patience=1), folder.locked("a", patience=0.2) as alone:
        assert alone is False
    assert time.monotonic() - started < 1
    with folder.locked("a", patience=0) as alone:
        assert alone is True


def test_full_or_read_only_disk_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        PrivateFolder("/proc/nothing/here").write("a", b"x")
