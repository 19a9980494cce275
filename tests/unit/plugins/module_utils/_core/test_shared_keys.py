# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.certops.rotation.plugins.module_utils._core.shared_keys import shared_as_lines, shared_keys


def used(key: str, serial: str = "0a") -> dict[str, str]:
    return {"spki_sha256": key, "serial": serial}


def test_key_on_one_host_is_not_shared_however_often_it_is_there() -> None:
    assert shared_keys([("web1", used("aa")), ("web1", used("aa", "0b")), ("web2", used("bb")), ("web3", {})]) == []


def test_those_on_most_hosts_come_first() -> None:
    seen = [("web1", used("aa")), ("web2", used("aa")), *((f"web{number}", used("bb")) for number in (3, 1, 4))]
    assert [(one["spki_sha256"], one["hosts"]) for one in shared_keys(seen)] == [
        ("bb", ["web3", "web1", "web4"]),
        ("aa", ["web1", "web2"]),
    ]


def test_lines_name_some_hosts_and_tell_one_certificate_from_several() -> None:
    seen = [(f"web{number}", used("aa", f"0{number}")) for number in range(5)]
    lines = shared_as_lines(shared_keys([*seen, ("web1", used("bb")), ("web2", used("bb"))]))
    assert lines == [
        "5 hosts use one key, aa (5 certificates): web0, web1, web2 and 2 more",
        "2 hosts use one key, bb (certificate 0a): web1, web2",
    ]


def test_no_more_than_ten_keys_are_lines() -> None:
    seen = [(host, used(f"{key:02x}")) for key in range(12) for host in ("web1", "web2")]
    lines = shared_as_lines(shared_keys(seen))
    assert (len(lines), lines[-1]) == (11, "and 2 more keys that several hosts use")
