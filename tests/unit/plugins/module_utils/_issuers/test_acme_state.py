# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ACME issuer remembers, with many threads and processes at once."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_state import (
    FILE_NAME,
    AcmeState,
    KnownCertificate,
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
    state.remember_certificate(known("0a", chain=(b"leaf", b"one", b"two", b"one")))
    state.remember_hint("a.b", KnownHint(time.time() + 7, 2, "{}"))
    again = AcmeState(tmp_path)
    assert sorted(again.issuers()) == [b"one", b"two"]
    kept = again.hint("a.b")
    assert kept is not None
    assert (kept.failures, kept.body) == (2, "{}")


def known(serial: str, *, account: str = "me", ends_in: float = 86400, chain: tuple[bytes, ...] = ()) -> Any:
    return KnownCertificate(
        account, serial, f"key of {serial}", time.time() + ends_in, chain or (f"leaf {serial}".encode(), b"one", b"two")
    )


def test_certificates_are_found_with_their_chains(tmp_path: Path) -> None:
    state = AcmeState(tmp_path / "state")
    assert state.certificates(serial="0a") == [] and not (tmp_path / "state").exists()
    first, second, renewed = known("0a"), known("0b", chain=(b"leaf 0b", b"two", b"three")), known("0c")
    for one in (first, second, renewed, first):
        state.remember_certificate(one)
    again = AcmeState(tmp_path / "state")
    assert again.certificates(serial="0a") == [first]
    assert again.certificates(spki_sha256="key of 0b") == [second]
    assert again.certificates(serial="0d") == [] == again.certificates(spki_sha256="0b")


def test_what_expired_goes_and_no_more_than_so_many_stay(tmp_path: Path) -> None:
    state = AcmeState(tmp_path)
    state.remember_certificate(known("0a", ends_in=-31 * 86400))
    assert state.certificates(serial="0a") == []
    state.remember_certificate(known("0b", ends_in=-86400))
    assert len(state.certificates(serial="0b")) == 1
    for number in range(5):
        state.remember_certificate(known(f"1{number}", ends_in=100 + number), most=3)
    kept = [serial for serial in ("0b", *(f"1{number}" for number in range(5))) if state.certificates(serial=serial)]
    assert kept == ["12", "13", "14"]


def write_forever(folder: Path) -> None:
    state, number = AcmeState(folder), 0
    while True:
        number += 1
        serial = f"{number:04x}"
        state.remember_certificate(known(serial, chain=(serial.encode(), f"above {serial}".encode())))
        time.sleep(0.001)  # SQLite lets in whoever asks first, which would be this process for ever


def test_a_killed_writer_leaves_whole_chains(tmp_path: Path) -> None:
    """Killed at five different moments of its work; what can be found has all that belongs to it."""
    context = multiprocessing.get_context("fork")
    for round_number in range(5):
        folder = tmp_path / str(round_number)
        writer = context.Process(target=write_forever, args=(folder,))
        writer.start()
        end = time.monotonic() + 20
        state = AcmeState(folder)
        while not state.certificates(serial=f"{10 + round_number:04x}") and time.monotonic() < end:
            time.sleep(0.001 * round_number)
        writer.kill()
        writer.join(20)
        chains = [found.chain for number in range(1, 11) for found in state.certificates(serial=f"{number:04x}")]
        assert chains == [(f"{n:04x}".encode(), f"above {n:04x}".encode()) for n in range(1, 11)]
        state.remember_certificate(known("0a"))
        assert state.certificates(serial="0a")


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
