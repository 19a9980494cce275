# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was told, on disk."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_news import Told
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_state import StateFile, default_state_path

TOLD = Told(
    told={"revoked web1 a": {"at": "2026-11-21T12:00:00Z", "seen": "2026-11-21T12:00:00Z"}},
    unknown={"web2 b": {"polls": 2, "since": "2026-11-21T12:00:00Z"}},
)


def test_what_is_written_is_read_and_nobody_else_can(tmp_path: Path) -> None:
    path = tmp_path / "state" / "events.json"
    state = StateFile(str(path))
    assert state.read() == Told()
    state.write(TOLD)
    assert StateFile(str(path)).read() == TOLD
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["events.json"]


def test_what_has_not_changed_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    StateFile(str(path)).write(TOLD)
    state, before = StateFile(str(path)), path.stat().st_ino
    state.read()
    state.write(TOLD)
    assert path.stat().st_ino == before
    state.write(Told())
    assert path.stat().st_ino != before


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format": "another", "told": {}, "unknown": {}}', b'{"format": "certops-events-1"}', b"\xff",
     b'{"format": "certops-events-1", "told": {"x": {"at": "soon", "seen": "later"}}, "unknown": {}}'],
)  # fmt: skip
def test_damaged_file_is_begun_anew_with_a_word(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with caplog.at_level(logging.ERROR):
        state = StateFile(str(path))
        assert state.read() == Told()
    assert "damaged" in caplog.text
    state.write(TOLD)
    assert StateFile(str(path)).read() == TOLD


def test_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    state = StateFile(str(folder / "events.json"))
    with pytest.raises(RotationError, match="others may write to it") as raised, state.alone():
        pass
    assert raised.value.code == "state_refused" and raised.value.remedy
    for use in (state.read, lambda: state.write(TOLD)):
        with pytest.raises(RotationError, match="others may write to it"):
            use()


def test_default_is_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_state_path() == str(tmp_path / "certops" / "events.json")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_state_path() == str(tmp_path / ".local" / "state" / "certops" / "events.json")
