# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gets one clear error with a code, no traceback, and does not keep the others from being rotated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served
from ansible_collections.certops.rotation.tests.support.nginx import Vhost

pytestmark = pytest.mark.each_core

BAD_NAMES = ["../evil", "a/b", "new\nline", "..", ".hidden", "", "a b"]
BAD_SERVER_NAMES = ["a/b.example.org", "new\nline.example.org", "..", "-x.example.org"]
ISSUERS = {
    "missing": "ca_directory_missing",
    "garbage": "ca_config_invalid",
    "unreadable": "ca_directory_unreadable",
    "ca.sqlite3": "ca_store_failed",
    "root.crt": "ca_certificate_missing",
    "alien": "issuer_invalid",
    "nobody": "issuer_unknown",
}


class Host(LocalWorld):
    """One right certificate, and everything that can be declared wrongly."""

    before: Served
    run: playbook.Run

    def open(self) -> None:
        right = self.first_certificate("right", ["right.example.org"], extra=self.snippet("right"))
        plain = Vhost(["plain.example.org"], right.certificate, right.key)
        broken = {issuer: self.first_certificate(f"ca-{issuer}", [f"{issuer}.example.org"]) for issuer in ISSUERS}
        self.start_nginx([right, self.without_tls(plain), *broken.values()])
        self.before = self.served("right.example.org")
        self.declare("right", right)
        for name in BAD_NAMES:
            self.declare(name, right)
        for number, name in enumerate(BAD_SERVER_NAMES):
            self.declare(f"sni{number}", right, server_names=[name])
        self.declare("jinja", right, server_names=[unsafe("{{ 7*7 }}.example.org")])
        self.declare(unsafe("{{ 7*7 }}"), right)
        self.declare("plain", plain, paths=None)
        for issuer, vhost in broken.items():
            self.declare(f"ca-{issuer}", vhost, issuer=issuer)
        self.make_broken_issuers()
        self.variables["rotate_force"] = True

    def without_tls(self, vhost: Vhost) -> Vhost:
        class Plain(Vhost):
            @property
            def text(self) -> str:
                return super().text.replace(" ssl;", ";")

        return Plain(vhost.names, vhost.certificate, vhost.key, port=vhost.port)

    def make_broken_issuers(self) -> None:
        garbage, unreadable = self.place / "garbage", self.place / "unreadable"
        for folder in (garbage, unreadable):
            folder.mkdir()
        (garbage / "config.json").write_bytes(b"\xff\x00 not json")
        (unreadable / "config.json").mkdir()  # as unreadable for root as for anybody
        folders = {"missing": self.place / "nowhere", "garbage": garbage, "unreadable": unreadable}
        for file in ("ca.sqlite3", "root.crt"):
            folders[file] = self.place / f"broken-{file}"
            shutil.copytree(self.place / "ca", folders[file])
            (folders[file] / file).write_bytes((self.pairs / "right.key").read_bytes())
        self.issuers.update({f"{why}": {"type": "internal_ca", "directory": str(at)} for why, at in folders.items()})
        self.issuers["alien"] = {"type": "acme_of_the_future", "directory": "/"}


def unsafe(text: str) -> Any:
    """Text that Ansible must not evaluate, as it comes from outside."""
    return {"__ansible_unsafe": text}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("bad") / "world") as world:
        world.make_ca()
        world.open()
        world.run = world.rotate()
        yield world


def errors(host: Host) -> dict[str, tuple[str, str]]:
    return {
        one["name"]: (one["error"]["step"], one["error"]["code"])
        for one in host.report()["rotations"]
        if "error" in one
    }


def test_run_fails_without_a_traceback(host: Host) -> None:
    assert host.run.returncode == 2
    assert "Traceback" not in host.run.output
    assert "49" not in [one["name"] for one in host.report()["rotations"]]


def test_the_right_one_is_rotated_all_the_same(host: Host) -> None:
    assert host.rotation("right")["outcome"] == "rotated"
    assert host.served("right.example.org").serial != host.before.serial


def test_names_that_are_no_names_are_refused(host: Host) -> None:
    refused = [name for name, error in errors(host).items() if error == ("detect", "name_invalid")]
    assert len([name for name in refused if not name.startswith(("sni", "jinja"))]) == len(BAD_NAMES) + 1
    assert {name for name in refused if name.startswith(("sni", "jinja"))} == {
        "jinja", *(f"sni{number}" for number in range(len(BAD_SERVER_NAMES)))
    }  # fmt: skip
    assert all(name.isprintable() for name in errors(host))
    made = {path.name for path in host.root.iterdir() if not path.name.startswith(".")}
    assert made == {"right", *(f"ca-{issuer}" for issuer in ISSUERS)}


@pytest.mark.parametrize("issuer", ISSUERS)
def test_issuer_that_is_none_is_told(host: Host, issuer: str) -> None:
    assert errors(host)[f"ca-{issuer}"] == ("issue", ISSUERS[issuer])
    assert host.rotation(f"ca-{issuer}")["error"]["remedy"]


def test_listener_that_does_not_speak_tls_is_told(host: Host) -> None:
    assert errors(host)["plain"][1] == "listener_not_tls"
    assert not (host.root / "plain").exists()


def test_missing_trust_anchor_is_told_before_anything_else(shop: LocalWorld) -> None:
    shop.variables["rotate_trust_anchors"] = [str(shop.place / "nowhere.pem")]
    assert_stopped(shop, shop.rotate(), "trust_anchor_unreadable", "nowhere.pem cannot be read")


def test_key_instead_of_a_trust_anchor_is_told(shop: LocalWorld) -> None:
    shop.variables["rotate_trust_anchors"] = [str(shop.pairs / "shop.key")]
    run = shop.rotate()
    assert_stopped(shop, run, "not_a_certificate", "shop.key")
    body = (shop.pairs / "shop.key").read_text().splitlines()[1]
    assert body not in run.output


@pytest.mark.parametrize("text", ["ssl_stapling {{ no_such_variable }};", "{% if %}"])
def test_broken_snippet_template_is_told_and_nothing_is_switched(shop: LocalWorld, text: str) -> None:
    template = shop.place / "snippet.j2"
    template.write_text(text)
    shop.variables["rotate_snippet_template"] = str(template)
    old = shop.served("shop.example.org").serial
    shop.revoke("shop")
    run = shop.rotate()
    assert run.returncode == 2
    assert "Traceback" not in run.output
    assert shop.rotation("shop")["error"]["code"] == "snippet_template_invalid"
    assert shop.served("shop.example.org").serial == old


def test_report_that_cannot_be_written_is_told_and_the_job_is_done(shop: LocalWorld) -> None:
    (shop.place / "reports").write_text("a file, not a folder")
    old = shop.served("shop.example.org").serial
    shop.revoke("shop")
    run = shop.rotate()
    assert run.returncode == 2
    assert "Traceback" not in run.output
    assert "The report can't be written below" in run.output
    assert shop.served("shop.example.org").serial != old


def assert_stopped(shop: LocalWorld, run: playbook.Run, code: str, words: str) -> None:
    assert run.returncode == 2
    assert "Traceback" not in run.output
    assert code in run.output
    assert words in run.output
    assert not shop.root.exists()
    assert len(shop.ca_certificates()) == 1
