# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a step is executed lean, and that nobody could tell from its result: through a real ansible-playbook."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support import playbook

ROTATIONS = [{"name": "shop", "server_names": ["shop.example.org"], "decision": {"action": "rotate", "reasons": []}}]
KEYWORDS = ("environment", "delegate_to", "become", "check_mode")
WORD = 'it\'s "quoted" $HOME'
BECOME = '''
from ansible.plugins.become import BecomeBase
DOCUMENTATION = """
name: marked
short_description: Become the same user, with a mark
description: Become the same user, with a mark.
options:
  become_user: {description: x, default: another, vars: [{name: ansible_become_user}]}
  become_exe: {description: x, default: env}
  become_flags: {description: x, default: ""}
  become_pass: {description: x, vars: [{name: ansible_become_password}]}
"""
class BecomeModule(BecomeBase):
    name = "marked"
    def build_become_command(self, cmd, shell):
        super().build_become_command(cmd, shell)
        return "env MARK=became " + self._build_success_command(cmd, shell) if cmd else cmd
'''


def step(**options: Any) -> dict[str, Any]:
    """A task that makes a key below `root`."""
    root = options.pop("root", "{{ playbook_dir }}/certops")
    keywords = {name: options.pop(name) for name in KEYWORDS if name in options}
    return {
        "certops.rotation.key_csr": {"root": root, "rotations": ROTATIONS, "keep_going": True, **options},
        **keywords,
    }


def run(tmp_path: Path, *tasks: dict[str, Any], host: dict[str, Any] | None = None, **environment: str) -> playbook.Run:
    """Each task's result is left in found<number>.json; the output is that of -vvv."""
    play: list[dict[str, Any]] = []
    for number, task in enumerate(tasks):
        play += [
            {"name": f"Step {number}", **task, "register": "result"},
            {
                "name": "Keep",
                "ansible.builtin.copy": {"content": "{{ result | to_json }}", "dest": f"{tmp_path}/found{number}.json"},
                "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable,
                         "ansible_shell_executable": "/bin/sh", "ansible_become": False},
                "no_log": True,
            },
        ]  # fmt: skip
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": play}]))
    (tmp_path / "marked.py").write_text(BECOME)
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **(host or {})}
    inventory = playbook.write_inventory(tmp_path / "inventory.yml", {"web1": variables}, {})
    environment.setdefault("ANSIBLE_BECOME_PLUGINS", str(tmp_path))
    return playbook.run(tmp_path / "play.yml", inventory, ["-vvv"], cwd=tmp_path, timeout=120, **environment)


def ways(ended: playbook.Run) -> list[str]:
    """How each step was executed."""
    found = re.findall(r"(Using module file \S*key_csr\.py|Lean execution of key_csr)", ended.output)
    return ["lean" if one.startswith("Lean") else "module" for one in found]


def found(tmp_path: Path, number: int = 0) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((tmp_path / f"found{number}.json").read_text())
    return result


def error_of(tmp_path: Path, number: int = 0) -> dict[str, Any]:
    error: dict[str, Any] = found(tmp_path, number)["rotations"][0]["error"]
    return error


def test_pipelining_decides_and_the_result_is_the_same(tmp_path: Path) -> None:
    shapes = []
    for pipelining, way in (("1", "lean"), ("0", "module")):
        place = tmp_path / way
        place.mkdir()
        ended = run(place, step(), step(), ANSIBLE_PIPELINING=pipelining)
        assert ended.returncode == 0, ended.output
        assert ways(ended) == [way, way]
        results = found(place), found(place, 1)
        assert [one["changed"] for one in results] == [True, False]
        assert results[1]["rotations"][0]["prepared"]["resumed"] is True
        shapes.append([shape(one["rotations"]) for one in results])
    assert shapes[0] == shapes[1]


