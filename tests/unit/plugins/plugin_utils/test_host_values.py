# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each host's own values, with the precedence a task of that host would see, in a step that runs once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.tests.support import playbook

HERE = Path(__file__).parent / "host_values"


def values(tmp_path: Path, role_vars: dict[str, Any]) -> dict[str, Any]:
    found = tmp_path / "found.json"
    play = [{"hosts": "all", "gather_facts": False, "roles": [{"role": "asks", "vars": role_vars}]}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    ended = playbook.run(
        tmp_path / "play.yml",
        HERE / "inventory.yml",
        ["-e", f"asks_result={found}", "-e", f"ansible_python_interpreter={sys.executable}"],
        cwd=tmp_path,
        ANSIBLE_ROLES_PATH=str(HERE / "roles"),
        ANSIBLE_ACTION_PLUGINS=str(HERE / "action_plugins"),
        ANSIBLE_LIBRARY=str(HERE / "library"),
    )
    if ended.returncode:
        raise AssertionError(ended.output)
    answer: dict[str, Any] = json.loads(found.read_text())
    return answer


def test_inventory_variable_beats_role_default(tmp_path: Path) -> None:
    found = values(tmp_path, {})
    assert found["plain"] == {"names": [], "port": 443, "address": "192.0.2.1"}
    assert found["declared"] == {"names": ["declared.example.org"], "port": 8443, "address": "declared"}


def test_role_variable_beats_inventory_and_is_evaluated_for_each_host(tmp_path: Path) -> None:
    found = values(tmp_path, {"asks_port": 9443, "asks_names": ["{{ inventory_hostname }}.role"]})
    assert found["plain"] == {"names": ["plain.role"], "port": 9443, "address": "192.0.2.1"}
    assert found["declared"] == {"names": ["declared.role"], "port": 9443, "address": "declared"}
