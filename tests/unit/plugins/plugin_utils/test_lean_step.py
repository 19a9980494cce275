# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lean execution sends to a host, run there by a real Python that has nothing but its standard library."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._host import lean
from ansible_collections.certops.rotation.plugins.plugin_utils import lean_step
from ansible_collections.certops.rotation.tests.gates.collection_imports import closure, dotted_name
from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld, b64
from ansible_collections.certops.rotation.tests.support.lean_modules import (
    MARK,
    STEPS,
    LeanModules,
    answer_of,
    ran,
    step_of,
)

from tools.python_environments import find_python

PLUGINS = Path(inspect.getfile(lean_step)).parents[1]
HOST = PLUGINS / "module_utils" / "_host"
OLD = find_python("3.8")
PYTHONS = [sys.executable, *([OLD] if OLD else [])]


@pytest.mark.parametrize("module", STEPS)
def test_exactly_what_the_step_imports_is_sent(module: str) -> None:
    wanted = closure([HOST / f"step_{module}.py", HOST / "outcome.py"], PLUGINS)
    sent = dict(lean_step.sources_of(f"_host.step_{module}", "_host.outcome"))
    assert sorted(sent) == sorted(dotted_name(path, PLUGINS) for path in wanted)
    assert sent[dotted_name(HOST / "outcome.py", PLUGINS)] == (HOST / "outcome.py").read_text()


def test_python_3_8_can_read_what_starts_it() -> None:
    command = step_of("key_csr").command("/usr/bin/python3", "")
    ast.parse(re.sub(r".* -c '(.*)'", r"\1", command), feature_version=(3, 8))
    ast.parse(inspect.getsource(lean), feature_version=(3, 8))


def test_command_shows_nothing_of_the_request() -> None:
    step = step_of("key_csr")
    assert step.command("/usr/bin/python3", "LC_ALL=C") == step.command("/usr/bin/python3", "LC_ALL=C")
    assert step.command("/usr/bin/python3", "LC_ALL=C").startswith("LC_ALL=C /usr/bin/python3 -I -S ")
    assert b"secret-word" not in step.input({"mark": MARK, "params": {"root": "secret-word" * 10}})


@pytest.mark.parametrize("python", PYTHONS)
def test_whole_life_of_a_pair(tmp_path: Path, python: str) -> None:
    world = HostWorld(tmp_path, LeanModules(tmp_path / "certops", python=python))
    vhost, _issued = world.own_vhost()
    paths = {"certificate": str(vhost.certificate), "key": str(vhost.key)}
    world.service = {"kind": "command", "test": ["true"], "reload": ["true"]}
    first, second = world.rotate(paths=paths), world.rotate(paths=paths)
    assert world.live() == second["version"]
    sign = [{"data_b64": b64(b"data"), "algorithm": "ES256"}]
    retired = world.retire("shop", first["version"], first["spki_sha256"], more={"sign": sign})["retirements"]["shop"]
    assert retired["destroyed"] == [first["spki_sha256"]]
    assert retired["signatures"][0]["public_jwk"]["crv"] == "P-256"
    info = world.modules.run("installed_info", paths=list(paths.values()))
    assert info["certificates"]["shop"]["live"] == second["version"]
    assert "PRIVATE KEY" not in "".join(world.modules.outputs)


def life(world: HostWorld) -> list[Any]:
    """What the modules answer over the life of a pair, good and bad."""
    run = world.modules.run
    look: dict[str, Any] = {"requests": [{"name": "shop", "action": "look"}]}
    answers = [run("key_csr", **look), world.prepare(check=True)]
    first = world.release(world.prepare())
    answers += [world.install(first, check=True), world.install(first), world.install(first), run("key_csr", **look)]
    time.sleep(1.01)  # versions of one second have no certain order
    second = world.release(world.prepare())
    answers += [
        world.install(dict(second, chain_pem=first["chain_pem"])),
        world.install(dict(second, version="20260101T000000Z-abcdef")),
        world.install(second, service={"kind": "command", "reload": ["true"], "test": ["false"]}),
        world.install(second, service={"kind": "command", "reload": ["false"], "test": []}),
        world.install(second, service={"kind": "signal", "pid_file": "/nonexistent"}),
        world.install(second),
        world.retire("shop", second["version"], second["spki_sha256"]),
        world.retire("shop", first["version"], first["spki_sha256"], check=True),
        world.retire("shop", first["version"], first["spki_sha256"]),
        world.facts(),
        run("installed_info", paths=["/etc/passwd", str(world.root / "shop/live/fullchain.pem")]),
        world.prepare(premise={"spki_sha256": "0" * 64}),
        world.prepare("../shop"),
        run("key_csr", files={"key_mode": "0644"}),
        run("key_csr", files={"owner": "nobody-of-that-name"}),
        run("key_csr", openssl="/nonexistent", requests=[{"name": "other", "server_names": ["a.example"]}]),
        run("key_csr", requests=[{"name": "other", "server_names": ["über.example", "b\nc"]}]),
    ]
    world.root.chmod(0o777)
    return [*answers, world.install(second), run("installed_info")]


