# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Destroy the keys of replaced certificates, and write into the records how far each rotation came: one execution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.report import failures
from ansible_collections.certops.rotation.plugins.modules.key_retire import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import lean_step
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    HostAction,
    Rotation,
    action_of,
)

_PASSED_ON = ("root", "files", "lock_timeout", "openssl")
_DONE_WITH = ("revoked", "already_revoked", "skipped", "visible", "accepted_not_published")
_TIMES = ("served", "revoked", "visible")


class ActionModule(HostAction):
    step = "retire"
    module_name = "certops.rotation.key_retire"
    argument_spec = ARGUMENT_SPEC
    lean_steps = (lean_step("key_retire", ARGUMENT_SPEC),)

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        # Also those whose revocation failed: that the new one is served is true all the same, and belongs on disk.
        due = [one for one in rotations if action_of(one) in ("rotate", "repair", "finish")]
        if self.check_mode:
            return {"changed": any(one.get("predecessor") and not one.get("error") for one in due)}
        concerned = [one for one in due if one.get("proof")]
        records = [record for one in concerned if (record := self._record(one))]
        retirements = [self._retirement(one) for one in concerned if self._is_to_retire(one)]
        if not records and not retirements:
            return None
        passed_on = {name: self.options[name] for name in _PASSED_ON if self.options.get(name) is not None}
        answer = self.run_module({**passed_on, "records": records, "retirements": retirements}, concerned)
        for rotation in concerned if answer is not None else []:
            self._add_retirement(rotation, (answer or {})["retirements"].get(rotation["name"]))
        return None

    def finish(self, result: dict[str, Any], rotations: Iterable[Rotation]) -> dict[str, Any]:
        """As the host's last step, failed for whatever failed in any step; the report is written all the same."""
        everything = list(rotations)
        result = super().finish(result, everything)
        if self.options["last"]:
            why = failures({"host": everything}).get("host")
            if why:
                result.update(failed=True, msg=why)
        return result

    @staticmethod
    def _is_to_retire(rotation: Rotation) -> bool:
        """Its place is taken, and what was to be revoked is; without a predecessor there is nothing to destroy."""
        if rotation.get("error") or not (rotation.get("predecessor") or {}).get("spki_sha256"):
            return False
        return (rotation.get("revocation") or {}).get("state") in _DONE_WITH

    @staticmethod
    def _retirement(rotation: Rotation) -> dict[str, Any]:
        revocation = rotation["revocation"]
        is_revoked = revocation["state"] != "skipped"
        return {
            "name": rotation["name"],
            "spki_sha256": rotation["predecessor"]["spki_sha256"],
            "fate": f"revoked:{revocation.get('reason') or 'unspecified'}" if is_revoked else "retired",
        }

    def _record(self, rotation: Rotation) -> dict[str, Any] | None:
        version = live_version(rotation)
        if version is None:
            return None
        times = {name: rotation["times"][name] for name in _TIMES if (rotation.get("times") or {}).get(name)}
        return {
            "name": rotation["name"],
            "version": version,
            "update": {"state": self._state(rotation), "times": times},
        }

    def _state(self, rotation: Rotation) -> str:
        """How far it came; the host writes ``retired`` after the key is gone."""
        if not rotation.get("error") and (self._is_to_retire(rotation) or not rotation.get("predecessor")):
            return "retired"
        revocation = rotation.get("revocation") or {}
        return {"revoked": "revoked", "visible": "visible"}.get(revocation.get("state", ""), "served")

    def _add_retirement(self, rotation: Rotation, retired: dict[str, Any] | None) -> None:
        if retired is None:
            return
        rotation["retirement"] = {"destroyed": retired["destroyed"], "at": retired["at"]}
        for path in retired["left"]:
            self.warn(rotation, f"{path} still holds the old key; it belongs to somebody else, who has to delete it")
        if retired["at"]:
            self.stamp(rotation, "retired")


def live_version(rotation: Rotation) -> str | None:
    """The version that is live now: what was installed, else what was found."""
    installed = rotation.get("installation") or rotation.get("installed") or {}
    version = installed.get("version") or installed.get("live")
    return str(version) if version else None
