# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stateless http-01 in the step prepare, on a real nginx: what the host is asked and told, and what a client gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import jwk_of, thumbprint_of
from ansible_collections.certops.rotation.tests.support.host_steps import HostSteps, rotation
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, free_port
from ansible_collections.certops.rotation.tests.support.pki import make_key
from ansible_collections.certops.rotation.tests.support.plain_servers import ConfD, challenge_answer
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Host(HostSteps):
    """nginx with a redirecting block on a port that stands for port 80, and an account key on the control node."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.conf_d = ConfD(folder / "nginx")
        self.nginx = Nginx(folder / "nginx", [self.conf_d])
        self.block = self.conf_d.write("shop.conf", "")
        self.names("shop.example.org")
        self.issuers = {"le": self.issuer("le")}

    def names(self, *names: str, inside: str = "return 301 https://$host$request_uri;", reload: bool = False) -> None:
        self.before = f"server {{\nlisten 127.0.0.1:{self.port};\nserver_name {' '.join(names)};\n{inside}\n}}\n"
        self.block.write_text(self.before)
        if reload:
            self.nginx.stop()
            self.nginx.start()

    def issuer(self, name: str, **more: Any) -> dict[str, Any]:
        key = make_key("ec")
        path = self.folder / f"{name}.key"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        path.chmod(0o600)
        self.thumbprint = thumbprint_of(jwk_of(key.public_key()))
        url = {"directory_url": "http://127.0.0.1:1/dir", "state_dir": str(self.folder / "state")}
        return {"type": "acme", "account_key": str(path), **url, **more}

    def options(self, **more: Any) -> dict[str, Any]:
        http01 = {
            "nginx_dump": [*self.nginx.command, "-T"],
            "server_path": str(self.conf_d.folder / "certops-http-01.conf"),
            "port": self.port,
            "deadline": 2.0,
            "service": self.nginx.service,
            **more,
        }
        return {"issuers": self.issuers, "http01": http01, "keep_going": True}

    def prepared(self, *, check: bool = False, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The result and its one rotation."""
        result = self.step("key_csr", self.due(), check=check, **self.options(**more))
        return result, result["rotations"][0]

    def due(self, **more: Any) -> dict[str, Any]:
        listeners = [{"address": "127.0.0.1", "port": 443}]
        return rotation(issuer="le", listeners=listeners, **more)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    with made.nginx:
        yield made


def test_a_block_is_adopted_and_answers_before_anything_is_ordered(host: Host) -> None:
    result, found = host.prepared(adopt=True)
    assert "error" not in found, found
    assert found["prepared"]["version"]
    assert challenge_answer(host.port, "shop.example.org") == (200, f"a-token.{host.thumbprint}")
    assert result["changed"]
    assert any("include" in one["after"] for one in result["diff"])
    assert len(host.modules.outputs) == 2


def test_what_answers_already_costs_the_host_nothing(host: Host) -> None:
    host.prepared(adopt=True)
    del host.modules.outputs[:]
    host.prepared(adopt=True)
    assert len(host.modules.outputs) == 1
    assert "configuration file" not in host.modules.outputs[0]


def test_an_issuer_of_another_kind_asks_nothing(host: Host) -> None:
    host.nginx.stop()
    host.issuers["le"] = {"type": "internal_ca", "directory": "/nonexistent"}
    assert "error" not in host.prepared()[1]
    host.issuers["le"] = host.issuer("dns", challenge={"type": "dns-01", "server": "127.0.0.1"})
    assert "error" not in host.prepared()[1]
    assert len(host.modules.outputs) == 2


