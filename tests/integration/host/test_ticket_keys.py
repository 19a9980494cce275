# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Session ticket keys go with a compromised private key: on a real nginx, seen by openssl's client."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost

VERSIONS = ("tls1_2", "tls1_3")
END = "GET / HTTP/1.0\r\nHost: shop.example.org\r\n\r\n"


class Tickets:
    """A host whose nginx takes its ticket key from a file, and a client that keeps its sessions."""

    def __init__(self, world: HostWorld, size: int = 80) -> None:
        self.world = world
        self.file = world.folder / "tickets" / "current.key"
        self.file.parent.mkdir()
        self.file.write_bytes(os.urandom(size))
        self.file.chmod(0o640)

    def vhost(self, extra: str = "") -> Vhost:
        return self.world.vhost(extra=f"ssl_protocols TLSv1.2 TLSv1.3; ssl_session_ticket_key {self.file}; {extra}")

    def key_name(self, version: str = "tls1_3") -> bytes:
        """The name of the key that new tickets are under, the first 16 bytes of each (RFC 5077 section 4)."""
        said = self.client(version)
        dump = said.partition("TLS session ticket:")[2]
        found = re.search(r"0000 - ((?:[0-9a-f]{2}[ -]){16})", dump)
        assert found, said
        return bytes.fromhex(re.sub("[ -]", "", found.group(1)))

    def save(self, version: str) -> None:
        self.client(version, "-sess_out", str(self.world.folder / version))

    def resumes(self, version: str) -> bool:
        said = self.client(version, "-sess_in", str(self.world.folder / version))
        assert ("\nReused, " in said) != ("\nNew, " in said), said
        return "\nReused, " in said

    def client(self, version: str, *options: str) -> str:
        """In TLS 1.3 tickets come after the handshake: read on until the server has answered."""
        port = self.nginx.vhosts[0].port
        line = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", f"-{version}", "-ign_eof", *options]
        done = subprocess.run(line, input=END, capture_output=True, text=True, timeout=20, check=False)
        return done.stdout

    nginx: Nginx


@pytest.fixture
def tickets(tmp_path: Path) -> Iterator[Tickets]:
    world = HostWorld(tmp_path)
    world.rotate("shop")
    made = Tickets(world)
    with Nginx(tmp_path / "nginx", [made.vhost()], workers=1) as made.nginx:
        world.service = made.nginx.service
        yield made


def test_no_session_of_before_is_resumed_and_no_ticket_is_under_the_old_key(tickets: Tickets) -> None:
    old, mode = tickets.file.read_bytes(), stat.S_IMODE(tickets.file.stat().st_mode)
    held = os.open(tickets.file, os.O_RDONLY)
    for version in VERSIONS:
        tickets.save(version)
        assert tickets.resumes(version)
        assert tickets.key_name(version) == old[:16]
    world = tickets.world
    result = world.install(world.release(world.prepare(), ticket_keys=[str(tickets.file)], back_allowed=False))
    assert result["installations"]["shop"]["ticket_keys"] == [str(tickets.file)], result
    new = tickets.file.read_bytes()
    assert len(new) == 80 and new != old and mode == 0o640
    assert stat.S_IMODE(tickets.file.stat().st_mode) == 0o600
    for version in VERSIONS:
        assert not tickets.resumes(version)
        assert tickets.key_name(version) == new[:16]
    # Whoever still has the old file open has random bytes; nothing else is left of it.
    assert os.pread(held, 80, 0) not in (old, b"")
    os.close(held)
    assert os.listdir(tickets.file.parent) == ["current.key"]
    said = "".join(world.modules.outputs)
    assert old[:16].hex() not in said and new[:16].hex() not in said


def test_without_renewal_the_new_certificate_has_its_tickets_under_the_old_key(tickets: Tickets) -> None:
    """nginx drops sessions of another certificate by itself, which says nothing about the key of the tickets."""
    old = tickets.file.read_bytes()
    for version in VERSIONS:
        tickets.save(version)
    tickets.world.rotate("shop")
    for version in VERSIONS:
        assert not tickets.resumes(version)
    assert tickets.key_name() == old[:16]


