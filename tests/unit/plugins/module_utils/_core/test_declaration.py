# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.declaration import probe, rotations_from_request

REQUEST = {
    "address": "192.0.2.7",
    "port": 8443,
    "issuer": "internal",
    "key": {"type": "ecdsa", "curve": "secp384r1"},
    "must_staple": False,
    "stapling": "auto",
}


def declared(**certificate: Any) -> dict[str, Any]:
    given = {"name": "shop", "server_names": ["shop.example.org"], **certificate}
    (rotation,) = rotations_from_request("web1", {**REQUEST, "certificates": [given]})
    return rotation


def test_what_is_left_out_comes_from_the_host() -> None:
    assert declared() == {
        "host": "web1",
        "name": "shop",
        "server_names": ["shop.example.org"],
        "listeners": [{"address": "192.0.2.7", "port": 8443}],
        "issuer": "internal",
        "key": {"type": "ecdsa", "curve": "secp384r1"},
        "must_staple": False,
        "stapling": "auto",
        "companion_of": None,
        "sources": ["declared"],
        "declared": [],
    }


def test_what_is_declared_counts_and_is_made_canonical() -> None:
    found = declared(
        server_names=["SHOP.example.org", "shop.example.org", "[::1]"],
        listeners=[{"address": "[2001:DB8::1]", "port": "443"}, {"port": 9443}, {"address": "web1.example.org"}],
        issuer="letsencrypt",
        key={"type": "rsa", "curve": "secp256r1"},
        must_staple=True,
        stapling=False,
        companion_of="other",
        paths={"certificate": "/a.crt", "key": "/a.key", "trust": None},
    )
    assert found["server_names"] == ["shop.example.org", "::1"]
    assert found["listeners"] == [
        {"address": "2001:db8::1", "port": 443},
        {"address": "192.0.2.7", "port": 9443},
        {"address": "web1.example.org", "port": 443},
    ]
    assert (found["issuer"], found["key"]) == ("letsencrypt", {"type": "rsa", "size": 2048})
    assert (found["must_staple"], found["stapling"], found["companion_of"]) == (True, "off", "other")
    assert found["paths"] == {"certificate": "/a.crt", "key": "/a.key"}
    assert found["declared"] == ["key", "must_staple"]


def test_listener_with_starttls_has_the_usual_port_of_its_protocol() -> None:
    found = declared(
        listeners=[{"starttls": "smtp"}, {"starttls": "imap", "port": 1143}, {"port": 443, "starttls": ""}]
    )
    assert found["listeners"] == [
        {"address": "192.0.2.7", "port": 25, "starttls": "smtp"},
        {"address": "192.0.2.7", "port": 1143, "starttls": "imap"},
        {"address": "192.0.2.7", "port": 443},
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "../etc"}, "name_invalid"),
        ({"listeners": [{"starttls": "gopher"}]}, "declaration_invalid"),
        ({"listeners": [{"starttls": ["smtp"]}]}, "declaration_invalid"),
        ({"name": "a\nb"}, "name_invalid"),
        ({"name": "{{ x }}"}, "name_invalid"),
        ({"name": None}, "name_invalid"),
        ({"server_names": ["a b"]}, "name_invalid"),
        ({"server_names": "shop.example.org"}, "name_invalid"),
        ({"server_names": []}, "declaration_invalid"),
        ({"listeners": "443"}, "declaration_invalid"),
        ({"listeners": [443]}, "declaration_invalid"),
        ({"listeners": [{"port": 0.5}]}, "declaration_invalid"),
        ({"listeners": [{"port": 70000}]}, "declaration_invalid"),
        ({"listeners": [{"port": "https"}]}, "declaration_invalid"),
        ({"listeners": [{"address": "a b"}]}, "declaration_invalid"),
        ({"listeners": [{"addr": "a"}]}, "declaration_invalid"),
        ({"key": {"type": "dsa"}}, "declaration_invalid"),
        ({"key": "rsa"}, "declaration_invalid"),
        ({"stapling": "always"}, "declaration_invalid"),
        ({"companion_of": "a/b"}, "name_invalid"),
        ({"servername": "x"}, "declaration_invalid"),
    ],
)
def test_wrong_declaration_is_an_error_of_that_rotation_alone(wrong: dict[str, Any], code: str) -> None:
    good = {"name": "good", "server_names": ["good.example.org"]}
    bad = {"name": "shop", "server_names": ["shop.example.org"], **wrong}
    found = rotations_from_request("web1", {**REQUEST, "certificates": [bad, good]})
    assert found[0]["error"]["code"] == code
    assert found[0]["error"]["step"] == "detect"
    assert all(character.isprintable() for character in found[0]["error"]["msg"] + found[0]["name"])
    assert "error" not in found[1]


@pytest.mark.parametrize("wrong", ["shop", None, 5, ["shop"]])
def test_what_is_no_certificate_is_an_error(wrong: object) -> None:
    (found,) = rotations_from_request("web1", {**REQUEST, "certificates": [wrong]})
    assert found["error"]["code"] == "declaration_invalid"


def test_name_may_stand_once_only() -> None:
    one = {"name": "shop", "server_names": ["shop.example.org"]}
    first, second = rotations_from_request("web1", {**REQUEST, "certificates": [one, one]})
    assert "error" not in first
    assert second["error"]["code"] == "name_repeated"


def test_nothing_declared_is_nothing_to_do() -> None:
    assert rotations_from_request("web1", {**REQUEST, "certificates": []}) == []


@pytest.mark.parametrize(
    ("address", "names", "name"),
    [("192.0.2.7", [], "192.0.2.7"), ("web1.example.org", ["web1.example.org"], "web1.example.org")],
)
def test_probe_looks_at_the_default_endpoint(address: str, names: list[str], name: str) -> None:
    found = probe("web1", {**REQUEST, "address": address})
    assert (found["name"], found["server_names"]) == (name, names)
    assert found["listeners"] == [{"address": address, "port": 8443}]


def test_shared_is_a_group_and_true_is_that_of_the_name() -> None:
    assert declared(shared=True)["shared"] == "shop"
    assert declared(shared="farm")["shared"] == "farm"
    assert all("shared" not in declared(**given) for given in ({}, {"shared": False}, {"shared": None}))
    assert declared(shared="../farm")["error"]["code"] == declared(shared=["a"])["error"]["code"]


def test_ticket_keys_are_the_hosts_unless_the_certificate_has_its_own() -> None:
    given = {"name": "shop", "server_names": ["shop.example.org"]}
    of_host = {**REQUEST, "ticket_keys": ["/etc/nginx/ticket.key"]}
    [rotation] = rotations_from_request("web1", {**of_host, "certificates": [given]})
    assert rotation["ticket_keys"] == ["/etc/nginx/ticket.key"]
    [own] = rotations_from_request("web1", {**of_host, "certificates": [{**given, "ticket_keys": ["/own.key"]}]})
    assert own["ticket_keys"] == ["/own.key"]
    assert "ticket_keys" not in declared()
