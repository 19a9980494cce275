# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may become a file name or a word of openssl's configuration."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.names import (
    checked_server_names,
    checked_version,
    is_folder_name,
)


@pytest.mark.parametrize(
    "name",
    ["a", "shop.example.org", "*.example.org", "xn--mnchen-3ya.example", "_dmarc.example", "192.0.2.1", "2001:db8::"],
)
def test_server_names_that_are_right(name: str) -> None:
    assert checked_server_names([name]) == [name]


@pytest.mark.parametrize("names", [[], ["a"] * 101, ["münchen.example"], ["a."], ["a\n"], ["a\0b"], ["*"], ["[::1]"]])
def test_server_names_that_are_not(names: list[str]) -> None:
    with pytest.raises(RotationError):
        checked_server_names(names)


@pytest.mark.parametrize("version", ["20261121T010203Z-abcdef", "20261121T010203Z-adopted"])
def test_versions_are_what_we_make(version: str) -> None:
    assert checked_version(version) == version
    for broken in (version + "\n", version.upper(), "../" + version, version + "/x", ""):
        with pytest.raises(RotationError):
            checked_version(broken)


def test_folder_names() -> None:
    assert is_folder_name("shop-1.example_2")
    assert not any(map(is_folder_name, ["", ".", "..", "a..b", "a/b", "a\n", "-a", ".a", "ä"]))
