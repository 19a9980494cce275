# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No part of a private key is in output, log, diff, report, temporary files, process list, or at the CA."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.client import Sampler
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.witness import Leak

pytestmark = pytest.mark.each_core


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Short: ansible-core 2.21 has a socket there, whose path must fit into 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="leak-") as place:
        yield Path(place)


@pytest.mark.parametrize("pipelining", ["0", "1"])
def test_no_part_of_a_key_is_anywhere_but_in_its_file(shop: LocalWorld, pipelining: str, temporary: Path) -> None:
    shop.revoke("shop")
    leak = Leak()
    leak.learn(shop.pairs / "shop.key")
    log = shop.place / "ansible.log"
    with Sampler(temporary, processes=True) as sampled:
        run = shop.rotate(
            "-vvv",
            "--diff",
            ANSIBLE_PIPELINING=pipelining,
            ANSIBLE_LOG_PATH=str(log),
            ANSIBLE_LOCAL_TEMP=str(temporary / "local"),
            ANSIBLE_REMOTE_TEMP=str(temporary / "remote"),
            TMPDIR=str(temporary),
        )
    must(run)
    old_parts = len(leak)
    leak.learn(shop.live("shop") / "privkey.pem")
    assert len(leak) > old_parts > 20
    assert leak.found_in([(shop.live("shop") / "privkey.pem").read_bytes()])
    assert any(b"AnsiballZ" in text or b"ansible-playbook" in text for text in sampled.texts)
    assert leak.found_in([run.output.encode(), log.read_bytes(), *sampled.texts]) == []
    keys = {shop.live("shop") / "privkey.pem"}
    left = [
        path
        for path in [*shop.place.rglob("*"), *temporary.rglob("*")]
        if path.is_file() and path.resolve() not in keys
    ]
    assert leak.found_in(path.read_bytes() for path in left) == []
