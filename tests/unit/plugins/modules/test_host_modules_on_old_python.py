# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host modules under the oldest Python that this ansible-core runs on."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld

from tools.python_environments import find_python

# Ansible itself refuses older ones than its `_PY_MIN`, and we those before 3.8.
OLDEST = "%d.%d" % max(basic._PY_MIN[:2], (3, 8))
PYTHON = find_python(OLDEST)


@pytest.mark.skipif(PYTHON is None, reason=f"no Python {OLDEST} on this machine")
def test_whole_life_of_a_pair_on_the_oldest_python(tmp_path: Path) -> None:
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
    assert info["python_version"].startswith(f"{OLDEST}.")
    refused = world.install(dict(second, chain_pem="none"))
    assert refused["code"] in ("release_differs", "certificate_unreadable")
