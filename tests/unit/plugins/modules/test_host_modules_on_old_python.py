# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host modules under a real Python 3.8, which is what the oldest supported hosts have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld


def python38() -> str | None:
    """An interpreter that really is 3.8: a pyenv shim of that name may be there without one behind it."""
    candidates = [shutil.which("python3.8"), *map(str, Path.home().glob(".pyenv/versions/3.8*/bin/python3.8"))]
    for candidate in filter(None, candidates):
        found = subprocess.run(
            [candidate, "-c", "import sys; print(sys.version_info[:2])"],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": os.defpath},
        )
        if found.stdout.strip() == "(3, 8)":
            return candidate
    return None


PYTHON = python38()


@pytest.mark.skipif(PYTHON is None, reason="no Python 3.8 on this machine")
def test_whole_life_of_a_pair_on_python_3_8(tmp_path: Path) -> None:
    world = HostWorld(tmp_path, HostModules(tmp_path / "certops", python=str(PYTHON)))
    vhost, _issued = world.own_vhost()
    paths = {"certificate": str(vhost.certificate), "key": str(vhost.key)}
    world.service = {"kind": "command", "test": ["true"], "reload": ["true"]}
    first = world.rotate(paths=paths)
    second = world.rotate(paths=paths)
    assert world.live() == second["version"]
    assert world.retire("shop", first["version"], first["spki_sha256"])["retirements"]["shop"]["destroyed"]
    to_sign = {"name": "shop", "version": second["version"], "data_b64": "AAAA", "algorithm": "ES256"}
    signature = world.modules.run("key_signature", **to_sign)
    assert signature["public_jwk"]["crv"] == "P-256"
    assert world.modules.run("service_reload", service=world.service)["changed"] is True
    info = world.modules.run("installed_info", paths=list(paths.values()))
    assert info["python_version"].startswith("3.8.")
    refused = world.install(dict(second, chain_pem="none"))
    assert refused["code"] in ("release_differs", "certificate_unreadable")
