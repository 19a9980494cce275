# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of lab.py: what they are called and what they take."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from certops_lab import capability, fleet, network
from certops_lab import host as hosts
from certops_lab.errors import CannotRun, LabError
from certops_lab.host import Host
from certops_lab.inside import LAB_NAME, return_outside, run_inside
from certops_lab.layout import Layout, existing_labs
from certops_lab.names import checked_name, numbered
from certops_lab.progress import Progress
from certops_lab.readiness import wait_ready
from certops_lab.rootfs import ensure_rootfs

EXIT_FAILED = 1
EXIT_CANNOT_RUN = 3
SCRIPT = Path(__file__).resolve().parent.parent / "lab.py"


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        capability.require()
        return_outside(SCRIPT, arguments)
        return COMMANDS[options.command](options, Layout(checked_name(options.name)), Progress(quiet=options.quiet))
    except CannotRun as exc:
        print(f"lab: cannot run here: {exc}", file=sys.stderr)
        return EXIT_CANNOT_RUN
    except LabError as exc:
        print(f"lab: {exc}", file=sys.stderr)
        return EXIT_FAILED


def _check(_options: argparse.Namespace, _layout: Layout, progress: Progress) -> int:
    progress.say("can run here")
    return 0


def _build(_options: argparse.Namespace, _layout: Layout, progress: Progress) -> int:
    print(ensure_rootfs(progress))
    return 0


def _up(options: argparse.Namespace, layout: Layout, progress: Progress) -> int:
    names = _wanted(options)
    with progress.step(f"lab {layout.lab} up"):
        fleet.up(layout, names, progress)
    return 0


def _wanted(options: argparse.Namespace) -> list[str]:
    names = options.host_names.split(",") if options.host_names else numbered(options.hosts)
    return [checked_name(name) for name in names]


def _down(options: argparse.Namespace, layout: Layout, progress: Progress) -> int:
    if options.hosts_only:
        fleet.remove_hosts(layout, progress)
    else:
        with progress.step(f"lab {layout.lab} down"):
            fleet.down(layout, progress)
    return 0


def _status(_options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    for each in fleet.all_hosts(layout):
        print(f"{each.name:16}{each.address.ipv4!s:16}{each.address.ipv6!s:28}{_state(layout, each)}")
    others = [name for name in existing_labs() if name != layout.lab]
    if others:
        print(f"other labs: {' '.join(others)}")
    if not layout.top.exists():
        raise LabError(f"no lab {layout.lab!r}")
    return 0


def _state(layout: Layout, host: Host) -> str:
    process = host.process()
    if process is None:
        return "off"
    return f"on, pid {process.pid}{'' if network.is_plugged(layout, host.name) else ', cut off'}"


def _inventory(options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    if not layout.inventory.exists():
        raise LabError(f"no lab {layout.lab!r}: bring it up first")
    print(layout.inventory if options.path else layout.inventory.read_text(), end="\n" if options.path else "")
    return 0


def _exec(options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    return run_inside(layout, options.argv)


def _with(options: argparse.Namespace, layout: Layout, progress: Progress) -> int:
    if layout.top.exists():
        raise LabError(f"lab {layout.lab!r} is up already: use `exec`, or another --name")
    try:
        _up(options, layout, progress)
        return run_inside(layout, options.argv)
    finally:
        fleet.down(layout, progress)


def _run(options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    return subprocess.run(hosts.run_in(fleet.find_host(layout, options.host), options.argv), check=False).returncode


def _cut(options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    network.unplug(layout, fleet.find_host(layout, options.host).name)
    return 0


def _kill_ssh(options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    hosts.stop_ssh(fleet.find_host(layout, options.host))
    return 0


def _mend(options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    host = fleet.find_host(layout, options.host)
    network.replug(layout, host.name)
    hosts.start_ssh(host)
    wait_ready([host])
    return 0


def _power_off(options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    hosts.power_off(fleet.find_host(layout, options.host), hard=options.hard)
    return 0


def _boot(options: argparse.Namespace, layout: Layout, _progress: Progress) -> int:
    host = fleet.find_host(layout, options.host)
    hosts.boot(host)
    wait_ready([host])
    return 0


COMMANDS = {
    "boot": _boot,
    "build": _build,
    "check": _check,
    "cut": _cut,
    "down": _down,
    "exec": _exec,
    "inventory": _inventory,
    "kill-ssh": _kill_ssh,
    "mend": _mend,
    "power-off": _power_off,
    "run": _run,
    "status": _status,
    "up": _up,
    "with": _with,
}


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--name", default=os.environ.get(LAB_NAME, "lab"), help="which lab (default: %(default)s)")
    common.add_argument("--quiet", action="store_true", help="no progress")
    parser = argparse.ArgumentParser(prog="lab.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    command("check", "say whether this machine can carry a lab; exit code 3 and one line why if not")
    command("build", "build the rootfs, if the cache has none, and print its path")
    _add_hosts(command("up", "bring hosts up, adding what is missing"))
    down = command("down", "take the lab down and leave nothing behind")
    down.add_argument("--hosts-only", action="store_true", help="keep the network, for a command running inside it")
    command("status", "list the hosts")
    command("inventory", "print the Ansible inventory").add_argument("--path", action="store_true", help="its path")
    _add_argv(command("exec", "run a command where the control node is, inside the lab's network"))
    within = command("with", "up, exec, down")
    _add_hosts(within)
    _add_argv(within)
    _add_argv(_add_host(command("run", "run a command in a host, without ssh")))
    _add_host(command("cut", "cut a host off the network"))
    _add_host(command("kill-ssh", "end sshd and all sessions of a host, which otherwise goes on"))
    _add_host(command("mend", "undo cut and kill-ssh, and wait until the host is ready"))
    off = _add_host(command("power-off", "shut a host down"))
    off.add_argument("--hard", action="store_true", help="as in a power cut")
    _add_host(command("boot", "boot a host that is off, and wait until it is ready"))
    return parser


def _add_hosts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hosts", type=int, default=3, metavar="N", help="web01 to webN (default: %(default)s)")
    parser.add_argument("--host-names", metavar="A,B,...", help="hosts of these names instead")


def _add_host(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("host")
    return parser


def _add_argv(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("argv", nargs="+", metavar="-- COMMAND", help="the command and its arguments")
