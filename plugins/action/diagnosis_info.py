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
        everything = [one for of_host in rotations.values() for one in of_host]
        said = [line for rotation in everything for line in self._diagnosed(rotation, judge)]
        diagnoses = _by_host(everything, "diagnosis")
        return {
            "diagnoses": diagnoses,
            "lines": repaired_lines(self.options["before"], diagnoses) + said,
            "failures": self._failures(everything),
            "repairs": self._repairs(rotations, judge),
            "snapshot": _by_host(everything, "snapshot"),
            "changes": _by_host(everything, "changes"),
        }

    def _diagnosed(self, rotation: Rotation, judge: Judging) -> list[str]:
        """Fill ``diagnosis``, ``snapshot`` and ``changes`` of a rotation; what is to be said of it."""
        causes = self._causes(rotation, judge)
        rotation["diagnosis"] = [cause.as_dict() for cause in causes]
        said = lines(rotation, causes)
        if not rotation.get("client_view"):
            return said
        taken, earlier = snapshot(rotation), self._earlier(rotation)
        rotation["snapshot"] = {"taken_at": rotation["client_view"]["clock"], **taken}
        rotation["changes"] = changes(earlier, taken)
        return said + [f"      changed since {earlier.get('taken_at')}: {one}" for one in rotation["changes"]]

    def _failures(self, everything: Sequence[Rotation]) -> dict[str, str]:
        grave_words = set(self.options["fail_on"])
        found: dict[str, list[str]] = {}
        for rotation in everything:
            grave = [one for one in rotation["diagnosis"] if {one["code"], one["certainty"]} & grave_words]
            if grave or rotation.get("error"):
                found.setdefault(rotation["host"], []).append(_why(rotation, grave))
        return {host: "; ".join(of_host) for host, of_host in found.items()}

    def _earlier(self, rotation: Rotation) -> dict[str, Any]:
        earlier: dict[str, Any] = (self.options["earlier"].get(rotation["host"]) or {}).get(rotation["name"]) or {}
        return earlier

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


def _why(rotation: Rotation, causes: Sequence[Mapping[str, Any]]) -> str:
    if rotation.get("error"):
        return f"{label(rotation)}: {rotation['error']['msg']} ({rotation['error']['code']})"
    return f"{label(rotation)}: " + ", ".join(f"{cause['code']} ({cause['certainty']})" for cause in causes)


def _by_host(rotations: Sequence[Rotation], key: str) -> dict[str, dict[str, Any]]:
    """What each rotation has under ``key``, by host and name."""
    found: dict[str, dict[str, Any]] = {}
    for rotation in rotations:
        if key in rotation:
            found.setdefault(rotation["host"], {})[rotation["name"]] = rotation[key]
    return found
