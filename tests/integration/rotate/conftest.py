# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world around each test: a CA, its web server, and one host that is this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "each_core: what may differ between releases of ansible-core")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LocalWorld]:
    with LocalWorld(tmp_path / "world") as made:
        made.make_ca()
        yield made


@pytest.fixture
def shop(world: LocalWorld) -> LocalWorld:
    """nginx serves one certificate, made by hand, for shop.example.org; it is good, and not declared."""
    world.start_nginx([world.first_certificate("shop", ["shop.example.org"], extra=world.snippet("shop"))])
    return world