def test_configuration_that_is_refused_brings_the_old_keys_back(tickets: Tickets) -> None:
    old, world = tickets.file.read_bytes(), tickets.world
    tickets.nginx.write(broken="nonsense;")
    result = world.install(world.release(world.prepare(), ticket_keys=[str(tickets.file)], back_allowed=False))
    assert result["code"] == "config_broken_before"
    assert tickets.file.read_bytes() == old
    assert os.listdir(tickets.file.parent) == ["current.key"]


def test_file_that_two_certificates_name_is_renewed_once(tickets: Tickets) -> None:
    world, old = tickets.world, tickets.file.read_bytes()
    releases = [world.release(world.prepare(name), name, ticket_keys=[str(tickets.file)]) for name in ("shop", "blog")]
    result = world.install(*releases)
    assert not result.get("failed"), result
    assert tickets.file.read_bytes() != old
    assert tickets.key_name() == tickets.file.read_bytes()[:16]
    assert os.listdir(tickets.file.parent) == ["current.key"]


def test_release_that_is_live_is_not_renewed_again(tickets: Tickets) -> None:
    world = tickets.world
    release = world.release(world.prepare(), ticket_keys=[str(tickets.file)])
    world.install(release)
    renewed = tickets.file.read_bytes()
    assert world.install(release)["changed"] is False
    assert tickets.file.read_bytes() == renewed


def test_what_a_killed_run_left_beside_the_file_is_destroyed(tickets: Tickets) -> None:
    left = tickets.file.with_name(".before-current.key-0a1b2c3d")
    left.write_bytes(b"x" * 80)
    world = tickets.world
    world.install(world.release(world.prepare(), ticket_keys=[str(tickets.file)]))
    assert os.listdir(tickets.file.parent) == ["current.key"]


@pytest.mark.parametrize("fault", ["missing", "link", "length", "folder"])
def test_what_is_no_ticket_key_is_refused_before_anything_is_touched(tickets: Tickets, fault: str) -> None:
    world, path = tickets.world, tickets.file.with_name("other.key")
    live = world.live()
    if fault == "link":
        path.symlink_to(tickets.file)
    elif fault == "length":
        path.write_bytes(b"x" * 64)
    elif fault == "folder":
        path = tickets.file
        path.parent.chmod(0o777)
    result = world.install(world.release(world.prepare(), ticket_keys=[str(path)]))
    assert result["code"] == ("root_unsafe" if fault == "folder" else "ticket_key_invalid"), result
    assert result["facts"]["name"] == "shop"
    assert world.live() == live


COMPROMISED = {"supersedes": {"compromised": True}}
SHARED = "ssl_session_cache shared:S:1m;"


@pytest.mark.parametrize(
    ("version", "configuration", "warns"),
    [
        ("1.26.3", SHARED, True),
        ("1.23.2", f"  {SHARED}", True),
        ("1.22.1", SHARED, False),
        ("1.26.3", "# ssl_session_cache shared:S:1m;", False),
        ("1.26.3", f"{SHARED}\nssl_session_ticket_key current.key;", False),
    ],
)
def test_keys_that_nginx_keeps_over_a_reload_are_told(
    tmp_path: Path, version: str, configuration: str, warns: bool
) -> None:
    world = HostWorld(tmp_path)
    nginx, dump = tmp_path / "nginx", tmp_path / "dump"
    dump.write_text(configuration)
    nginx.write_text(f'#!/bin/sh\ncase "$*" in *-T*) echo "nginx version: nginx/{version}" >&2; cat {dump};; esac\n')
    nginx.chmod(0o755)
    service = {"kind": "command", "reload": ["true"], "test": [str(nginx), "-t"]}
    compromised = world.install(world.release(world.prepare(), record=COMPROMISED), service=service)
    [*warnings] = compromised["installations"]["shop"]["warnings"]
    assert bool(warnings) == warns and all("restart it now" in text for text in warnings), compromised
    harmless = world.install(world.release(world.prepare()), service=service)
    assert harmless["installations"]["shop"]["warnings"] == []


def test_this_nginx_tells_what_it_is(tickets: Tickets) -> None:
    """The options that are read here are those of the real one."""
    said = subprocess.run([*tickets.nginx.command, "-v", "-T"], capture_output=True, text=True, check=True)
    assert "nginx version: nginx/" in said.stderr
    assert "ssl_session_ticket_key" in said.stdout