def shape(value: Any) -> Any:
    """Names and types; what is in a text depends on chance."""
    if isinstance(value, dict):
        return {key: shape(value[key]) for key in value if key != "resolvers"}
    return [shape(one) for one in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize(
    ("task", "host", "environment"),
    [
        ({"environment": {"PYTHONPATH": "/nonexistent"}}, {}, {}),
        ({"delegate_to": "web1"}, {}, {}),
        ({}, {}, {"ANSIBLE_KEEP_REMOTE_FILES": "1"}),
        ({}, {"ansible_pipelining": False}, {}),
    ],
    ids=["variable for Python", "delegated", "files are kept", "no pipelining"],
)
def test_ansibles_own_way_where_ours_may_not_come_to_the_same(
    tmp_path: Path, task: dict[str, Any], host: dict[str, Any], environment: dict[str, str]
) -> None:
    ended = run(tmp_path, step(**task), host=host, **environment)
    assert ended.returncode == 0, ended.output
    assert ways(ended) == ["module"]
    assert found(tmp_path)["rotations"][0]["prepared"]["version"]


def test_path_that_the_host_completes_is_left_to_the_host(tmp_path: Path) -> None:
    rotations = [{**ROTATIONS[0], "paths": {"certificate": "~/none.crt", "key": "$HOME/none.key"}}]
    ended = run(tmp_path, step(rotations=rotations))
    assert ways(ended) == ["module"]
    assert found(tmp_path)["rotations"][0]["installed"]["paths"]["key"]["path"] == str(Path.home() / "none.key")


def test_interpreter_is_discovered_once_and_then_known(tmp_path: Path) -> None:
    ended = run(tmp_path, step(), step(), host={"ansible_python_interpreter": "auto_silent"})
    assert ended.returncode == 0, ended.output
    assert ways(ended) == ["module", "lean"]


def test_environment_and_become_hold(tmp_path: Path) -> None:
    """A program in the place of openssl writes down what it was given."""
    program = tmp_path / "bin" / "openssl"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s" "$WORD $MARK" > "$FILE"\nexit 1\n')
    program.chmod(0o755)
    for way, more in (("lean", {}), ("module", {"PYTHONHASHSEED": "0"})):
        given = {"PATH": f"{program.parent}:/usr/bin:/bin", "WORD": WORD, "FILE": str(tmp_path / way), **more}
        ended = run(tmp_path, step(environment=given, become=True), host={"ansible_become_method": "marked"})
        assert ways(ended) == [way], ended.output
        assert error_of(tmp_path)["code"] == "key_not_made"
        assert (tmp_path / way).read_text() == f"{WORD} became"


def test_noise_of_the_shell_is_passed_over(tmp_path: Path) -> None:
    shell = tmp_path / "sh"
    shell.write_text('#!/bin/sh\nprintf "{\\"Welcome\\": 1}\\nno end"\n/bin/sh "$@"\necho "{} bye"\n')
    shell.chmod(0o755)
    ended = run(tmp_path, step(), host={"ansible_shell_executable": str(shell)})
    assert ways(ended) == ["lean"]
    assert found(tmp_path)["rotations"][0]["prepared"]["version"]


@pytest.mark.parametrize(
    ("interpreter", "said"),
    [("/nonexistent/python3", "not found"), ("/bin/false", ""), ("{place}/old", "Python 3.8 or newer is needed")],
)
def test_python_that_does_not_answer_is_one_error_in_both_ways(tmp_path: Path, interpreter: str, said: str) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\ncat > /dev/null\necho 'Python 3.8 or newer is needed here' >&2\nexit 1\n")
    old.chmod(0o755)
    errors = []
    for pipelining in ("1", "0"):
        python = {"ansible_python_interpreter": interpreter.format(place=tmp_path)}
        ended = run(tmp_path, step(), host=python, ANSIBLE_PIPELINING=pipelining)
        assert ended.returncode == 0, ended.output
        errors.append(error_of(tmp_path))
    for error in errors:
        assert error["code"] == "host_failed"
        assert said in error["msg"] and "ansible_python_interpreter" in error["remedy"]
    assert set(errors[0]["facts"]) == set(errors[1]["facts"]) == {"rc", "module_stderr", "module_stdout"}
    assert errors[0]["facts"]["rc"] == errors[1]["facts"]["rc"]


def test_error_of_the_step_is_the_same_in_both_ways(tmp_path: Path) -> None:
    root = tmp_path / "everybody"
    root.mkdir()
    root.chmod(0o777)
    errors = []
    for pipelining in ("1", "0"):
        ended = run(tmp_path, step(root=str(root)), step(root="/proc/none"), ANSIBLE_PIPELINING=pipelining)
        assert len(ways(ended)) == 2
        errors.append([error_of(tmp_path), error_of(tmp_path, 1)])
    assert errors[0] == errors[1]
    assert errors[0][0]["code"] == "root_unsafe"


def test_request_is_not_shown_and_check_mode_changes_nothing(tmp_path: Path) -> None:
    ended = run(tmp_path, step(deny_list=["ab" * 32], check_mode=True))
    assert ways(ended) == ["lean"]
    executed = [line for line in ended.output.splitlines() if "EXEC" in line and " -I -S " in line]
    assert executed and not any("ab" * 32 in line for line in executed)
    assert not (tmp_path / "certops").exists()
