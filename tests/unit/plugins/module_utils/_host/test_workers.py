# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes as ``/proc`` tells them."""

from __future__ import annotations

import os
import subprocess

from ansible_collections.certops.rotation.plugins.module_utils._host.workers import children, is_called, process


def test_child_is_seen_while_it_lives() -> None:
    me = process(os.getpid())
    assert me is not None
    with subprocess.Popen(["sleep", "30"]) as child:
        seen = process(child.pid)
        assert seen in children(me)
        assert seen is not None
        assert seen.parent == os.getpid()
        assert is_called(child.pid, "sleep")
        assert not is_called(child.pid, "nginx")
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process(child.pid) is None, "a zombie is no running process"


def test_process_whose_name_has_parentheses_is_read() -> None:
    with subprocess.Popen(["sh", "-c", "printf 'a) b (1' > /proc/$$/comm; exec cat"], stdin=subprocess.PIPE) as child:
        try:
            found = process(child.pid)
            assert found is not None
            assert found.parent == os.getpid()
        finally:
            child.kill()


def test_number_nobody_has_is_no_process() -> None:
    assert process(2**22 + 1) is None
    assert not is_called(2**22 + 1, "nginx")
