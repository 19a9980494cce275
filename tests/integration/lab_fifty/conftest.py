# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty real hosts: these tests run inside a lab, and are not there outside of one.

    python3 tests/lab/lab.py with --hosts 50 -- build/venv/dev/bin/python -m pytest tests/integration/lab_fifty

Thirty of the hosts have one key between them: half of these a certificate of one CA, half that of another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible_collections.certops.rotation.tests.support.lab_fleet import LabFleet
from ansible_collections.certops.rotation.tests.support.lab_world import LAB_INVENTORY

HOSTS = 50

collect_ignore_glob = [] if os.environ.get(LAB_INVENTORY) else ["test_*.py"]


@pytest.fixture(scope="session")
def fleet() -> Iterator[LabFleet]:
    with LabFleet() as made:
        if len(made.hosts) < HOSTS:
            pytest.exit(f"these tests need a lab of {HOSTS} hosts", returncode=1)
        yield made
