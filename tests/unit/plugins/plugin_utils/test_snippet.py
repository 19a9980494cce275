# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's own template, in every way of stapling; that nginx takes it is shown by the integration tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils.snippet import responder, snippets

TEMPLATE = (Path(__file__).resolve().parents[4] / "roles/rotate/templates/nginx.conf.j2").read_text("utf-8")
OCSP = ["http://ocsp.example.org/"]


def rotation(**more: Any) -> dict[str, Any]:
    return {"name": "shop", "server_names": ["shop.example.org"], "issued": {"ocsp_urls": OCSP}, **more}


def directives(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert all(line.endswith(";") for line in lines)
    return lines


def test_each_way_has_the_directives_it_needs() -> None:
    found = snippets(TEMPLATE, rotation(), "/etc/certops", ["192.0.2.53", "[2001:db8::53]"])
    trust = "ssl_trusted_certificate /etc/certops/shop/live/trust.pem;"
    assert directives(found["off"]) == []
    assert directives(found["nginx"]) == [
        "ssl_stapling on;", trust, "ssl_stapling_verify on;", "resolver 192.0.2.53 [2001:db8::53];",
    ]  # fmt: skip
    assert directives(found["file"]) == [
        "ssl_stapling on;", trust, "ssl_stapling_file /etc/certops/shop/live/staple.der;",
    ]  # fmt: skip


def test_without_resolvers_there_is_no_directive_for_them() -> None:
    assert not any(
        "resolver" in line for line in directives(snippets(TEMPLATE, rotation(), "/etc/certops", [])["nginx"])
    )


def test_companion_leaves_the_directives_to_the_other() -> None:
    found = snippets(TEMPLATE, rotation(companion_of="shop-rsa"), "/etc/certops", [])
    assert [directives(text) for text in found.values()] == [[], [], []]
    assert all("shop-rsa" in text for text in found.values())


def test_off_says_why() -> None:
    assert "names no OCSP responder" in snippets(TEMPLATE, rotation(issued={}), "/etc/certops", [])["off"]
    assert "switched off" in snippets(TEMPLATE, rotation(), "/etc/certops", [])["off"]


@pytest.mark.parametrize("template", ["{{ unknown }}", "{% for %}", "{{ name.no.such }}", "{{ 1 / 'a' }}"])
def test_template_that_is_none_has_its_own_error(template: str) -> None:
    with pytest.raises(RotationError) as caught:
        snippets(template, rotation(), "/etc/certops", [])
    assert caught.value.code == "snippet_template_invalid"
    assert "shop" in caught.value.message


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ([], None),
        (["http://ocsp.example.org"], {"host": "ocsp.example.org", "port": 80}),
        (["http://ocsp.example.org:8080/x"], {"host": "ocsp.example.org", "port": 8080}),
        (["ldap:///cn=x", "http://[2001:db8::1]/"], {"host": "2001:db8::1", "port": 80}),
    ],
)
def test_responder_is_the_first_with_a_host(urls: list[str], expected: dict[str, Any] | None) -> None:
    assert responder(rotation(issued={"ocsp_urls": urls})) == expected
