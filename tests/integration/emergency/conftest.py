# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA and hosts on loopback, for emergencies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "each_core: what may differ between releases of ansible-core")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    with LocalFleet(tmp_path / "fleet") as made:
        made.make_ca()
        yield made
