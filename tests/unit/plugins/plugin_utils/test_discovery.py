# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a host module's answer to rotations. What nginx prints is read in test_nginx_dump."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils.discovery import discovered

REQUEST = {"address": "192.0.2.7", "issuer": "internal", "key": {"type": "rsa", "size": 2048}, "must_staple": None}
SERVER = "server { listen 443 ssl; server_name shop.example.org; ssl_certificate %s; ssl_certificate_key %s; }"


def nginx(*servers: str) -> dict[str, Any]:
    text = "# configuration file /etc/nginx/nginx.conf:\nevents {}\nhttp {\n" + "\n".join(servers) + "\n}\n"
    return {"ok": True, "configuration": text, "warnings": ""}


def test_rotations_start_with_what_the_role_says() -> None:
    rotations, vhosts, problems = discovered(nginx(SERVER % ("/a.crt", "/a.key")), REQUEST, "/etc/certops")
    (found,) = rotations
    assert (found["issuer"], found["key"]) == ("internal", {"type": "rsa", "size": 2048})
    assert "must_staple" not in found
    assert found["listeners"] == [{"address": "192.0.2.7", "port": 443}]
    assert found["sources"] == ["/etc/nginx/nginx.conf:3"]
    assert len(vhosts) == 1 and problems == []


def test_release_that_is_used_already_is_known_by_its_folder() -> None:
    live = "/etc/certops/shop/live"
    rotations, _vhosts, _problems = discovered(
        nginx(SERVER % (f"{live}/fullchain.pem", f"{live}/privkey.pem")), REQUEST, "/etc/certops"
    )
    assert rotations[0]["name"] == "shop"
    assert not rotations[0].get("paths")


def test_problems_are_sentences_with_their_place() -> None:
    without_name = "server { listen 443 ssl; ssl_certificate /a.crt; ssl_certificate_key /a.key; }"
    rotations, _vhosts, (problem,) = discovered(nginx(without_name), REQUEST, "/etc/certops")
    assert rotations == []
    assert problem.startswith("/etc/nginx/nginx.conf:3: ") and problem.endswith("(no_server_name)")


@pytest.mark.parametrize("given", [None, {}])
def test_host_that_was_not_asked_has_nothing(given: dict[str, Any] | None) -> None:
    assert discovered(given, REQUEST, "/etc/certops") == ([], [], [])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (
            {"ok": False, "configuration": "", "warnings": "nginx: unknown directive"},
            "configuration_unreadable",
        ),
        ({"ok": True, "configuration": "something else", "warnings": ""}, "no_configuration"),
    ],
)
def test_configuration_that_cannot_be_had_is_an_error(given: dict[str, Any], code: str) -> None:
    with pytest.raises(RotationError) as caught:
        discovered(given, REQUEST, "/etc/certops")
    assert caught.value.code == code
    assert given["warnings"] in caught.value.message