def test_without_adopt_the_error_names_the_line_and_nothing_of_the_user_is_changed(host: Host) -> None:
    _result, found = host.prepared()
    error = found["error"]
    assert (error["step"], error["code"]) == ("prepare", "challenge_not_answered")
    line = f"include {host.root}/http-01.le.conf;"
    assert f"{host.block}:1: {line}" in error["remedy"]
    assert "redirected to https://shop.example.org/" in error["msg"]
    assert host.block.read_text() == host.before
    host.block.write_text(host.before.replace("server {", "server {\n" + line))
    _result, found = host.prepared()  # on disk it is right now; only nginx does not know yet
    assert "error" not in found
    assert challenge_answer(host.port, "shop.example.org")[0] == 200


def test_a_name_without_a_server_gets_one(host: Host) -> None:
    host.block.unlink()
    host.nginx.stop()
    host.nginx.start()
    _result, found = host.prepared()
    assert "error" not in found, found
    assert challenge_answer(host.port, "shop.example.org") == (200, f"a-token.{host.thumbprint}")
    assert f"listen {host.port};" in (host.conf_d.folder / "certops-http-01.conf").read_text()


def test_an_answer_behind_a_redirect_to_another_name_of_the_host_counts(host: Host) -> None:
    location = f'location ~ "^/.well-known/acme-challenge/(.+)$" {{ return 200 "$1.{host.thumbprint}"; }}'
    host.names("www.example.org", inside=location)
    text = f"server {{ listen 127.0.0.1:{host.port}; server_name shop.example.org; "
    host.conf_d.write("redirect.conf", text + f"return 301 http://www.example.org:{host.port}$request_uri; }}\n")
    host.nginx.stop()
    host.nginx.start()
    names = ["shop.example.org", "www.example.org"]
    result = host.step("key_csr", host.due(server_names=names), **host.options())
    assert "error" not in result["rotations"][0]
    assert len(host.modules.outputs) == 1


def test_a_client_that_gets_something_else_is_told(host: Host) -> None:
    """As with a proxy in front: nginx is set up, and the answer comes from elsewhere."""
    _result, found = host.prepared(adopt=True, address="127.0.0.2")
    assert found["error"]["code"] == "challenge_not_answered"
    assert f"at 127.0.0.2:{host.port}: " in found["error"]["msg"]
    assert challenge_answer(host.port, "shop.example.org")[0] == 200


def test_a_configuration_that_cannot_be_printed_is_told(host: Host) -> None:
    _result, found = host.prepared(nginx_dump=["false"])
    assert found["error"]["code"] == "challenge_not_answered"
    assert "could not be printed" in found["error"]["msg"]


def test_check_mode_tells_what_would_be_written(host: Host) -> None:
    result, found = host.prepared(adopt=True, check=True)
    assert "error" not in found
    assert result["changed"]
    assert {one["before_header"] for one in result["diff"]} == {f"{host.root}/http-01.le.conf", str(host.block)}
    assert host.block.read_text() == host.before
    assert not host.root.exists()
    assert challenge_answer(host.port, "shop.example.org")[0] == 301


def test_check_mode_makes_no_account_key(host: Host) -> None:
    key = host.folder / "none.key"
    host.issuers["le"]["account_key"] = str(key)
    assert "error" not in host.prepared(check=True)[1]
    assert not key.exists()
    assert "error" not in host.prepared(adopt=True)[1]
    assert key.exists()


def test_an_account_key_that_cannot_be_used_is_an_error_before_the_host_is_asked(host: Host) -> None:
    Path(host.issuers["le"]["account_key"]).write_text("no key")
    _result, found = host.prepared()
    assert found["error"]["code"].startswith("acme_account_key")
    assert host.modules.outputs == []


def test_wildcards_are_for_dns(host: Host) -> None:
    result = host.step("key_csr", host.due(server_names=["*.example.org"]), **host.options())
    assert "error" not in result["rotations"][0]
    assert len(host.modules.outputs) == 1


