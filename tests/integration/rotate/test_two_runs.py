# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs on the same host at the same time: both come to an end, and the outcome is that of one."""

from __future__ import annotations

import fcntl

from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.outcome import assert_finished, assert_whole


def test_two_runs_at_once_end_as_one(shop: LocalWorld) -> None:
    assert shop.nginx is not None
    old = shop.served("shop.example.org")
    shop.declare("shop", shop.nginx.vhosts[0])
    shop.revoke("shop")
    processes = [shop.start_rotate() for _one in range(2)]
    runs = []
    for process in processes:
        output, _nothing = process.communicate(timeout=120)
        runs.append(playbook.Run(process.returncode, output))
    assert all("Traceback" not in run.output for run in runs)
    assert 0 in {run.returncode for run in runs}
    for run in runs:
        assert run.returncode == 0 or "(locked)" in run.output or "(premise_failed)" in run.output, run.output
    assert_whole(shop, "shop", may_be=old)
    assert_finished(shop, "shop", old)
    assert must(shop.rotate()).changed == {"web1": 0}


def test_lock_that_is_held_is_waited_for_and_then_told(shop: LocalWorld) -> None:
    old = shop.served("shop.example.org")
    shop.revoke("shop")
    shop.root.mkdir()
    shop.variables["rotate_lock_timeout"] = 1
    with open(shop.root / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = shop.rotate()
    assert run.returncode == 2
    assert shop.rotation("shop")["error"]["code"] == "locked"
    assert shop.served("shop.example.org").serial == old.serial
    must(shop.rotate())
    assert_finished(shop, "shop", old)
