# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact where a user has it: installed into an empty folder, without a network, with nothing else beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.gates.command import tool_environment
from tools.python_environments import DEV
from tools.release.refusal import Refused, must_run

COLLECTION = "certops.rotation"
# Folders of plugins/ that have no documentation of their own. An action is documented by the module of its name.
SILENT = {"action", "doc_fragments", "module_utils", "plugin_utils"}


def must_work(artifact: Path, tree: Path, place: Path) -> None:
    """Raises Refused unless all that is in `tree` is there for Ansible once the artifact is installed."""
    environ = tool_environment(DEV.python) | {"ANSIBLE_COLLECTIONS_PATH": str(place)}
    galaxy = ["ansible-galaxy", "collection"]
    place.mkdir(parents=True)
    must_run([*galaxy, "install", "--offline", str(artifact.resolve()), "-p", str(place)], environ, place)
    must_run([*galaxy, "verify", "--offline", COLLECTION], environ, place)
    playbooks = [f"{COLLECTION}.{path.stem}" for path in sorted((tree / "playbooks").glob("*.yml"))]
    must_run(["ansible-playbook", "--syntax-check", "-i", "localhost,", *playbooks], environ, place)
    dumped = must_run(["ansible-doc", "--metadata-dump", "--no-fail-on-errors", COLLECTION], environ, place)
    against = list(undocumented(tree, json.loads(dumped[dumped.index("{") :])["all"]))
    if against:
        raise Refused("ansible-doc does not know what is in the artifact:\n" + "\n".join(against))


def undocumented(tree: Path, known: dict[str, dict[str, dict[str, object]]]) -> Iterator[str]:
    """What is in the tree and not in ansible-doc's dump, or there with an error."""
    for kind, name in wanted(tree):
        entry = known.get(kind, {}).get(f"{COLLECTION}.{name}")
        if entry is None:
            yield f"{kind} {name}: not listed"
        elif "error" in entry:
            yield f"{kind} {name}: {entry['error']}"


def wanted(tree: Path) -> Iterator[tuple[str, str]]:
    """ansible-doc's word for the kind, and the name."""
    for path in sorted((tree / "plugins").glob("*/*.py")):
        folder = path.parent.name
        if folder not in SILENT and path.stem != "__init__":
            yield "module" if folder == "modules" else folder, path.stem
    for role in sorted((tree / "roles").iterdir()):
        yield "role", role.name
