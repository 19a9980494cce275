# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand everything that makes a release to the host, which switches, tests and reloads, or goes back: one execution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.modules.certificate_install import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import lean_step
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    HostAction,
    Rotation,
    action_of,
    active,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.sharing import envelope_for, waits_for_key
from ansible_collections.certops.rotation.plugins.plugin_utils.snippet import responder, snippets

_PASSED_ON = ("root", "files", "lock_timeout", "openssl", "service")
_OF_THE_PREDECESSOR = ("version", "serial", "spki_sha256", "certificate_pem", "chain_pem", "already_revoked")
_TEMPLATE = Path(__file__).resolve().parents[2] / "roles" / "rotate" / "templates" / "nginx.conf.j2"


class ActionModule(HostAction):
    step = "install"
    module_name = "certops.rotation.certificate_install"
    argument_spec = ARGUMENT_SPEC
    lean_steps = (lean_step("certificate_install", ARGUMENT_SPEC),)

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        concerned = self._concerned(rotations)
        if self.check_mode:
            return {"changed": bool(concerned)}
        # One certificate that cannot be installed must not keep the others of the host from it.
        while concerned:
            releases = self._releases(concerned)
            concerned = [one for one in concerned if not one.get("error") or self.options["operation"] == "rollback"]
            if not concerned:
                return None
            answer = self._install(releases, concerned)
            if answer is not None:
                for rotation in concerned:
                    self._add_installation(rotation, answer)
                return None
            concerned = [one for one in concerned if not one.get("error")]
        return None

    def _concerned(self, rotations: list[Rotation]) -> list[Rotation]:
        if self.options["operation"] == "rollback":
            return [one for one in rotations if one.get("needs_rollback")]
        if self.options["operation"] == "staple":
            return [one for one in active(rotations) if (one.get("validated") or {}).get("staple_b64")]
        due = active(rotations, ("rotate", "repair"))
        # In check mode nothing was issued, and so nothing validated.
        return [one for one in due if action_of(one) == "repair" or one.get("validated") or self.check_mode]

    def _releases(self, rotations: list[Rotation]) -> list[dict[str, Any]]:
        releases = []
        for rotation in rotations:
            try:
                releases.append(self._release(rotation))
            except RotationError as error:
                self.failing(rotation, error)
        return releases

    def _release(self, rotation: Rotation) -> dict[str, Any]:
        operation = self.options["operation"] or ("repair" if action_of(rotation) == "repair" else "switch")
        release: dict[str, Any] = {"name": rotation["name"], "operation": operation}
        if operation == "rollback":
            release["version"] = rotation["installation"]["version"]
            release["back_allowed"] = not rotation["decision"]["compromised"]
        elif operation == "staple":
            release.update(staple_b64=rotation["validated"]["staple_b64"], paths=rotation.get("paths") or {})
        elif operation == "switch":
            release.update(self._new_release(rotation))
        return release

    def _new_release(self, rotation: Rotation) -> dict[str, Any]:
        issued, prepared = rotation["issued"], rotation["prepared"]
        predecessor = rotation.get("predecessor") or {}
        return {
            "version": prepared["version"],
            "chain_pem": issued["chain_pem"],
            "trust_pem": issued["trust_pem"],
            "spki_sha256": prepared["spki_sha256"],
            "staple_b64": rotation["validated"].get("staple_b64"),
            "snippets": self._snippets(rotation),
            "stapling": rotation.get("stapling") or "auto",
            "must_staple": bool(issued.get("must_staple")),
            "responder": responder(rotation),
            "paths": rotation.get("paths") or {},
            "ticket_keys": (rotation.get("ticket_keys") or []) if rotation["decision"]["compromised"] else [],
            "record": self._record(rotation),
            "back_allowed": not (rotation["decision"]["compromised"] or predecessor.get("already_revoked")),
            **self._sealed_key(rotation),
        }

    def _sealed_key(self, rotation: Rotation) -> dict[str, str]:
        if not waits_for_key(rotation):
            return {}
        return {"sealed_key_b64": envelope_for(rotation, self.task_vars, self.options["sealed"] or "")}

    def _snippets(self, rotation: Rotation) -> dict[str, str]:
        path = Path(self.options["snippet_template"] or _TEMPLATE)
        try:
            template = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise RotationError("snippet_template_invalid", f"{path} can't be read: {exc}") from exc
        resolvers = self.options["resolvers"] or rotation.get("resolvers") or []
        return snippets(template, rotation, self.options["root"], resolvers)

    @staticmethod
    def _record(rotation: Rotation) -> dict[str, Any]:
        issued, decision, predecessor = rotation["issued"], rotation["decision"], rotation.get("predecessor")
        supersedes = None
        if predecessor:
            supersedes = {name: predecessor.get(name) for name in _OF_THE_PREDECESSOR}
            supersedes.update(compromised=decision["compromised"], revocation_reason=decision["revocation_reason"])
        return {
            "issuer": issued.get("issuer") or rotation.get("issuer"),  # a fallback may have issued it
            "serial": issued["serial"],
            "order": issued.get("order"),
            "times": dict(rotation.get("times") or {}),
            "supersedes": supersedes,
        }

    def _install(self, releases: list[dict[str, Any]], concerned: list[Rotation]) -> dict[str, Any] | None:
        """The module's answer; None if it failed, and then at least one rotation has got an error."""
        passed_on = {name: self.options[name] for name in _PASSED_ON if self.options.get(name) is not None}
        probes: list[Rotation] = [{"host": one["host"], "name": one["name"]} for one in concerned]
        answer = self.run_module({**passed_on, "releases": releases}, probes)
        if answer is not None:
            return answer
        # The host names the one certificate that is at fault, if it is one and not the service.
        guilty = [one for one in probes if one["name"] == (one["error"].get("facts") or {}).get("name")]
        for probe, rotation in zip(probes, concerned, strict=True):
            if not guilty or probe in guilty:
                self._put_error(rotation, probe["error"])
        return None

    def _put_error(self, rotation: Rotation, error: dict[str, Any]) -> None:
        """What made a way back necessary stays the rotation's error, also when the way back fails."""
        if rotation.get("error"):
            self.warn(rotation, f"not rolled back: {error['msg']} ({error['code']})")
        else:
            rotation["error"] = {**error, "step": self.step}

    def _add_installation(self, rotation: Rotation, answer: dict[str, Any]) -> None:
        installation = {**answer["installations"][rotation["name"]], "reload": answer["reload"]}
        for warning in installation.pop("warnings", []):
            self.warn(rotation, warning)
        if self.options["operation"] == "rollback":
            rotation["rolled_back"] = installation
            rotation["needs_rollback"] = False
            return
        rotation["installation"] = installation
        self.stamp(rotation, "installed")
