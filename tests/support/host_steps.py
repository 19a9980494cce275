# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on a host, one after the other: real actions, real modules, a real CA in between."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.action import (
    certificate_install,
    installed_info,
    key_csr,
    key_retire,
    key_seal,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_pair, predecessor_of
from ansible_collections.certops.rotation.tests.support.action import run_host_action
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld

_PLUGINS = {
    "key_csr": key_csr.ActionModule,
    "certificate_install": certificate_install.ActionModule,
    "key_retire": key_retire.ActionModule,
    "installed_info": installed_info.ActionModule,
    "key_seal": key_seal.ActionModule,
}


class HostSteps(HostWorld):
    """``steps.step("key_csr", rotation)`` returns the result; the rotations given are never changed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.results: list[dict[str, Any]] = []

    def step(self, name: str, *rotations: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        if name == "certificate_install":
            options.setdefault("service", self.service)
        given = {"rotations": copy.deepcopy(list(rotations)), **options}
        result = run_host_action(_PLUGINS[name], given, self.modules, check_mode=check)
        self.results.append(result)
        return result

    def one(self, name: str, rotation: dict[str, Any], **options: Any) -> dict[str, Any]:
        """The rotation as a step left it; the step may not have failed."""
        result = self.step(name, rotation, **options)
        assert not result.get("failed"), result
        (found,) = result["rotations"]
        assert isinstance(found, dict)
        return found

    def issued(self, rotation: dict[str, Any], **wanted: Any) -> dict[str, Any]:
        """What issue and validate would have added."""
        certificate = self.issuing.sign_csr(rotation["prepared"]["csr_pem"], **wanted)
        facts = certificate_facts(certificate.certificate)
        issued = {
            "chain_pem": certificate.chain_pem,
            "trust_pem": self.issuing.pem + self.anchor.pem,
            "serial": facts.serial,
            "spki_sha256": facts.spki_sha256,
            "ocsp_urls": list(facts.ocsp_urls),
            "must_staple": facts.must_staple,
            "order": None,
        }
        return {**rotation, "issued": issued, "validated": {"verdict": {"status": "good"}, "staple_b64": None}}

    def installed(self, rotation: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Prepare, issue and install."""
        return self.one("certificate_install", self.issued(self.one("key_csr", rotation)), **options)

    def second(self, **decision: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Two rotations of one certificate: the first, and the second that took its place."""
        first = self.installed(rotation())
        again = rotation(decision={**rotation()["decision"], **decision})
        looked = self.one("installed_info", again)
        pair = live_pair(looked)
        assert pair is not None
        looked["predecessor"] = predecessor_of(pair)
        return first, self.installed(looked)

    def live_file(self, file_name: str, name: str = "shop") -> Path:
        return self.root / name / "live" / file_name

    def keys(self, name: str = "shop") -> list[str]:
        """The versions that have a key."""
        folder = self.root / name / "versions"
        return sorted(version for version in os.listdir(folder) if (folder / version / "privkey.pem").exists())


def rotation(name: str = "shop", **more: Any) -> dict[str, Any]:
    """One that is due, as the plan leaves it."""
    decision = {
        "action": "rotate",
        "reasons": [],
        "premise": {},
        "compromised": False,
        "revocation_reason": "superseded",
    }
    return {"name": name, "server_names": [f"{name}.example.org"], "issuer": "internal", "decision": decision, **more}