def test_a_fallback_with_another_account_key_is_warned_of(host: Host) -> None:
    host.issuers["other"] = host.issuer("other")
    host.issuers["le"] = host.issuer("le", fallback=["other"])
    _result, found = host.prepared(adopt=True)
    assert "error" not in found
    [text] = found["warnings"]
    assert "the fallback other" in text
    host.issuers["other"]["account_key"] = host.issuers["le"]["account_key"]
    _result, found = host.prepared()
    assert "warnings" not in found


# --- where it is not the first way ---

DNS_FIRST = [{"type": "dns-01", "server": "127.0.0.1"}, {"type": "http-01"}]


def later(host: Host, way: str) -> None:
    """An issuer that comes to http-01 only after something else."""
    if way == "fallback":
        host.issuers = {"le": {"type": "internal_ca", "directory": "/nonexistent", "fallback": ["public"]},
                        "public": host.issuer("public")}  # fmt: skip
    else:
        host.issuers = {"le": host.issuer("le", challenge=DNS_FIRST)}


@pytest.mark.parametrize("way", ["fallback", "second challenge"])
def test_what_comes_later_is_prepared_too(host: Host, way: str) -> None:
    later(host, way)
    _result, found = host.prepared(adopt=True)
    assert "error" not in found and "warnings" not in found, found
    assert challenge_answer(host.port, "shop.example.org") == (200, f"a-token.{host.thumbprint}")


@pytest.mark.parametrize("way", ["fallback", "second challenge"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "add this line behind `server {`"),
        ({"nginx_dump": ["false"]}, "could not be printed"),
        ({"adopt": True, "address": "127.0.0.2"}, "this is what a client gets"),
    ],
)
def test_what_keeps_it_from_being_prepared_is_a_warning(
    host: Host, way: str, options: dict[str, Any], said: str
) -> None:
    later(host, way)
    _result, found = host.prepared(**options)
    assert "error" not in found and found["prepared"]["version"]
    [text] = found["warnings"]
    issuer = "public" if way == "fallback" else "le"
    assert text.startswith(f"{issuer} could not validate shop.example.org by http-01 if it had to: ") and said in text


def test_an_address_can_only_be_validated_by_http_whatever_comes_first(host: Host) -> None:
    later(host, "second challenge")
    host.names("shop.example.org", "127.0.0.1", reload=True)
    result = host.step("key_csr", host.due(server_names=["shop.example.org", "127.0.0.1"]), **host.options())
    error = result["rotations"][0]["error"]
    assert error["code"] == "challenge_not_answered" and "127.0.0.1" in error["msg"]


def test_a_block_is_for_who_needs_it_before_who_might(host: Host) -> None:
    """Each is another account, and one block answers for one."""
    host.names("blog.example.org", "shop.example.org", reload=True)
    host.issuers = {"other": host.issuer("other", challenge=DNS_FIRST), "le": host.issuer("le")}
    might = {**host.due(server_names=["blog.example.org"]), "issuer": "other", "name": "blog"}
    result = host.step("key_csr", might, host.due(), **host.options(adopt=True))
    by_name = {one["name"]: one for one in result["rotations"]}
    assert all("error" not in one for one in by_name.values()), by_name
    assert "different ACME accounts" in by_name["blog"]["warnings"][0] and "warnings" not in by_name["shop"]
    assert challenge_answer(host.port, "shop.example.org") == (200, f"a-token.{host.thumbprint}")


def test_a_fallback_that_is_not_right_stops_nothing(host: Host) -> None:
    later(host, "fallback")
    Path(host.issuers["public"]["account_key"]).write_text("no key")
    _result, found = host.prepared()
    assert "error" not in found and len(host.modules.outputs) == 1
    # Nor does it keep the next one from being prepared.
    host.issuers["le"]["fallback"] = ["public", "third"]
    host.issuers["third"] = host.issuer("third")
    _result, found = host.prepared(adopt=True)
    assert "error" not in found and "warnings" not in found
    assert challenge_answer(host.port, "shop.example.org") == (200, f"a-token.{host.thumbprint}")
