# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ACME issuer remembers, with many threads and processes at once."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_state import (
    FILE_NAME,
    AcmeState,
    KnownHint,
    KnownOrder,
    directory_for,
)


def remember(folder: Path, number: int) -> None:
    state = AcmeState(folder)
    for each in range(5):
        state.remember_order(
            "me", f"{number}-{each}", [f"n{number}"], KnownOrder(f"https://ca.example/{number}/{each}", "f")
        )


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=remember, args=(tmp_path, number)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    state = AcmeState(tmp_path)
    assert len(state.orders_since("me", 0.0)) == 30
    assert state.order("me", "3-4") == KnownOrder("https://ca.example/3/4", "f")


def test_many_threads_use_one_state(tmp_path: Path) -> None:
    state = AcmeState(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(
                lambda number: state.remember_order("me", str(number), ["a"], KnownOrder(f"u{number}")), range(100)
            )
        )
    assert len(state.orders_since("me", 0.0)) == 100


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    state = AcmeState(tmp_path / "state")
    state.remember_account("me", "uri", "[]")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_forgotten_orders_still_count(tmp_path: Path) -> None:
    state, before = AcmeState(tmp_path), time.time() - 1
    for csr in ("one", "two"):
        state.remember_order("me", csr, ["b", "a"], KnownOrder("u"))
        state.remember_finalized("me", csr)
        state.forget_order("me", csr)
    assert state.order("me", "one") is None
    assert len(state.orders_since("me", before)) == 2
    assert len(state.issued_since("me", ["a", "b"], before)) == 2
    assert state.issued_since("me", ["a"], before) == []
    assert state.orders_since("somebody else", before) == []
    assert state.orders_since("me", time.time() + 1) == []


def test_hints_and_issuers_are_kept(tmp_path: Path) -> None:
    state = AcmeState(tmp_path)
    assert state.issuers() == []
    state.remember_issuers([b"one", b"two", b"one"])
    state.remember_hint("a.b", KnownHint(time.time() + 7, 2, "{}"))
    again = AcmeState(tmp_path)
    assert sorted(again.issuers()) == [b"one", b"two"]
    kept = again.hint("a.b")
    assert kept is not None
    assert (kept.failures, kept.body) == (2, "{}")


@pytest.mark.parametrize("damage", ["garbage", "folder", "file in the way"])
def test_what_cannot_be_used_is_said(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "state"
    if damage == "file in the way":
        folder.write_text("")
    else:
        folder.mkdir()
        if damage == "garbage":
            (folder / FILE_NAME).write_bytes(b"this is no database, and it is long enough to be looked at" * 40)
        else:
            (folder / FILE_NAME).mkdir()
    with pytest.raises(RotationError) as raised:
        AcmeState(folder).remember_account("me", "uri", "[]")
    assert raised.value.code == "acme_state_failed"


def test_each_directory_url_has_a_folder_of_its_own(tmp_path: Path) -> None:
    urls = ["https://ca.example/a", "https://ca.example/b", "https://ca.example:444/a", "https://../../x"]
    folders = [directory_for(tmp_path, url) for url in urls]
    assert len(set(folders)) == 4
    assert all(folder.parent == tmp_path for folder in folders)
