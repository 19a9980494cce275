# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``http01_responder`` on a real nginx: what it writes, what is answered then, and that it takes back what fails."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, free_port
from ansible_collections.certops.rotation.tests.support.plain_servers import ConfD, challenge_answer

THUMB, OTHER = "T" * 43, "U" * 43
ACCOUNT = {"issuer": "le", "thumbprint": THUMB}


class Host:
    """nginx with one block on a port that stands for port 80."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "certops"
        self.modules = HostModules(self.root)
        self.port = free_port()
        self.conf_d = ConfD(folder / "nginx")
        self.block = self.conf_d.write(
            "shop.conf",
            f"# by hand\nserver {{  # the shop\n    listen 127.0.0.1:{self.port};\n    server_name shop.example.org;\n"
            "    return 301 https://$host$request_uri;\n}\n",
        )
        self.before = self.block.read_text()
        self.nginx = Nginx(folder / "nginx", [self.conf_d])
        self.server_path = self.conf_d.folder / "certops-http-01.conf"

    @property
    def place(self) -> dict[str, Any]:
        return {"path": str(self.block), "line": 2, "text": "server {  # the shop", "issuer": "le"}

    def run(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        options = {
            "responders": [ACCOUNT],
            "service": self.nginx.service,
            "nginx_dump": [*self.nginx.command, "-T"],
            "server_path": str(self.server_path),
            **options,
        }
        return self.modules.run("http01_responder", check=check, **options)

    def answer(self, name: str = "shop.example.org") -> tuple[int, str]:
        return challenge_answer(self.port, name)

    def files(self) -> dict[str, bytes]:
        folders = (self.root, self.conf_d.folder)
        found = {str(path): path.read_bytes() for one in folders for path in one.rglob("*") if path.is_file()}
        return {path: text for path, text in found.items() if not path.endswith(".lock") and "-before/" not in path}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    with made.nginx:
        yield made


def test_an_adopted_block_answers_although_it_redirects_everything(host: Host) -> None:
    assert host.answer()[0] == 301
    done = host.run(includes=[host.place], adopt=True)
    assert done["changed"], done
    assert done["reload"]["new_workers"] >= 1
    assert host.answer() == (200, f"a-token.{THUMB}")
    assert challenge_answer(host.port, "shop.example.org", "../x")[0] == 301
    assert host.block.read_text().splitlines()[1:3] == [
        "server {  # the shop",
        f"    include {host.root}/http-01.le.conf;",
    ]


def test_a_second_run_changes_nothing(host: Host) -> None:
    assert host.run(includes=[host.place], adopt=True)["changed"]
    before, workers = host.files(), host.nginx.workers_now()
    again = host.run(includes=[host.place], adopt=True)
    assert (again["changed"], again["reload"], again["inserted"], again["diff"]) == (False, None, [], [])
    assert host.files() == before
    assert host.nginx.workers_now() == workers


def test_what_the_file_was_is_kept_for_root_alone(host: Host) -> None:
    done = host.run(includes=[host.place], adopt=True)
    [one] = done["inserted"]
    backup = Path(one["backup"])
    assert backup.read_text() == host.before
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert backup.parent.parent == host.root
    assert sorted(os.listdir(host.conf_d.folder)) == ["shop.conf"]


def test_the_files_mode_owner_and_link_stay(host: Host) -> None:
    target = host.root.parent / "available"
    host.block.rename(target)
    target.chmod(0o640)
    host.block.symlink_to(target)
    assert host.run(includes=[host.place], adopt=True)["changed"]
    assert host.block.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert host.answer()[0] == 200


def test_without_adopt_the_line_to_add_is_named_and_nothing_else_is_touched(host: Host) -> None:
    done = host.run(includes=[host.place])
    assert (done["failed"], done["code"]) == (True, "challenge_not_answered")
    assert f"{host.block}:2: include {host.root}/http-01.le.conf;" in done["remedy"]
    assert host.block.read_text() == host.before
    host.block.write_text(host.before.replace("the shop\n", f"the shop\n    include {host.root}/http-01.le.conf;\n"))
    done = host.run(includes=[host.place], reload=True)
    assert done["changed"]
    assert host.answer() == (200, f"a-token.{THUMB}")


def test_check_mode_tells_and_writes_nothing(host: Host) -> None:
    before = host.files()
    done = host.run(includes=[host.place], adopt=True, check=True)
    assert done["changed"]
    assert set(done["written"]) == {f"{host.root}/http-01.le.conf", str(host.block)}
    assert done["reload"] is None
    assert host.files() == before
    assert not host.root.exists()


def test_a_diff_shows_of_a_foreign_file_only_the_line(host: Host) -> None:
    done = host.run(includes=[host.place], adopt=True, check=True)
    [foreign] = [one for one in done["diff"] if one["before_header"] == str(host.block)]
    assert foreign["before"] == "server {  # the shop\n"
    assert foreign["after"].startswith(foreign["before"])
    assert "return 301" not in foreign["after"]


@pytest.mark.parametrize("changed", [{"text": "server {"}, {"line": 3}, {"line": 99}, {"column": 4}])
def test_a_line_that_is_not_what_was_seen_is_left_alone(host: Host, changed: dict[str, Any]) -> None:
    before = host.files()
    done = host.run(includes=[{**host.place, **changed}], adopt=True)
    assert done["code"] == "configuration_changed"
    assert host.files() == before


def test_a_configuration_that_nginx_refuses_is_taken_back(host: Host) -> None:
    place = {**host.place, "path": str(host.conf_d.write("map.conf", "map $host $x {\n}\n")), "line": 1}
    before = host.files()
    done = host.run(includes=[{**place, "text": "map $host $x {"}], adopt=True, responders=[ACCOUNT])
    assert done["code"] == "config_test_failed", done
    assert host.files() == before
    assert host.answer()[0] == 301


def test_a_reload_without_effect_is_taken_back(host: Host) -> None:
    service = {**host.nginx.service, "kind": "command", "reload": ["true"], "timeout": 0.5}
    done = host.run(includes=[host.place], adopt=True, service=service)
    assert done["code"] == "reload_without_effect"
    assert host.block.read_text() == host.before


def test_a_server_is_made_for_a_name_without_one(host: Host) -> None:
    port = free_port()
    server = {"server_names": ["www.example.org"], "listens": [f"127.0.0.1:{port}"], "issuer": "le"}
    done = host.run(servers=[server])
    assert done["changed"], done
    assert challenge_answer(port, "www.example.org") == (200, f"a-token.{THUMB}")
    assert challenge_answer(port, "www.example.org", "../../other")[0] == 404
    assert host.run(servers=[server])["changed"] is False


def test_a_server_file_that_nginx_does_not_read_is_taken_back(host: Host) -> None:
    path = host.root.parent / "elsewhere.conf"
    server = {"server_names": ["www.example.org"], "listens": ["127.0.0.1:81"], "issuer": "le"}
    done = host.run(servers=[server], server_path=str(path))
    assert done["code"] == "challenge_not_answered"
    assert f"include {path};" in done["remedy"]
    assert not path.exists()


def test_a_new_account_key_only_needs_the_file_and_a_reload(host: Host) -> None:
    host.run(includes=[host.place], adopt=True)
    done = host.run(responders=[{**ACCOUNT, "thumbprint": OTHER}])
    assert done["written"] == [f"{host.root}/http-01.le.conf"]
    assert host.answer() == (200, f"a-token.{OTHER}")


@pytest.mark.parametrize(
    "options",
    [
        {"responders": [{"issuer": "../le", "thumbprint": THUMB}]},
        {"responders": [{"issuer": "le", "thumbprint": '";} evil'}]},
        {"servers": [{"server_names": ["a; evil"], "issuer": "le"}]},
        {"servers": [{"server_names": ["a"], "listens": ["80; evil"], "issuer": "le"}]},
        {"servers": [{"server_names": ["a"], "issuer": "le"}], "server_path": "/tmp/a b.conf"},
    ],
)
def test_nothing_gets_into_the_configuration_that_does_not_belong_there(host: Host, options: dict[str, Any]) -> None:
    before = host.files()
    done = host.run(**options)
    assert done["failed"]
    assert host.files() == before


TOKEN = {"token": "abc-_1", "content": f"abc-_1.{THUMB}"}


@pytest.fixture
def modules(tmp_path: Path) -> HostModules:
    return HostModules(tmp_path / "certops")


def test_answers_come_into_a_web_root_and_go_again(modules: HostModules, tmp_path: Path) -> None:
    token = {**TOKEN, "directory": str(tmp_path / "www" / "challenges")}
    path = tmp_path / "www" / "challenges" / "abc-_1"
    assert modules.run("http01_responder", tokens=[token], check=True)["written"] == [str(path)]
    assert not path.parent.exists()
    assert modules.run("http01_responder", tokens=[token])["changed"] is True
    assert path.read_text() == TOKEN["content"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert modules.run("http01_responder", tokens=[token])["changed"] is False
    assert modules.run("http01_responder", tokens=[token], withdraw=True)["changed"] is True
    assert os.listdir(path.parent) == []
    assert modules.run("http01_responder", tokens=[token], withdraw=True)["changed"] is False


def test_a_link_in_the_web_root_is_replaced_and_not_followed(modules: HostModules, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "abc-_1").symlink_to(target)
    done = modules.run("http01_responder", tokens=[{**TOKEN, "directory": str(tmp_path)}])
    assert target.read_text() == "precious"
    assert done.get("failed") or not (tmp_path / "abc-_1").is_symlink()


@pytest.mark.parametrize(
    "wrong", [{"token": "../../etc/cron.d/x"}, {"content": "<?php"}, {"directory": "relative"}, {"token": ""}]
)
def test_only_answers_to_challenges_are_written(modules: HostModules, tmp_path: Path, wrong: dict[str, str]) -> None:
    done = modules.run("http01_responder", tokens=[{**TOKEN, "directory": str(tmp_path / "www"), **wrong}])
    assert done["failed"]
    assert done["code"] in ("name_invalid", "paths_invalid")
    assert not (tmp_path / "www").exists()
