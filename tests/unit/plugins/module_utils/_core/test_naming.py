# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core import naming
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError


@pytest.mark.parametrize("name", ["shop", "shop.example.org", "a", "A_b-c.d", "x" * 100, "1"])
def test_ordinary_certificate_name_is_accepted(name: str) -> None:
    assert naming.certificate_name(name) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "empty"),
        ("a/b", "'/'"),
        ("..", "begins with '.'"),
        ("a..b", "'..'"),
        (".hidden", "begins with '.'"),
        ("-rf", "begins with '-'"),
        ("a\n", r"'\n'"),
        ("a\nb", r"'\n'"),
        ("a b", "' '"),
        ("{{ lookup('pipe','id') }}", "'{'"),
        ("a\x1b[31m", r"'\x1b'"),
        ("a\x00", r"'\x00'"),
        ("x" * 101, "longer"),
        ("köln", r"'\xf6'"),
        (None, "not text"),
        (5, "not text"),
        (["shop"], "not text"),
    ],
)
def test_dangerous_certificate_name_is_refused_and_shown_escaped(name: object, said: str) -> None:
    with pytest.raises(RotationError) as caught:
        naming.certificate_name(name)
    assert caught.value.code == "name_invalid"
    assert said in caught.value.message
    assert all(character.isprintable() for character in caught.value.message)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("Shop.Example.ORG", "shop.example.org"),
        ("*.example.org", "*.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("_acme.example.org", "_acme.example.org"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[::1]", "::1"),
    ],
)
def test_server_name_becomes_canonical(given: str, canonical: str) -> None:
    assert naming.server_name(given) == canonical


@pytest.mark.parametrize(
    "name",
    ["", ".", "a..b", "a.", "*", "*.", "w*.example.org", "a.*.org", "a/b", "a b", "a\nb", "{{x}}", "-a.org", "a-.org",
     "1.2.3.4.5", "300.1.1.1", "fe80::1%eth0", "x" * 64 + ".org", "a." * 127 + "org", "ü" * 70 + ".org", "a;b.org",
     "~^www\\.org$", "$host", "a:b", None, 4, [], "a\u202e.org", "\ud800.org"],
)  # fmt: skip
def test_what_is_no_server_name_is_refused(name: object) -> None:
    with pytest.raises(RotationError) as caught:
        naming.server_name(name)
    assert caught.value.code == "name_invalid"
    assert all(character.isprintable() for character in caught.value.message)


def test_list_of_server_names_loses_repetitions_and_keeps_order() -> None:
    assert naming.server_names(["b.org", "A.org", "B.ORG"]) == ["b.org", "a.org"]


def test_text_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(RotationError, match="not a list"):
        naming.server_names("shop.example.org")


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [
        ("a.org", "a.org", True),
        ("*.a.org", "b.a.org", True),
        ("*.a.org", "c.b.a.org", False),
        ("*.a.org", "a.org", False),
        ("*.a.org", "*.a.org", True),
        ("*.org", "*.a.org", False),
        ("a.org", "b.org", False),
        ("*.0.0.1", "127.0.0.1", False),
    ],
)
def test_wildcard_covers_one_label(pattern: str, name: str, does: bool) -> None:
    assert naming.covers(pattern, name) is does


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop.example.org", "shop.example.org"),
        ("*.example.org", "wildcard.example.org"),
        ("2001:db8::1", "2001-db8--1"),
        ("..", "certificate"),
        ("a" * 300, "a" * 100),
    ],
)
def test_certificate_name_is_made_of_a_server_name(text: str, name: str) -> None:
    assert naming.certificate_name_from(text) == name
