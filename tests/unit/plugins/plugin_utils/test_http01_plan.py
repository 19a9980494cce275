# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing for http-01 in configurations as people have them, printed by a real nginx -T and read back."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.http01_plan import (
    Http01Plan,
    Wanted,
    plan_http01,
    snippet_path,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import dumped_files
from ansible_collections.certops.rotation.plugins.module_utils._host import http01_texts
from ansible_collections.certops.rotation.plugins.plugin_utils.nginx_dump import read_dump
from ansible_collections.certops.rotation.tests.support.pki import Authority

OURS, OTHER = "A" * 43, "B" * 43
SHOP = Wanted("shop.example.org", "le", OURS)


class Nginx:
    """A folder into which configurations are written; @ is its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        issued = Authority.root().issue(["shop.example.org"])
        (folder / "shop.crt").write_text(issued.chain_pem)
        (folder / "shop.key").write_text(issued.key_pem)
        (folder / "logs").mkdir()
        (folder / "certops").mkdir()
        for issuer, thumbprint in (("le", OURS), ("other", OTHER), ("old", OTHER)):
            text = http01_texts.snippet_text(issuer, thumbprint)
            Path(snippet_path(str(folder / "certops"), issuer)).write_text(text)

    def plan(
        self, *servers: str, wanted: Sequence[Wanted] = (SHOP,), files: Mapping[str, str] | None = None
    ) -> Http01Plan:
        for old in (*self.folder.glob("conf.d/*"), *self.folder.glob("sites/*")):
            old.unlink()
        main = "events {}\nhttp {\naccess_log off;\ninclude conf.d/*.conf;\n" + "\n".join(servers) + "\n}\n"
        for path, text in {"nginx.conf": main, **(files or {})}.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace("@", str(self.folder)))
        globals_ = f"error_log {self.folder}/error.log; pid {self.folder}/pid;"
        command = ["nginx", "-T", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-g", globals_]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return plan_http01(
            read_dump(done.stdout),
            dumped_files(done.stdout),
            wanted,
            root=str(self.folder / "certops"),
            server_path=str(self.folder / "conf.d" / "certops.conf"),
        )

    def short(self, plan: Http01Plan, name: str = "shop.example.org") -> list[tuple[str, int, str]]:
        """(file, line, its text) of the insertions for a name."""
        place = str(self.folder) + "/"
        return [(one.file.replace(place, ""), one.line, one.text) for one in plan.insertions.get(name, [])]


@pytest.fixture(name="nginx", scope="module")
def _nginx(tmp_path_factory: pytest.TempPathFactory) -> Nginx:
    return Nginx(tmp_path_factory.mktemp("nginx"))


PAIR = "ssl_certificate @/shop.crt; ssl_certificate_key @/shop.key;"
TLS = f"server {{ listen 443 ssl; server_name shop.example.org; {PAIR} }}"
TLS6 = TLS.replace("listen 443 ssl;", "listen 443 ssl; listen [::]:443 ssl;")
INCLUDED = "include @/certops/http-01.le.conf;"
TOKEN = "^/.well-known/acme-challenge/([-_A-Za-z0-9]+)$"


def block(*inside: str, listen: str = "listen 80;", name: str = "shop.example.org") -> str:
    return "\n".join(["server {", listen, f"server_name {name};", *inside, "}"])


@pytest.mark.parametrize(
    "inside",
    [
        [INCLUDED],
        [INCLUDED, "return 301 https://$host$request_uri;"],
        ["if ($host = www.example.org) { return 301 https://x/; }", INCLUDED],
        ['rewrite "^/old/(.*)$" /new/$1 permanent;', INCLUDED],
        ["add_header X y;", "location / { return 301 https://$host$request_uri; }", INCLUDED],
        [f'location ~ "{TOKEN}" {{ return 200 "$1.{OURS}"; }}'],
        [f"location ~* {TOKEN} {{ default_type text/plain; return 200 $1.{OURS}; }}"],
    ],
)
def test_what_answers_already_is_left_alone(nginx: Nginx, inside: list[str]) -> None:
    plan = nginx.plan(TLS, block(*inside))
    assert (plan.insertions, plan.servers, plan.errors) == ({}, [], {})
    assert set(plan.configured) == {"shop.example.org"}


@pytest.mark.parametrize(
    "inside",
    [
        [],
        ["return 301 https://$host$request_uri;"],
        ["if ($host = shop.example.org) { return 301 https://$host$request_uri; }", "return 404;"],
        ["return 301 https://x/;", f'location ~ {TOKEN} {{ return 200 "$1.{OURS}"; }}'],
        [r"location ~ /\. { deny all; }", f'location ~ {TOKEN} {{ return 200 "$1.{OURS}"; }}'],
        ["if ($http_user_agent ~ bot) { return 403; }", f'location ~ {TOKEN} {{ return 200 "$1.{OURS}"; }}'],
        ["rewrite ^ https://$host$request_uri? permanent;"],
    ],
)
def test_what_does_not_answer_gets_the_line_in_front_of_all_else(nginx: Nginx, inside: list[str]) -> None:
    plan = nginx.plan(TLS, files={"conf.d/http.conf": "# port 80\n" + block(*inside) + "\n"})
    assert nginx.short(plan) == [("conf.d/http.conf", 2, "server {")]
    [spot] = plan.insertions["shop.example.org"]
    assert spot.column == len("server {")
    assert spot.include == f"include {nginx.folder}/certops/http-01.le.conf;"
    assert not plan.errors
    assert not plan.configured


@pytest.mark.parametrize(
    ("text", "line", "seen"),
    [
        ("server\n{\nlisten 80;\n}\n", 2, "{"),
        ("server # old\n# and new\n{ listen 80; }\n", 3, "{ listen 80; }"),
        ("\n    server { listen 80; } # {", 2, "    server { listen 80; } # {"),
        ("server{ # { here\nlisten 80;\n}\n", 1, "server{ # { here"),
    ],
)
def test_the_brace_is_found_however_the_block_is_written(nginx: Nginx, text: str, line: int, seen: str) -> None:
    plan = nginx.plan(TLS, files={"conf.d/http.conf": text})
    assert nginx.short(plan) == [("conf.d/http.conf", line, seen)]
    [spot] = plan.insertions["shop.example.org"]
    assert seen[spot.column - 1] == "{"
    given = {"path": "x", "line": line, "text": seen, "column": spot.column}
    after = http01_texts.with_include(text.split("\n"), given, f"include {nginx.folder}/certops/http-01.le.conf;")
    assert after is not None
    plan = nginx.plan(TLS, files={"conf.d/http.conf": "\n".join(after)})
    assert set(plan.configured) == {"shop.example.org"}


def test_several_blocks_on_one_line_are_named_but_not_touched(nginx: Nginx) -> None:
    plan = nginx.plan(files={"conf.d/http.conf": "server { listen 80; } server { listen 81; }\n"})
    assert not plan.insertions
    assert "conf.d/http.conf:1" in plan.errors["shop.example.org"].message


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["other.example.org", "shop.example.org", "*.example.org"], 1),
        (["other.example.org", "shop.*", "*.example.org"], 2),
        (["other.example.org", "*.org", ".example.org"], 2),
        (["other.example.org", "~^(?<sub>shop)\\.example\\.org$", "shop.*"], 2),
        (["other.example.org", "~^(?<sub>shop)\\.example\\.org$", "~.*"], 1),
        (["other.example.org", "~^other", '""'], 0),
        (["SHOP.example.org", "~.*", "~.*"], 0),
    ],
)
def test_the_block_is_the_one_that_nginx_takes(nginx: Nginx, names: list[str], chosen: int) -> None:
    servers = [block(name=name, listen="listen 80;").replace("\n", " ") for name in names]
    plan = nginx.plan(TLS, files={"conf.d/http.conf": "\n".join(servers)})
    assert [line for _file, line, _text in nginx.short(plan)] == [chosen + 1]


def test_the_default_server_answers_for_names_that_no_block_has(nginx: Nginx) -> None:
    first = block(name="a.example.org").replace("\n", " ")
    other = block(name="_", listen="listen 80 default_server;").replace("\n", " ")
    plan = nginx.plan(TLS, files={"conf.d/http.conf": f"{first}\n{other}\n"})
    assert [line for _file, line, _text in nginx.short(plan)] == [2]


def test_a_name_may_lead_to_two_blocks_one_for_each_ip_version(nginx: Nginx) -> None:
    four = block(listen="listen 80;").replace("\n", " ")
    six = block(listen="listen [::]:80;").replace("\n", " ")
    plan = nginx.plan(TLS6, files={"conf.d/http.conf": f"{four}\n{six}\n"})
    assert [line for _file, line, _text in nginx.short(plan)] == [1, 2]


def test_an_address_of_its_own_hides_the_blocks_of_all_addresses(nginx: Nginx) -> None:
    tls = TLS.replace("listen 443", "listen 127.0.0.1:443")
    everywhere = block(listen="listen 80;").replace("\n", " ")
    there = block(listen="listen 127.0.0.1:80;", name="x.example.org").replace("\n", " ")
    plan = nginx.plan(tls, files={"conf.d/http.conf": f"{everywhere}\n{there}\n"})
    assert [line for _file, line, _text in nginx.short(plan)] == [2]


def test_a_status_page_on_loopback_is_no_port_80_for_others(nginx: Nginx) -> None:
    plan = nginx.plan(TLS, block(listen="listen 127.0.0.1:80;", name="localhost"))
    assert [(one.server_names, one.listens) for one in plan.servers] == [(["shop.example.org"], ["80"])]


def test_without_port_80_a_server_is_made_where_tls_is(nginx: Nginx) -> None:
    plan = nginx.plan(TLS6)
    [server] = plan.servers
    assert (server.issuer, server.server_names) == ("le", ["shop.example.org"])
    assert sorted(server.listens) == ["80", "[::]:80"]
    assert not plan.insertions
    assert not plan.errors


def test_ipv6_without_port_80_gets_a_server_beside_the_block_for_ipv4(nginx: Nginx) -> None:
    plan = nginx.plan(TLS6, block(INCLUDED))
    assert [(one.server_names, one.listens) for one in plan.servers] == [(["shop.example.org"], ["[::]:80"])]


def test_an_ipv6_socket_may_take_ipv4_too(nginx: Nginx) -> None:
    plan = nginx.plan(TLS, block(INCLUDED, listen="listen [::]:80 ipv6only=off;"))
    assert set(plan.configured) == {"shop.example.org"}
    assert not plan.servers


def test_a_server_file_that_nginx_does_not_read_is_an_error_with_the_line_to_add(nginx: Nginx) -> None:
    main = "events {}\nhttp {\naccess_log off;\n}\n"
    plan = nginx.plan(files={"nginx.conf": main})
    error = plan.errors["shop.example.org"]
    assert error.code == "challenge_not_answered"
    assert f"include {nginx.folder}/conf.d/certops.conf;" in error.remedy
    assert "nginx.conf:2" in error.remedy
    assert not plan.servers


def test_our_own_server_file_is_added_to(nginx: Nginx) -> None:
    own = http01_texts.server_text(
        str(nginx.folder / "certops"),
        [{"issuer": "other", "server_names": ["old.example.org", "shop.example.org"], "listens": ["80"]}],
    )
    plan = nginx.plan(TLS, files={"conf.d/certops.conf": own})
    assert {one.issuer: (one.server_names, one.listens) for one in plan.servers} == {
        "other": (["old.example.org"], ["80"]),
        "le": (["shop.example.org"], ["80"]),
    }


def test_a_file_with_the_thumbprint_of_an_old_account_key_is_only_written_anew(nginx: Nginx) -> None:
    wanted = Wanted("shop.example.org", "old", OURS)
    plan = nginx.plan(TLS, block("include @/certops/http-01.old.conf;"), wanted=[wanted])
    assert set(plan.configured) == {"shop.example.org"}


def test_another_account_that_answers_first_is_named(nginx: Nginx) -> None:
    plan = nginx.plan(TLS, block("include @/certops/http-01.other.conf;", INCLUDED))
    assert "http-01.other.conf" in plan.errors["shop.example.org"].message


def test_our_line_behind_a_redirect_is_named(nginx: Nginx) -> None:
    plan = nginx.plan(TLS, block("return 301 https://$host$request_uri;", INCLUDED))
    error = plan.errors["shop.example.org"]
    assert "return 301" in error.message
    assert "first line" in error.remedy


def test_two_accounts_for_one_block_are_refused(nginx: Nginx) -> None:
    both = block(name="shop.example.org www.example.org")
    plan = nginx.plan(TLS, both, wanted=[SHOP, Wanted("www.example.org", "other", OTHER)])
    assert set(plan.errors) == {"www.example.org"}
    assert "different ACME accounts" in plan.errors["www.example.org"].message
    assert len(plan.insertions["shop.example.org"]) == 1


def test_one_account_key_for_two_issuers_is_one_line(nginx: Nginx) -> None:
    both = block(name="shop.example.org www.example.org")
    plan = nginx.plan(TLS, both, wanted=[SHOP, Wanted("www.example.org", "other", OURS)])
    assert plan.insertions["shop.example.org"] == plan.insertions["www.example.org"]
    assert not plan.errors


@pytest.mark.parametrize(
    "location",
    [
        "location /.well-known/acme-challenge/ { root /var/www/letsencrypt; }",
        "location ^~ /.well-known/acme-challenge/ { proxy_pass http://127.0.0.1:8888; }",
    ],
)
def test_another_acme_client_is_not_cut_off(nginx: Nginx, location: str) -> None:
    plan = nginx.plan(TLS, block(location))
    assert "another ACME client" in plan.errors["shop.example.org"].message
    assert not plan.insertions


def test_tls_on_port_80_is_no_place_for_plain_http(nginx: Nginx) -> None:
    plan = nginx.plan(TLS.replace("listen 443", "listen 80"))
    assert "speaks TLS" in plan.errors["shop.example.org"].message


def test_the_host_calls_the_file_the_same() -> None:
    assert snippet_path("/etc/certops", "le") == http01_texts.snippet_path("/etc/certops", "le")
