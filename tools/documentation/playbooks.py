# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference of the playbooks: their plays, in order, and the roles with the options of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_TOP = """\
.. _playbooks_of_certops.rotation:

Playbooks
=========

Run one by its name: ``ansible-playbook -i inventory.yml certops.rotation.check``. The roles tell of all variables.

"""


def page(root: Path) -> str:
    return _TOP + "\n".join(_section(path, root / "roles") for path in sorted((root / "playbooks").glob("*.yml")))


def _section(path: Path, roles: Path) -> str:
    name = f"certops.rotation.{path.stem}"
    plays = yaml.safe_load(path.read_text("utf-8"))
    lines = [name, "-" * len(name), "", *(line for play in plays for line in _play(play, roles)), ""]
    return "\n".join(lines)


def _play(play: dict[str, Any], roles: Path) -> Iterator[str]:
    imported = play.get("ansible.builtin.import_playbook")
    if imported:
        yield f"#. **{play['name']}**: the plays of ``{imported}``."
        return
    yield f"#. **{play['name']}**, on ``{_pattern(play['hosts'])}``"
    yield ""
    for role, entry in _roles(play):
        spec = yaml.safe_load((roles / role / "meta" / "argument_specs.yml").read_text("utf-8"))
        label = f"ansible_collections.certops.rotation.{role}_role__entrypoint-{entry}"
        yield f"   :ref:`role {role}, {entry} <{label}>`: {spec['argument_specs'][entry]['short_description']}"
        yield ""


def _pattern(hosts: str) -> str:
    """The variable that narrows the hosts, where it is nothing longer than that."""
    inside = hosts.strip("{} ")
    variable, _default, rest = inside.partition(" | default(")
    return variable if rest == "'all')" else "the affected hosts" if "groups[" in hosts else hosts


def _roles(play: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for task in play.get("tasks", []):
        options = task["ansible.builtin.import_role"]
        yield options["name"].rpartition(".")[2], options.get("tasks_from", "main")
    for entry in play.get("roles", []):
        yield (entry["role"] if isinstance(entry, dict) else entry).rpartition(".")[2], "main"
