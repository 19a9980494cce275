# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's network: a namespace with a bridge for the control node, and one namespace per host plugged into it.

There is no route out. The control node's end is the bridge itself.
"""

from __future__ import annotations

from certops_lab.command import run, succeeds
from certops_lab.layout import NAMESPACES, Layout
from certops_lab.names import CONTROL, Address

BRIDGE = "bridge"


def create_control(layout: Layout) -> None:
    """The control node's namespace and bridge, unless they are there."""
    if (NAMESPACES / layout.namespace).exists() and succeeds(["ip", "-n", layout.namespace, "link", "show", BRIDGE]):
        return
    _add_namespace(layout.namespace)
    _batch(
        layout.namespace,
        "link set lo up",
        f"link add {BRIDGE} type bridge forward_delay 0 stp_state 0",
        *_addresses(BRIDGE, CONTROL),
        f"link set {BRIDGE} up",
    )


def plug_in(layout: Layout, host: str, address: Address) -> None:
    """A namespace for the host with eth0 on the bridge, unless it is there."""
    namespace = layout.host_namespace(host)
    if (NAMESPACES / namespace).exists() and succeeds(["ip", "-n", namespace, "link", "show", "eth0"]):
        return
    _add_namespace(namespace)
    _batch(
        layout.namespace,
        f"link add {host} type veth peer name eth0 netns {namespace}",
        f"link set {host} master {BRIDGE} up",
    )
    _batch(namespace, "link set lo up", *_addresses("eth0", address), "link set eth0 up")


def unplug(layout: Layout, host: str) -> None:
    """Take the cable out: no packet passes, the host itself goes on."""
    run(["ip", "-n", layout.namespace, "link", "set", host, "down"])


def replug(layout: Layout, host: str) -> None:
    run(["ip", "-n", layout.namespace, "link", "set", host, "up"])


def is_plugged(layout: Layout, host: str) -> bool:
    shown = run(["ip", "-n", layout.namespace, "-o", "link", "show", host])
    return ",UP" in shown


def delete(namespace: str) -> None:
    """Delete the namespace; its interfaces go with it."""
    run(["ip", "netns", "delete", namespace])


def _add_namespace(name: str) -> None:
    if (NAMESPACES / name).exists():  # left by an `up` that was killed half-way
        delete(name)
    run(["ip", "netns", "add", name])


def _addresses(interface: str, address: Address) -> list[str]:
    ipv4, ipv6 = address.interfaces()
    # nodad: the address works at once instead of after a second of duplicate detection.
    return [f"address add {ipv4} dev {interface}", f"address add {ipv6} dev {interface} nodad"]


def _batch(namespace: str, *commands: str) -> None:
    run(["ip", "-n", namespace, "-batch", "-"], text="\n".join(commands) + "\n")
