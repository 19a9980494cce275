# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients see no failed request through a whole rotation, and a long download comes to its end."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.support.client import Download, Hammer
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must

_RATE = 48 * 1024
_SIZE = 10 * _RATE


def test_no_request_fails_and_the_download_is_whole(world: LocalWorld) -> None:
    files = world.place / "files"
    files.mkdir()
    (files / "large").write_bytes(bytes(range(256)) * (_SIZE // 256))
    files.chmod(0o755)
    vhost = world.first_certificate("shop", ["shop.example.org"], extra=world.snippet("shop"))
    vhost.content = f'location = /large {{ root {files}; limit_rate {_RATE}; }} location / {{ return 200 "here\\n"; }}'
    world.start_nginx([vhost])
    for folder in (files, *files.parents):
        if folder.owner() == files.owner() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)  # nginx's workers are nobody when this runs as root
    old = world.served("shop.example.org").serial
    world.revoke("shop")
    download = Download(world, "shop.example.org", "/large")
    with Hammer(world, "shop.example.org") as client:
        must(world.rotate())
    assert download.is_running  # it has outlived the reload
    new = world.served("shop.example.org").serial
    serials = [one.serial for one in client.seen]
    assert client.failures == []
    assert set(serials) == {old, new}
    assert min(serials.count(old), serials.count(new)) > 20
    assert download.wait() == (files / "large").read_bytes()
    assert download.failure is None
