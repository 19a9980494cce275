# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base classes through a real ansible-playbook: several hosts, registered variables, hosts that are not there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.plugin_utils.collected import collected
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.tls_server import closed_port

INVENTORY = """
all:
  vars: {ansible_connection: local, ansible_python_interpreter: "%s"}
  hosts:
    here:
    gone: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: %d, ansible_ssh_timeout: 2}
"""


def run(tmp_path: Path, tasks: list[dict[str, Any]]) -> tuple[playbook.Run, dict[str, Any]]:
    """The run, and what the last task registered as `result` on each host."""
    report = {
        "name": "What was found",
        "ansible.builtin.copy": {"content": "{{ hostvars | dict2items | selectattr('value.result', 'defined') | "
                                 "items2dict | to_json }}", "dest": str(tmp_path / "found.json"), "mode": "0600"},
        "delegate_to": "localhost",
        "run_once": True,
        "vars": {"ansible_connection": "local"},
    }  # fmt: skip
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [*tasks, report]}]))
    (tmp_path / "inventory.yml").write_text(INVENTORY % (sys.executable, closed_port()))
    ended = playbook.run(tmp_path / "play.yml", tmp_path / "inventory.yml", cwd=tmp_path)
    found = tmp_path / "found.json"
    hosts = json.loads(found.read_text()) if found.exists() else {}
    return ended, {host: variables["result"] for host, variables in hosts.items()}


def look(**options: Any) -> dict[str, Any]:
    rotations = [{"name": "shop", "server_names": ["shop.example.org"]}]
    return {
        "name": "Look",
        "certops.rotation.key_csr": {"root": "{{ playbook_dir }}/certops", "rotations": rotations, **options},
        "register": "result",
    }


def test_host_that_is_gone_becomes_an_error_of_its_rotations(tmp_path: Path) -> None:
    plan = {
        "name": "Decide",
        "certops.rotation.rotation_plan": {
            "rotations": {"here": [], "gone": []}, "collect": "result", "settle": True, "keep_going": True,
        },
        "register": "result",
        "run_once": True,
    }  # fmt: skip
    ended, found = run(tmp_path, [look(keep_going=True), plan])
    assert ended.returncode == 0, ended.output
    rotations = found["here"]["rotations"]
    assert rotations["gone"][0]["error"]["code"] == "host_unreachable"
    assert rotations["gone"][0]["error"]["step"] == "prepare"
    assert rotations["here"][0]["decision"]["reasons"][0]["code"] == "not_installed"
    assert found["here"]["due"] == ["here"]
    assert "gone/shop: prepare: The host cannot be reached" in " ".join(ended.output.split())


def test_without_keep_going_the_host_is_unreachable_to_ansible(tmp_path: Path) -> None:
    ended, _found = run(tmp_path, [look()])
    assert "unreachable=1" in ended.output
    assert ended.failed["here"] == 0


class HostVars(dict[str, Any]):
    """Stands for Ansible's own, which has this method too."""

    def raw_get(self, host: str) -> Any:
        return self.get(host, {})


def test_registered_rotations_take_the_place_of_older_ones() -> None:
    older = {"web1": [{"name": "a"}], "web2": [{"name": "b"}], "web3": [{"name": "c"}]}
    hostvars = HostVars(web1={"step": {"rotations": [{"name": "a", "new": 1}]}}, web2={"step": {"skipped": True}})
    found = collected(older, {"hostvars": hostvars}, "step")
    assert found == {"web1": [{"name": "a", "new": 1}], "web2": [{"name": "b"}], "web3": [{"name": "c"}]}


def test_host_that_discovered_its_rotations_is_added() -> None:
    hostvars = HostVars(web1={"step": {"rotations": [{"name": "found"}]}})
    found = collected({}, {"hostvars": hostvars, "ansible_play_hosts_all": ["web1", "web2"]}, "step")
    assert found == {"web1": [{"name": "found"}]}


def test_what_an_earlier_run_left_in_the_variable_is_not_taken() -> None:
    given = {"web1": [{"name": "a", "times": {"detected": "2026-11-21T02:00:00Z"}}]}
    left = [{"name": "a", "old": True, "times": {"detected": "2026-11-21T01:00:00Z"}}]
    hostvars = HostVars(web1={"step": {"rotations": left}})
    assert collected(given, {"hostvars": hostvars}, "step") == given


@pytest.mark.parametrize(
    ("registered", "code"),
    [
        ({"failed": True, "msg": "no room", "code": "disk_full"}, "disk_full"),
        ({"failed": True, "msg": "boom"}, "host_failed"),
        ({"unreachable": True, "msg": "gone"}, "host_unreachable"),
    ],
)
def test_step_that_failed_without_an_answer_is_an_error_of_the_rotations(registered: dict[str, Any], code: str) -> None:
    hostvars = HostVars(web1={"step": registered})
    (found,) = collected({"web1": [{"name": "a"}]}, {"hostvars": hostvars}, "step")["web1"]
    assert found["error"]["code"] == code
    assert found["error"]["msg"] == registered["msg"]
