# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations in the shapes people have, printed by a real nginx -T and read back."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import Configuration, Vhost
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_rotations import rotations_from_vhosts
from ansible_collections.certops.rotation.plugins.plugin_utils.nginx_dump import read_dump
from ansible_collections.certops.rotation.tests.support.pki import Authority, make_key

DEFAULTS = {"issuer": "internal", "key": {"type": "ecdsa", "curve": "secp256r1"}, "must_staple": False}


class Nginx:
    """A folder with certificates, into which configurations are written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        root = Authority.root()
        self.pair("shop", root.issue(["shop.example.org"]))
        self.pair("shop-rsa", root.issue(["shop.example.org"], key=make_key("rsa")))
        (folder / "root.pem").write_text(root.pem)
        (folder / "logs").mkdir()

    def pair(self, name: str, issued: Any) -> None:
        (self.folder / f"{name}.crt").write_text(issued.chain_pem)
        (self.folder / f"{name}.key").write_text(issued.key_pem)

    def dump(self, files: Mapping[str, str]) -> str:
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace("@", str(self.folder)))
        globals_ = f"error_log {self.folder}/error.log; pid {self.folder}/pid;"
        command = ["nginx", "-T", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-g", globals_]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, files: Mapping[str, str]) -> tuple[Configuration, list[Vhost]]:
        configuration = read_dump(self.dump(files))
        return configuration, configuration.vhosts()

    def rotations(
        self, files: Mapping[str, str], address: str = "192.0.2.7", root: str = "/etc/certops"
    ) -> tuple[list[dict[str, Any]], list[str]]:
        configuration, vhosts = self.read(files)
        rotations, problems = rotations_from_vhosts(vhosts, address, DEFAULTS, root)
        return rotations, [problem.code for problem in (*configuration.problems, *problems)]


@pytest.fixture(name="nginx", scope="module")
def _nginx(tmp_path_factory: pytest.TempPathFactory) -> Nginx:
    return Nginx(tmp_path_factory.mktemp("nginx"))


def http(*servers: str, before: str = "") -> dict[str, str]:
    return {"nginx.conf": "events {}\nhttp {\naccess_log off;\n" + before + "\n" + "\n".join(servers) + "\n}\n"}


RSA = "ssl_certificate @/shop-rsa.crt; ssl_certificate_key @/shop-rsa.key;"
PAIR = "ssl_certificate @/shop.crt; ssl_certificate_key @/shop.key;"


def test_debian_layout_is_put_together_from_its_includes(nginx: Nginx) -> None:
    rotations, problems = nginx.rotations(
        {
            "nginx.conf": "events {}\nhttp { access_log off; include mime.types; include conf.d/*.conf;\n"
            "include @/sites-enabled/*; }\n",
            "mime.types": 'types { text/html html; "text/x}" x; }\n',
            "conf.d/00-map.conf": "map $http_upgrade $conn { default upgrade; '' close; }\n",
            "conf.d/.hidden.conf": "nonsense\n",
            "snippets/tls.conf": "ssl_certificate shop.crt;\nssl_certificate_key shop.key;\n",
            "sites-enabled/default": "server { listen 80 default_server; server_name _; }\n",
            "sites-enabled/shop": "# the shop { of horrors\nserver {\n  listen 443 ssl;\n  listen [::]:443 ssl;\n"
            "  server_name shop.example.org www.shop.example.org;\n  include snippets/tls.conf;\n}\n",
        }
    )
    assert problems == []
    (rotation,) = rotations
    assert rotation == {
        **DEFAULTS,
        "name": "shop.example.org",
        "server_names": ["shop.example.org", "www.shop.example.org"],
        "listeners": [{"address": "192.0.2.7", "port": 443}],
        "stapling": "off",
        "companion_of": None,
        "sources": [f"{nginx.folder}/sites-enabled/shop:2"],
        "paths": {"certificate": f"{nginx.folder}/shop.crt", "key": f"{nginx.folder}/shop.key"},
    }


def test_certificate_is_inherited_from_http_and_replaced_in_a_server(nginx: Nginx) -> None:
    nginx.pair("own", Authority.root().issue(["own.example.org"]))
    _configuration, vhosts = nginx.read(
        http(
            "server { listen 18443 ssl; server_name a.example.org; }",
            "server { listen 18443 ssl; server_name own.example.org; ssl_certificate own.crt;"
            " ssl_certificate_key own.key; ssl_stapling off; ssl_trusted_certificate own.crt; }",
            before=PAIR + " ssl_stapling on; ssl_trusted_certificate root.pem;",
        )
    )
    inherited, own = vhosts
    assert (inherited.certificate, inherited.stapling) == (f"{nginx.folder}/shop.crt", True)
    assert inherited.trust == f"{nginx.folder}/root.pem"
    assert (own.certificate, own.key) == (f"{nginx.folder}/own.crt", f"{nginx.folder}/own.key")
    assert (own.stapling, own.trust) == (False, f"{nginx.folder}/own.crt")


def test_one_pair_of_several_server_blocks_is_one_rotation(nginx: Nginx) -> None:
    rotations, _problems = nginx.rotations(
        http(
            "server { listen 18443 ssl; server_name a.example.org; }",
            "server { listen 18444 ssl; server_name b.example.org a.example.org; }",
            before=PAIR,
        )
    )
    (rotation,) = rotations
    assert rotation["server_names"] == ["a.example.org", "b.example.org"]
    assert [listener["port"] for listener in rotation["listeners"]] == [18443, 18444]
    assert len(rotation["sources"]) == 2


def test_two_pairs_of_one_block_are_companions_with_the_types_of_their_paths(nginx: Nginx) -> None:
    rotations, problems = nginx.rotations(
        http(
            "server { listen 18443 ssl; server_name shop.example.org; "
            + PAIR
            + " ssl_certificate @/shop-rsa.crt; ssl_certificate_key @/shop-rsa.key; }"
        )
    )
    assert problems == []
    first, second = rotations
    assert (first["companion_of"], second["companion_of"]) == (None, "shop.example.org")
    assert first["key"] == {"type": "ecdsa", "curve": "secp256r1"}
    assert second["key"] == {"type": "rsa", "size": 2048}
    assert second["name"].startswith("shop.example.org-")


def test_two_pairs_of_unknown_types_are_reported_not_guessed(nginx: Nginx) -> None:
    nginx.pair("second", Authority.root().issue(["shop.example.org"], key=make_key("rsa")))
    rotations, problems = nginx.rotations(
        http(
            "server { listen 18443 ssl; server_name shop.example.org; "
            + PAIR
            + " ssl_certificate @/second.crt; ssl_certificate_key @/second.key; }"
        )
    )
    assert (rotations, problems) == ([], ["key_type_unknown"])


def test_names_that_no_certificate_can_have_are_reported(nginx: Nginx) -> None:
    rotations, problems = nginx.rotations(
        http(
            r'server { listen 18443 ssl; server_name "~^(?<x>.+)\.example\.org$" mail.* .example.org $hostname "" _;'
            + PAIR
            + "}",
            'server { listen 18444 ssl; server_name _ ""; ' + RSA + "}",
        )
    )
    (rotation,) = rotations
    assert rotation["server_names"] == ["example.org", "*.example.org"]
    assert problems == ["name_not_for_a_certificate"] * 3 + ["no_server_name"]


def test_pairs_that_are_no_files_are_reported(nginx: Nginx) -> None:
    _configuration, vhosts = nginx.read(http("server { listen 18443 ssl; server_name a.example.org; " + PAIR + "}"))
    assert len(vhosts) == 1
    rotations, problems = nginx.rotations(
        http(
            "server { listen 18443 ssl; server_name a.example.org; ssl_certificate @/$ssl_server_name.crt;"
            " ssl_certificate_key @/$ssl_server_name.key; }",
            'server { listen 18443 ssl; server_name b.example.org; ssl_certificate "data:$cert";'
            ' ssl_certificate_key "data:$key"; }',
            before="map $ssl_server_name $cert { default x; } map $ssl_server_name $key { default x; }",
        )
    )
    assert (rotations, problems) == ([], ["variable_in_path", "variable_in_path"])


@pytest.mark.parametrize(
    ("listen", "address", "listeners"),
    [
        ("18443 ssl", "192.0.2.7", ["192.0.2.7:18443"]),
        ("*:18443 ssl", "192.0.2.7", ["192.0.2.7:18443"]),
        ("0.0.0.0:18443 ssl", "web1.example.org", ["web1.example.org:18443"]),
        ("[::]:18443 ssl", "192.0.2.7", ["192.0.2.7:18443"]),
        ("[::]:18443 ssl", "127.0.0.1", ["::1:18443"]),
        ("[::1]:18443 ssl", "::1", ["::1:18443"]),
        ("127.0.0.1:18443 ssl", "127.0.0.1", ["127.0.0.1:18443"]),
        ("127.0.0.2:18443 default_server ssl http2", "127.0.0.1", ["127.0.0.2:18443"]),
        ("localhost:18443 ssl", "127.0.0.1", ["localhost:18443"]),
        ("127.0.0.1:18443-18445 ssl", "127.0.0.1", ["127.0.0.1:18443", "127.0.0.1:18444", "127.0.0.1:18445"]),
    ],
)
def test_form_of_listen_becomes_where_a_client_connects(
    nginx: Nginx, listen: str, address: str, listeners: list[str]
) -> None:
    rotations, problems = nginx.rotations(
        http(f"server {{ listen {listen}; server_name a.example.org; {PAIR} }}"), address=address
    )
    assert problems == []
    assert [f"{one['address']}:{one['port']}" for one in rotations[0]["listeners"]] == listeners


@pytest.mark.parametrize(
    ("listen", "code"),
    [
        ("unix:@/sock ssl", "unix_socket"),
        ("18443 ssl proxy_protocol", "proxy_protocol"),
        ("127.0.0.1:18443 ssl", "loopback_only"),
    ],
)
def test_listener_that_no_client_of_ours_reaches_is_reported(nginx: Nginx, listen: str, code: str) -> None:
    rotations, problems = nginx.rotations(http(f"server {{ listen {listen}; server_name a.example.org; {PAIR} }}"))
    assert (rotations, problems) == ([], [code])


def test_plain_http_beside_tls_is_left_alone(nginx: Nginx) -> None:
    rotations, problems = nginx.rotations(
        http(
            "server { listen 18080; server_name plain.example.org; }",
            "server { server_name none.example.org; }",
            "server { listen 18080; listen 18443 ssl; server_name both.example.org; " + PAIR + "}",
        )
    )
    assert problems == []
    assert [one["listeners"] for one in rotations] == [[{"address": "192.0.2.7", "port": 18443}]]


def test_block_that_shares_a_tls_socket_is_tls_too(nginx: Nginx) -> None:
    rotations, _problems = nginx.rotations(
        http(
            "server { listen 18443 ssl; server_name a.example.org; " + RSA + "}",
            "server { listen 18443; server_name b.example.org; " + PAIR + "}",
        )
    )
    assert sorted(one["name"] for one in rotations) == ["a.example.org", "b.example.org"]


def test_old_ssl_on_makes_every_listener_tls() -> None:
    # Text in place of a real dump: nginx removed the directive in 1.25.1.
    dump = (
        "# configuration file /etc/nginx/nginx.conf:\nhttp { server { listen 18443; ssl on; server_name a.example.org;"
        " ssl_certificate a.crt; ssl_certificate_key a.key; } }\n"
    )
    rotations, _problems = rotations_from_vhosts(read_dump(dump).vhosts(), "192.0.2.7", DEFAULTS)
    assert rotations[0]["listeners"] == [{"address": "192.0.2.7", "port": 18443}]


def test_stream_server_counts_where_it_is_given_a_name(nginx: Nginx) -> None:
    dump = (
        "# configuration file /etc/nginx/nginx.conf:\nevents {}\nstream { server { listen 853 ssl;"
        " server_name dns.example.org; ssl_certificate d.crt; ssl_certificate_key d.key; proxy_pass 127.0.0.1:53; } }\n"
    )
    configuration = read_dump(dump)
    rotations, problems = rotations_from_vhosts(configuration.vhosts(), "192.0.2.7", DEFAULTS)
    assert [problem.code for problem in (*problems, *configuration.problems)] == []
    assert rotations[0]["paths"]["key"] == "/etc/nginx/d.key"


def test_quic_beside_tls_is_no_second_listener_and_alone_is_reported() -> None:
    dump = (
        "# configuration file /etc/nginx/nginx.conf:\nhttp { ssl_certificate a.crt; ssl_certificate_key a.key;\n"
        "server { listen 443 ssl; listen 443 quic reuseport; http2 on; server_name a.org; }\n"
        "server { listen 8443 quic; server_name b.org; } }\n"
    )
    configuration = read_dump(dump)
    vhosts = configuration.vhosts()
    assert [vhost.server_names for vhost in vhosts] == [("a.org",)]
    assert len(vhosts[0].listens) == 1
    assert [problem.code for problem in configuration.problems] == ["quic_only"]


def test_adopted_block_is_known_by_its_folder(nginx: Nginx) -> None:
    live = nginx.folder / "certops" / "the-shop" / "live"
    live.mkdir(parents=True)
    for name, source in (("fullchain.pem", "shop.crt"), ("privkey.pem", "shop.key")):
        (live / name).write_text((nginx.folder / source).read_text())
    (live / "nginx.conf").write_text("# no stapling\n")
    rotations, problems = nginx.rotations(
        http(
            "server { listen 18443 ssl; server_name shop.example.org;"
            " ssl_certificate @/certops/the-shop/live/fullchain.pem;"
            " ssl_certificate_key @/certops/the-shop/live/privkey.pem;"
            " include @/certops/the-shop/live/nginx.conf; }"
        ),
        root=f"{nginx.folder}/certops",
    )
    assert problems == []
    (rotation,) = rotations
    assert rotation["name"] == "the-shop"
    assert "paths" not in rotation
    assert rotation["stapling"] == "auto"


def test_two_pairs_for_the_same_first_name_get_names_that_last(nginx: Nginx) -> None:
    files = http(
        "server { listen 18443 ssl; server_name a.example.org; " + PAIR + "}",
        "server { listen 18444 ssl; server_name a.example.org; " + RSA + "}",
    )
    names = [one["name"] for one in nginx.rotations(files)[0]]
    assert names[0] == "a.example.org"
    assert names[1].startswith("a.example.org-")
    assert [one["name"] for one in nginx.rotations(files)[0]] == names


def test_text_without_configuration_is_an_error() -> None:
    with pytest.raises(RotationError) as caught:
        read_dump("nginx: [emerg] host not found in upstream\n")
    assert caught.value.code == "no_configuration"


def test_file_that_cannot_be_parsed_is_a_problem_and_the_rest_counts() -> None:
    dump = (
        "# configuration file /etc/nginx/nginx.conf:\nhttp { include bad.conf; include gone.conf;"
        " server { listen 443 ssl; server_name a.org; ssl_certificate a.crt; ssl_certificate_key a.key; } }\n\n"
        "# configuration file /etc/nginx/bad.conf:\nserver { listen 443 ssl; \n"
    )
    configuration = read_dump(dump)
    assert [vhost.server_names for vhost in configuration.vhosts()] == [("a.org",)]
    assert {problem.code for problem in configuration.problems} == {"not_parsed", "include_missing"}
    assert not any("/tmp/" in problem.text for problem in configuration.problems)


def test_include_that_includes_itself_ends() -> None:
    configuration = read_dump("# configuration file /etc/nginx/nginx.conf:\nhttp { include nginx.conf; }\n")
    configuration.vhosts()
    configuration.files = {"/a": [{"directive": "include", "args": ["/a"], "line": 1}]}
    configuration.main = "/a"
    assert configuration.vhosts() == []
    assert configuration.problems[-1].code == "include_too_deep"
