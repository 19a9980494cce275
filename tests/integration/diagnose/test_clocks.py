# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong clocks (libfaketime): whose it is, is told by the others; and what else looks wrong by it is not named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.integration.diagnose.hosts import (
    WrongClockWorld,
    why_no_wrong_clock,
    wrong_clock,
)
from ansible_collections.certops.rotation.tests.integration.diagnose.world import HOST, World
from ansible_collections.certops.rotation.tests.support import playbook

pytestmark = pytest.mark.skipif(bool(why_no_wrong_clock()), reason=why_no_wrong_clock() or "it can be done")

# By then the CA's responses and CRLs have expired, or have not begun.
OFFSETS = ["+10d", "-10d"]


@pytest.mark.parametrize("offset", OFFSETS)
def test_wrong_clock_of_the_host_is_named_and_not_the_missing_staple(offset: str, tmp_path: Path) -> None:
    with WrongClockWorld(tmp_path, offset) as world:
        world.start(world.vhost(world.leaf()))
        world.prime()
        causes = world.diagnosed()
    assert len(causes) == 1, "\n".join(world.lines)
    [cause] = causes
    assert (cause["code"], cause["certainty"], cause["where"]) == ("clock_skew_host", "certain", ["host web1"])
    assert any("240.0 h" in text for text in cause["evidence"]), cause


def test_two_clocks_alone_tell_that_one_is_wrong_and_not_which(tmp_path: Path) -> None:
    with WrongClockWorld(tmp_path, "+2d") as world:
        world.start(world.vhost(world.leaf(ocsp_urls=[], crl_urls=[]), ""))
        world.root = world.issuing
        codes = world.codes()
    assert codes[0] == "clock_skew_unclear", "\n".join(world.lines)


@pytest.mark.parametrize("offset", ["+20d", "-20d"])
def test_wrong_clock_of_this_machine_is_named_alone_and_the_rest_judged_for_the_right_time(
    offset: str, tmp_path: Path
) -> None:
    with World(tmp_path) as world:
        world.start(world.vhost(world.leaf()))
        world.prime()
        clock = wrong_clock(tmp_path)
        ended = playbook.run(
            "certops.rotation.diagnose",
            _inventory(world),
            cwd=tmp_path,
            timeout=240,
            LD_PRELOAD=_library(),
            FAKETIME=offset,
            PYTHONPATH=clock.pop("PYTHONPATH"),
            FAKETIME_DONT_FAKE_MONOTONIC=clock.pop("FAKETIME_DONT_FAKE_MONOTONIC"),
        )
    assert ended.returncode == 2, ended.output
    assert "shop.example.org: 1. certain: the clock of this machine is wrong" in ended.output, ended.output
    assert "2. " not in ended.output.partition("1. certain")[2].partition("TASK")[0], ended.output


def _library() -> str:
    [found] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return str(found)


def _inventory(world: World) -> Path:
    """A host that is this machine, but for its clock, which is right."""
    python = world.write(
        "python-with-right-clock", f'#!/bin/sh\nunset LD_PRELOAD FAKETIME\nexec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    assert world.nginx is not None
    variables = {
        "diagnose_address": "127.0.0.1",
        "diagnose_port": world.nginx.vhosts[0].port,
        "diagnose_trust_anchors": [str(world.place / "root.pem")],
        "diagnose_nginx_dump": [*world.nginx.command, "-T"],
        "diagnose_root": str(world.place / "certops"),
    }
    host = {"ansible_connection": "local", "ansible_python_interpreter": str(python)}
    return playbook.write_inventory(world.place / "inventory.yml", {HOST: host}, variables)
