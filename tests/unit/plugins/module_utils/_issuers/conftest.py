# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CAs for the tests of this folder. Their web server is the loopback publisher."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.internal_ca import TestCa, make_ca
from ansible_collections.certops.rotation.tests.support.publisher import Publisher


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    (tmp_path / "public").mkdir()
    with Publisher(tmp_path / "public") as running:
        yield running


@pytest.fixture
def ca(tmp_path: Path, publisher: Publisher) -> TestCa:
    return make_ca(tmp_path, publisher.url)
