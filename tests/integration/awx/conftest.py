# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet on loopback whose certificates end soon, and the templates of AWX for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.awx import Awx
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    with LocalFleet(tmp_path / "fleet") as made:
        made.make_ca(leaf_days=5)
        yield made


@pytest.fixture
def awx(fleet: LocalFleet) -> Callable[[], Awx]:
    """To be called when all hosts are there: from then on the CA issues for longer, so that nothing new is due."""

    def due() -> Awx:
        fleet.make_ca(leaf_days=47)
        fleet.variables["rotate_renew_before"] = "20d"
        return Awx(fleet)

    return due
