# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many processes at one CA, and processes that are killed in the middle of it."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import random
import sqlite3
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers import ca_upkeep
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_directory import locked
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issued, Receipt, Revocation
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support.internal_ca import TestCa, make_ca, order
from cryptography import x509

FORKS = 50
KILLS = 20


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """Without a web server: its threads would be in the way of the forks."""
    return make_ca(tmp_path, "http://127.0.0.1:9", publish_check=False)


def issue_one(directory: str, number: int, gate: Any, results: Any) -> None:
    issuer = open_issuer("internal", {"internal": {"type": "internal_ca", "directory": directory}})
    wanted = order(f"web{number}")
    gate.wait()
    [issued] = issuer.issue([wanted])
    results.put((number, getattr(issued, "chain_pem", repr(issued))))


def integrity(ca: TestCa) -> str:
    with contextlib.closing(sqlite3.connect(ca.directory / "ca.sqlite3")) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def test_fifty_forks_issue_at_once(ca: TestCa) -> None:
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(FORKS), context.Queue()
    workers = [context.Process(target=issue_one, args=(str(ca.directory), n, gate, results)) for n in range(FORKS)]
    for worker in workers:
        worker.start()
    answers = dict(results.get(timeout=30) for _worker in workers)
    for worker in workers:
        worker.join(timeout=10)
    leaves = {number: x509.load_pem_x509_certificate(chain.encode()) for number, chain in answers.items()}
    assert len({leaf.serial_number for leaf in leaves.values()}) == FORKS
    for number, leaf in leaves.items():
        assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
            x509.DNSName
        ) == [f"web{number}.example.org"]
    with ca.open().store.reading() as records:
        stored = {record.serial for record in records.answered(at=ca.clock())}
    assert len(stored) == FORKS
    assert integrity(ca) == "ok"
    assert not ca_upkeep.what_is_due(ca.open(), at=ca.clock())


def revoke_one(directory: str, chain_pem: str, gate: Any, results: Any) -> None:
    issuer = open_issuer("internal", {"internal": {"type": "internal_ca", "directory": directory}})
    gate.wait()
    [receipt] = issuer.revoke([Revocation(chain_pem, "superseded")])
    results.put(receipt.state if isinstance(receipt, Receipt) else receipt.code)


def test_revocations_at_once_are_all_in_the_last_crl(ca: TestCa) -> None:
    issued = ca.issued([order(f"web{number}") for number in range(12)])
    number = ca.crl_number()
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(len(issued)), context.Queue()
    workers = [
        context.Process(target=revoke_one, args=(str(ca.directory), one.chain_pem, gate, results)) for one in issued
    ]
    for worker in workers:
        worker.start()
    assert {results.get(timeout=30) for _worker in workers} == {"revoked"}
    for worker in workers:
        worker.join(timeout=10)
    assert len(ca.crl()) == len(issued)
    assert ca.crl_number() >= number + len(issued)


def work_without_end(directory: str, run: int, told: Any) -> None:
    issuer = open_issuer("internal", {"internal": {"type": "internal_ca", "directory": directory}})
    for number in itertools.count():
        issued = issuer.issue([order(f"run{run}-{number}-{each}") for each in range(3)])
        chains = [one.chain_pem for one in issued if isinstance(one, Issued)]
        told.send({"issued": chains})
        [receipt] = issuer.revoke([Revocation(chains[0], "keyCompromise")])
        told.send({"revoked": chains[0], "state": getattr(receipt, "state", repr(receipt))})


def told_before_being_killed(ca: TestCa, run: int, messages: int, then: float) -> list[dict[str, Any]]:
    """What a process that issues and revokes without end had returned when it was killed."""
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=work_without_end, args=(str(ca.directory), run, sending))
    process.start()
    sending.close()
    told = [receiving.recv() for _message in range(messages)]
    time.sleep(then)
    process.kill()
    process.join(timeout=10)
    with contextlib.suppress(EOFError, OSError):
        while True:
            told.append(receiving.recv())
    receiving.close()
    return told


def test_killed_processes_lose_nothing_that_was_returned(ca: TestCa) -> None:
    chance = random.Random(20261121)
    issued: list[x509.Certificate] = []
    revoked: list[x509.Certificate] = []
    numbers = [ca.crl_number()]
    for run in range(KILLS):
        # Somewhere within a step that follows a message: the lock, the transaction, signing, publishing.
        for told in told_before_being_killed(ca, run, run % 4, chance.uniform(0.0, 0.02)):
            issued += [x509.load_pem_x509_certificate(chain.encode()) for chain in told.get("issued", ())]
            if "revoked" in told:
                assert told["state"] == "revoked"
                revoked.append(x509.load_pem_x509_certificate(told["revoked"].encode()))
        # Valid at each moment, whatever happened: whole, signed, never older than before.
        crl = ca.crl()
        assert crl.is_signature_valid(ca.open().intermediate_certificate.public_key())  # type: ignore[arg-type]
        numbers.append(ca.crl_number())
        assert {one.serial_number for one in revoked} <= {entry.serial_number for entry in crl}
    assert numbers == sorted(numbers)
    assert len(issued) >= 3 * 3 * KILLS // 4
    issuer = ca.issuer()
    assert all(issuer.issued(one) for one in issued)
    assert integrity(ca) == "ok"
    later = datetime.now(timezone.utc) + timedelta(days=3)
    assert ca_upkeep.refresh(ca.open(), at=later)
    assert not ca_upkeep.what_is_due(ca.open(), at=later)
    assert not list(ca.published.rglob(".new-*"))


def test_lock_of_a_living_process_is_waited_for_and_given_up(ca: TestCa) -> None:
    with locked(ca.directory), pytest.raises(RotationError) as caught, locked(ca.directory, seconds=0.1):
        pass
    assert caught.value.code == "ca_locked"
    with locked(ca.directory, seconds=0.1):
        pass
