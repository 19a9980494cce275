# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands where the control node is: in the lab's network, with the lab's names in /etc/hosts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from certops_lab.errors import LabError
from certops_lab.layout import NAMESPACES, Layout
from certops_lab.process import Process

# Set for what `exec` runs: the process that still lives outside, the lab we are in, and its inventory file.
OUTSIDE = "CERTOPS_LAB_OUTSIDE"
LAB_NAME = "CERTOPS_LAB_NAME"
INVENTORY = "CERTOPS_LAB_INVENTORY"

_BIND_HOSTS_AND_RUN = 'mount --bind "$0" /etc/hosts && exec "$@"'


def in_network(layout: Layout, command: Sequence[str]) -> list[str]:
    """The command, in the lab's network. Not `ip netns exec`, which would mount another /sys as well."""
    return ["nsenter", f"--net={NAMESPACES / layout.namespace}", *command]


def with_names(layout: Layout, command: Sequence[str]) -> list[str]:
    """The command, in the lab's network and with a private /etc/hosts.

    `slave`: what the lab mounts and unmounts later is seen in there too, nothing mounted in there gets out.
    """
    bind = ["sh", "-c", _BIND_HOSTS_AND_RUN, str(layout.control_hosts), *command]
    return in_network(layout, ["unshare", "--mount", "--propagation", "slave", *bind])


def run_inside(layout: Layout, command: Sequence[str]) -> int:
    """Run the command as the control node, with this terminal; its exit code as a shell would tell it."""
    if not layout.control_hosts.exists() or not (NAMESPACES / layout.namespace).exists():
        raise LabError(f"no lab {layout.lab!r}: bring it up first")
    # This process stays outside while the command runs: a lab.py called by the command finds its way back through it.
    ours = {OUTSIDE: str(Process.of(os.getpid())), LAB_NAME: layout.lab, INVENTORY: str(layout.inventory)}
    environment = {**os.environ, **ours}
    child = subprocess.Popen(with_names(layout, command), env=environment)
    code = _wait_passing_signals(child)
    return 128 - code if code < 0 else code


def _wait_passing_signals(child: subprocess.Popen[bytes]) -> int:
    def pass_on(number: int, _frame: object) -> None:
        child.send_signal(number)

    handled = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    handled[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the child itself
    try:
        return child.wait()
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)


def return_outside(script: Path, arguments: Sequence[str]) -> None:
    """Start this program again outside, if it was called by a command inside a lab; otherwise do nothing.

    What is mounted inside would vanish with the command, and the rootfs can only be downloaded outside.
    """
    outside = os.environ.pop(OUTSIDE, None)
    if outside is None:
        return
    process = Process.parse(outside)
    if not process.is_alive():
        raise LabError("the `lab.py exec` this was started from is gone: run it again from a fresh shell")
    enter = ["nsenter", f"--target={process.pid}", "--mount", "--net", f"--wd={os.getcwd()}"]
    os.execvp(enter[0], [*enter, sys.executable, str(script), *arguments])
