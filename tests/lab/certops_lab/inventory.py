# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ansible inventory of a lab."""

from __future__ import annotations

import json

from certops_lab.access import ansible_arguments
from certops_lab.layout import Layout
from certops_lab.names import CA_NAME, DOMAIN, Address


def inventory(layout: Layout, addresses: dict[str, Address]) -> str:
    """YAML with all hosts in the group `lab`; works wherever the lab's network is, that is under `lab.py exec`."""
    variables = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(layout.private_key),
        "ansible_ssh_common_args": ansible_arguments(layout),
        "ansible_ssh_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
        "lab_ca_name": CA_NAME,
    }
    lines = ["---", "all:", "  children:", "    lab:", "      vars:"]
    lines += [f"        {name}: {_scalar(value)}" for name, value in variables.items()]
    lines.append("      hosts:" if addresses else "      hosts: {}")
    for name, address in addresses.items():
        lines += [f"        {name}:", *_host_lines(name, address)]
    return "\n".join(lines) + "\n"


def _host_lines(name: str, address: Address) -> list[str]:
    facts = {
        "ansible_host": str(address.ipv4),
        "lab_fqdn": f"{name}.{DOMAIN}",
        "lab_ipv4": str(address.ipv4),
        "lab_ipv6": str(address.ipv6),
    }
    return [f"          {key}: {_scalar(value)}" for key, value in facts.items()]


def _scalar(value: object) -> str:
    """A YAML scalar: JSON's are YAML's too."""
    return json.dumps(value)
