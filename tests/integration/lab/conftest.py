# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts: these tests run inside a lab, and are not there outside of one.

    python3 tests/lab/lab.py with --name NAME --hosts 12 -- build/venv/dev/bin/pytest tests/integration/lab

The hosts are shared by all tests. Each test makes its hosts need a new certificate and ends with all of them settled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible_collections.certops.rotation.tests.support.lab_world import LAB_INVENTORY, LabWorld

HOSTS = 12
# Small enough to be filled at once. It must be there before the first release is.
SMALL_DISK = "mkdir -p /etc/certops && mount -t tmpfs -o size=512k,mode=755 tmpfs /etc/certops"

collect_ignore_glob = [] if os.environ.get(LAB_INVENTORY) else ["test_*.py"]


@pytest.fixture(scope="session")
def world() -> Iterator[LabWorld]:
    with LabWorld() as made:
        if len(made.hosts) < HOSTS:
            pytest.exit(f"these tests need a lab of {HOSTS} hosts", returncode=1)
        made.create_ca("-e", '{"internal_ca_allowed_names": ["lab.test"]}')
        made.on("web03", SMALL_DISK)
        made.first_certificates()
        yield made


@pytest.fixture(scope="session")
def hosts(world: LabWorld) -> list[str]:
    return sorted(world.hosts)[:HOSTS]
