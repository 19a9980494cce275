# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that was used before, or is denied, is refused where it is made: before anything is ordered or switched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import spki_of_key
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.pki import key_pem, make_key

_WRAPPER = """#!/bin/sh
# Makes no key, but hands out an old one.
for argument in "$@"; do
    [ "$before" = -keyout ] && out=$argument
    before=$argument
done
[ -z "$out" ] && exec {openssl} "$@"
cat {key} >"$out"
exec {openssl} req -new -key {key} -sha256 -subj / -config /dev/stdin
"""


@pytest.fixture
def path_with_bad_openssl(tmp_path: Path) -> str:
    """A PATH whose openssl returns the key in ``old.key``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    wrapper = folder / "openssl"
    wrapper.write_text(_WRAPPER.format(openssl=shutil.which("openssl"), key=tmp_path / "old.key"))
    wrapper.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_key_that_was_used_for_this_name_before_is_refused(
    shop: LocalWorld, tmp_path: Path, path_with_bad_openssl: str
) -> None:
    shutil.copy(shop.pairs / "shop.key", tmp_path / "old.key")
    shop.revoke("shop")
    must(shop.rotate())
    new = shop.served("shop.example.org")
    shop.variables["rotate_force"] = True
    refused = shop.rotate(PATH=path_with_bad_openssl)
    assert refused.returncode == 2
    assert_refused(shop, new.serial)
    assert len(shop.ca_certificates()) == 2
    must(shop.rotate())
    assert shop.served("shop.example.org").serial not in (new.serial, None)


def test_key_on_the_deny_list_is_refused(shop: LocalWorld, tmp_path: Path, path_with_bad_openssl: str) -> None:
    old = shop.served("shop.example.org")
    (tmp_path / "old.key").write_text(key_pem(make_key()))
    shop.variables["rotate_deny_list"] = [spki_of_key(tmp_path / "old.key")]
    shop.revoke("shop")
    assert shop.rotate(PATH=path_with_bad_openssl).returncode == 2
    assert_refused(shop, old.serial)
    assert len(shop.ca_certificates()) == 1


def assert_refused(shop: LocalWorld, still_served: str) -> None:
    error = shop.rotation("shop")["error"]
    assert (error["step"], error["code"]) == ("prepare", "key_known")
    assert shop.served("shop.example.org").serial == still_served
