# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real ACME servers for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.acme_proxy import AcmeProxy
from ansible_collections.certops.rotation.tests.support.challenge_folder import ChallengeFolder
from ansible_collections.certops.rotation.tests.support.pebble import Pebble


@pytest.fixture
def pebble(tmp_path: Path) -> Iterator[Pebble]:
    with Pebble(tmp_path / "pebble") as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, pebble: Pebble) -> Iterator[ChallengeFolder]:
    with ChallengeFolder(tmp_path / "web", pebble.http_port) as made:
        yield made


@pytest.fixture
def proxy(pebble: Pebble) -> Iterator[AcmeProxy]:
    with AcmeProxy(pebble) as made:
        yield made
