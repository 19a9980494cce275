# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers as nginx wants them, from files as hosts have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._host.resolvers import resolvers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("nameserver 192.0.2.53\n", ["192.0.2.53"]),
        ("# nameserver 192.0.2.1\nsearch example.org\nnameserver\t127.0.0.53 # local\n", ["127.0.0.53"]),
        ("nameserver 2001:db8::53\nnameserver 192.0.2.53", ["[2001:db8::53]", "192.0.2.53"]),
        ("nameserver fe80::1%eth0\n", []),
        ("nameserver\noptions edns0\n;nameserver 192.0.2.1\n", []),
        ("\udcff\nnameserver 192.0.2.53\n", ["192.0.2.53"]),
    ],
)
def test_addresses_are_read(tmp_path: Path, text: str, expected: list[str]) -> None:
    path = tmp_path / "resolv.conf"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert resolvers(str(path)) == expected


def test_no_file_is_no_name_server(tmp_path: Path) -> None:
    assert resolvers(str(tmp_path / "none")) == []
    assert resolvers(str(tmp_path)) == []
