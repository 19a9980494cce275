# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make an internal CA, and refresh what it publishes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import to_pem
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._issuers import ca_creation, ca_upkeep
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_creation import Identity, Plan
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_directory import CaDirectory
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_publish import fetch_anew
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_settings import Settings
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_upkeep import Due
from ansible_collections.certops.rotation.plugins.modules.internal_ca import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import RotationAction

_IDENTITY = tuple(field.name for field in dataclasses.fields(Identity))
_SETTINGS = ("base_url", *(field.name for field in dataclasses.fields(Settings) if field.name != "base_urls"))
_NOTHING = Due(False, (), (), 0, 0)


class ActionModule(RotationAction):
    """Plans, applies the plan unless in check mode, and says what the CA's state is."""

    _requires_connection = False
    argument_spec = ARGUMENT_SPEC

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(None, task_vars)
        try:
            self.options = self.validated_options(plain(self._task.args))
            result: dict[str, Any] = plain(self._work())
        except RotationError as error:
            return {"failed": True, "changed": False, **plain(error.as_result())}
        return result

    def _work(self) -> dict[str, Any]:
        directory, at = Path(self.options["directory"]), self.now()
        plan = self._plan(directory)
        if plan and not self.check_mode:
            ca_creation.apply_plan(directory, plan, self._identity(), self.options["passphrase"], at=at)
        if not ca_creation.exists(directory) and plan:
            return self._result(plan, _NOTHING, at, None)
        ca = CaDirectory(directory, self.options["passphrase"])
        due = ca_upkeep.what_is_due(ca, at=at) if self.check_mode else ca_upkeep.refresh(ca, at=at)
        return self._result(plan, due, at, ca)

    def _plan(self, directory: Path) -> Plan | None:
        """None where the settings stay as they are."""
        if self.options["state"] == "refreshed":
            return None
        given = {name: self.options[name] for name in _SETTINGS if self.options[name] is not None}
        if "allowed_names" in given:
            given["allowed_names"] = tuple(given["allowed_names"])
        return ca_creation.plan_present(directory, given, self._identity())

    def _identity(self) -> Identity:
        return Identity(**{name: self.options[name] for name in _IDENTITY})

    def _result(self, plan: Plan | None, due: Due, at: datetime, ca: CaDirectory | None) -> dict[str, Any]:
        created = bool(plan and plan.creates)
        result = {
            "changed": bool(plan) or bool(due),
            "created": created,
            "refreshed": _described(due),
            "crls": _crls(ca) if ca else {},
            "diff": _diff(plan, due),
        }
        if ca:
            result["root_pem"] = to_pem(ca.root_certificate)
            result["next_refresh_due"] = as_text(ca_upkeep.next_due(ca, at=at))
        if ca and ca.settings.publish_check and not self.check_mode:
            result.update(_publications(ca))
        return result


def _described(due: Due) -> dict[str, Any]:
    return {
        "responder": due.responder,
        "crls": list(due.crls),
        "files": list(due.files),
        "responses": due.answers,
        "withdrawn": due.expired,
    }


def _crls(ca: CaDirectory) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with ca.store.reading() as records:
        for issuer in ca_upkeep.CRL_FILES:
            crl = records.crl(issuer)
            if crl:
                found[issuer] = {
                    "number": crl.number,
                    "this_update": as_text(crl.this_update),
                    "next_update": as_text(crl.next_update),
                    "revoked": len(x509.load_der_x509_crl(crl.der)),
                }
    return found


def _publications(ca: CaDirectory) -> dict[str, Any]:
    checked = ca_upkeep.check_publication(ca, fetch_anew)
    return {
        "publications": [{"url": url, "state": fault.code if fault else "same"} for url, fault in checked.items()],
        "warnings": [f"{fault.message} ({fault.code}). {fault.remedy}" for fault in checked.values() if fault],
    }


def _diff(plan: Plan | None, due: Due) -> dict[str, str]:
    """Settings and work as text; there is no key in either."""
    before = _shown(plan.before) if plan and plan.before else {}
    after = _shown(plan.after) if plan else {}
    after_due = {name: value for name, value in _described(due).items() if value}
    made = {"made": ["root", "intermediate"]} if plan and plan.creates else {}
    modes = {"private": sorted(plan.too_open)} if plan and plan.too_open else {}
    return {
        "before": _text({"settings": before}),
        "after": _text({"settings": after, **({"refreshed": after_due} if after_due else {}), **modes, **made}),
    }


def _shown(settings: Settings) -> Mapping[str, Any]:
    return dataclasses.asdict(settings)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2, sort_keys=True) + "\n"