def test_answers_are_those_of_the_module(tmp_path: Path) -> None:
    """Also where they are errors; but for what no two runs have in common."""
    answers = []
    for name, kind in (("module", HostModules), ("lean", LeanModules)):
        world = HostWorld(tmp_path / name, kind(tmp_path / name / "certops"))
        world.folder.mkdir()
        world.prepare()  # makes the root
        answers.append(json.loads(without_chance(json.dumps(life(world)).replace(str(tmp_path / name), ""))))
    for of_module, of_lean in zip(*answers, strict=True):
        of_module.pop("invocation", None)  # Ansible's wrapper adds what it was asked
        assert of_lean == of_module


def without_chance(text: str) -> str:
    for pattern, word in (
        (r"-----BEGIN.*?-----END[^-]*-----(\\n)?", "PEM"),
        (r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b", "VERSION"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r"\b[0-9a-f]{64}\b", "SHA256"),
        (r'"serial": "[0-9a-f]+"', '"serial": "SERIAL"'),
        (r'"seconds": [0-9.]+', '"seconds": 0'),
    ):
        text = re.sub(pattern, word, text)
    return text


def test_what_nobody_expected_is_an_answer_with_the_place(tmp_path: Path) -> None:
    """The option type of the module would not let this through; it stands for a fault of ours."""
    request = {"mark": MARK, "params": {"root": None}, "check_mode": False, "log": None}
    step = step_of("key_retire")
    done = run_raw(tmp_path, step.command(sys.executable, ""), step.input(request))
    answer = json.loads(done.partition("\n" + MARK)[2])
    assert (answer["failed"], answer["code"]) == (True, "host_failed")
    assert "TypeError" in answer["msg"]
    assert re.search(r'_host/certificate_folder.py", line \d+, in refuse_unsafe_folder', answer["facts"]["traceback"])


def run_raw(tmp_path: Path, command: str, data: bytes) -> str:
    done = subprocess.run(["/bin/sh", "-c", command], input=data, capture_output=True, cwd=tmp_path, check=True)
    return done.stdout.decode()


def noisy_shell(tmp_path: Path) -> tuple[str, ...]:
    shell = tmp_path / "noisy"
    shell.write_text('#!/bin/sh\nprintf "Welcome\\nno end of line"\n/bin/sh "$@"\necho Goodbye\n')
    shell.chmod(0o755)
    return (str(shell),)


@pytest.mark.parametrize("shell", [lambda _place: ("/bin/sh",), noisy_shell])
def test_answer_is_found_whatever_the_shell_says(tmp_path: Path, shell: Callable[[Path], tuple[str, ...]]) -> None:
    done = ran("installed_info", {"root": str(tmp_path / "none")}, python=sys.executable, shell=shell(tmp_path))
    line = done.stdout.partition("\n" + MARK)[2].partition("\n")[0]
    assert json.loads(line)["certificates"] == {}


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "en_US.ISO-8859-1", "nonsense"])
def test_text_and_file_names_are_utf_8_in_any_locale(tmp_path: Path, locale: str) -> None:
    root = tmp_path / "schlüssel-ключ"
    options = {"root": str(root), "requests": [{"name": "shop", "server_names": ["shop.example.org"]}]}
    answer = answer_of(ran("key_csr", options, python=sys.executable, environment=f"LC_ALL={locale}"))
    assert answer["prepared"]["shop"]["version"]
    assert (root / "shop").is_dir()


def test_modules_beside_the_user_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    options = {"root": str(tmp_path / "none")}
    answer_of(ran("installed_info", options, python=sys.executable, environment=f"PYTHONPATH={tmp_path}"))
