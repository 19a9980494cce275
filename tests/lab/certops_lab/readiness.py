# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is ready when ssh lets us in and nginx is active."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from certops_lab.command import succeeds
from certops_lab.errors import LabError
from certops_lab.host import Host
from certops_lab.inside import in_network
from certops_lab.process import wait_until

READY_SECONDS = 90
_QUESTION = "until systemctl -q is-active nginx.service; do sleep 0.1; done"


def wait_ready(hosts: Sequence[Host]) -> None:
    """Return when all are ready; LabError names those that are not in time."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(_becomes_ready, hosts))
    late = [host for host, ready in zip(hosts, answers, strict=True) if not ready]
    if late:
        names = " ".join(host.name for host in late)
        raise LabError(f"not ready after {READY_SECONDS} s: {names}; see {late[0].console}")


def _becomes_ready(host: Host) -> bool:
    return wait_until(lambda: host.process() is None or is_ready(host), seconds=READY_SECONDS, pause=0.1) and (
        host.process() is not None
    )


def is_ready(host: Host) -> bool:
    ssh = ["ssh", "-F", str(host.layout.ssh_config), "-o", "ControlPath=none", host.name, _QUESTION]
    return succeeds(in_network(host.layout, ssh), timeout=30)
