# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the steps on a host share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.host_steps import HostSteps


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HostSteps]:
    """Whatever the steps returned and the modules printed, there was no private key in it."""
    steps = HostSteps(tmp_path)
    yield steps
    assert "PRIVATE KEY" not in json.dumps(steps.results) + "".join(steps.modules.outputs)
