# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnose: name the causes of what was seen. The judgement is in ``_core/diagnosis.py``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis import diagnose, lines
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import Cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_changes import changes, snapshot
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text
from ansible_collections.certops.rotation.plugins.modules.diagnosis_info import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.diagnosing import diagnosing_judge, judged_response
from ansible_collections.certops.rotation.plugins.plugin_utils.diagnosis_repair import (
    prepare_files,
    repaired_lines,
    repairs_of,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import FleetAction, Rotation, label


class ActionModule(FleetAction):
    step = "diagnose"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any] | None:
        judge = diagnosing_judge(self.step, self.options)
        said: list[str] = []
        changed: dict[str, dict[str, list[str]]] = {}
        snapshots: dict[str, dict[str, Any]] = {}
        failures: dict[str, str] = {}
        diagnoses: dict[str, dict[str, Any]] = {}
        for host, of_host in rotations.items():
            for rotation in of_host:
                causes = self._causes(rotation, judge)
                said += lines(rotation, causes)
                if rotation.get("client_view"):
                    taken = {"taken_at": rotation["client_view"]["clock"], **snapshot(rotation)}
                    snapshots.setdefault(host, {})[rotation["name"]] = taken
                    differing = self._changes(rotation, taken)
                    changed.setdefault(host, {})[rotation["name"]] = differing
                    said += [f"      changed since {self._taken_at(rotation)}: {one}" for one in differing]
                rotation["diagnosis"] = [cause.as_dict() for cause in causes]
                diagnoses.setdefault(host, {})[rotation["name"]] = rotation["diagnosis"]
                grave = [cause for cause in causes if {cause.code, cause.certainty} & set(self.options["fail_on"])]
                if grave or rotation.get("error"):
                    failures[host] = "; ".join([*([failures[host]] if host in failures else []), _why(rotation, grave)])
        said = repaired_lines(self.options["before"], diagnoses) + said
        repairs = self._repairs(rotations, judge)
        return {
            "diagnoses": diagnoses,
            "lines": said,
            "failures": failures,
            "repairs": repairs,
            "snapshot": snapshots,
            "changes": changed,
        }

    def _earlier(self, rotation: Rotation) -> dict[str, Any]:
        earlier: dict[str, Any] = (self.options["earlier"].get(rotation["host"]) or {}).get(rotation["name"]) or {}
        return earlier

    def _taken_at(self, rotation: Rotation) -> str:
        return str(self._earlier(rotation).get("taken_at"))

    def _changes(self, rotation: Rotation, taken: Mapping[str, Any]) -> list[str]:
        themes = {theme: seen for theme, seen in taken.items() if isinstance(seen, dict)}
        return changes(self._earlier(rotation), themes)

    def _repairs(self, rotations: Mapping[str, list[Rotation]], judge: Judging) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {}
        for rotation in self.active(rotations):
            operations = repairs_of(rotation["diagnosis"])
            if not operations:
                continue
            if "files" in operations and self.options["plan_repair"]:
                try:
                    prepare_files(rotation, judge.anchors)
                except RotationError as error:
                    self.warn(rotation, f"not repaired: {error.message}")
                    operations.remove("files")
            found.setdefault(rotation["host"], {})[rotation["name"]] = operations
        return found

    def _causes(self, rotation: Rotation, judge: Judging) -> list[Cause]:
        if rotation.get("error") or not rotation.get("client_view"):
            return []
        for source in (rotation.get("host_view") or {}).get("sources") or ():
            if source.get("answer_b64"):
                source["finding"] = _judged(source, rotation, judge)
        return diagnose(rotation)


def _judged(source: Mapping[str, Any], rotation: Rotation, judge: Judging) -> dict[str, Any] | None:
    """What a responder answered to the host, about the certificate that names it."""
    view = rotation["client_view"]
    one = view["certificates"].get(source.get("about"))
    if one is None:
        return None
    try:
        response = base64.b64decode(source["answer_b64"], validate=True)
    except binascii.Error:
        return None
    chain = read_certificates(one["chain_pem"].encode())
    return judged_response(judge, chain, response or b"\0", from_text(view["judged_at"]))


def _why(rotation: Rotation, causes: Sequence[Cause]) -> str:
    if rotation.get("error"):
        return f"{label(rotation)}: {rotation['error']['msg']} ({rotation['error']['code']})"
    return f"{label(rotation)}: " + ", ".join(f"{cause.code} ({cause.certainty})" for cause in causes)
