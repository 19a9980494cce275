# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnose, seen by the host: one execution, and a second where the first found certificates to ask about."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_nginx import server_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.modules.host_view_info import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.client_view import targets_of
from ansible_collections.certops.rotation.plugins.plugin_utils.discovery import discovered
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import lean_step
from ansible_collections.certops.rotation.plugins.plugin_utils.nginx_dump import read_dump
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import HostAction, Rotation, active

_OPTIONS = ("root", "openssl", "timeout", "slow_after", "log_lines")
_DEFAULT_ENDPOINT = ["default endpoint"]


class ActionModule(HostAction):
    """A host that cannot be looked at is no error here: its ``host_view`` has the error, and the rest is judged."""

    step = "host_view"
    module_name = "certops.rotation.host_view_info"
    argument_spec = ARGUMENT_SPEC
    lean_steps = (lean_step("host_view_info", ARGUMENT_SPEC),)

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        is_declared = any(one.get("sources") != _DEFAULT_ENDPOINT for one in rotations)
        targets = _distinct(target for one in rotations for target in _targets_of_view(one))
        answer = self._look(rotations, targets, self.options["nginx_dump"])
        if answer is None:
            return None
        found = [] if is_declared else self._discovered(rotations, answer)
        if found:
            rotations[:] = found
        known = {(one["url"], one.get("about")) for one in targets}
        more = [one for one in _targets_of_files(answer["files"]) if (one["url"], one.get("about")) not in known]
        if found or more:
            again = self._look(rotations, more, [])
            if again is None:
                return None
            answer["certificates"], answer["sources"] = again["certificates"], answer["sources"] + again["sources"]
        self._fill(rotations, answer)
        return None

    def _look(
        self, rotations: Sequence[Rotation], targets: Sequence[Mapping[str, str]], nginx_dump: Sequence[str]
    ) -> dict[str, Any] | None:
        probes: list[Rotation] = [{"host": one.get("host"), "name": one.get("name")} for one in rotations] or [{}]
        names = [one["name"] for one in active(rotations)]
        arguments = {
            **self.module_options(*_OPTIONS),
            "names": names,
            "targets": list(targets),
            "nginx_dump": list(nginx_dump),
        }
        before = time.time()
        self.options["keep_going"], given = True, self.options["keep_going"]
        answer = self.run_module(arguments, probes)
        self.options["keep_going"] = given
        if answer is None:
            for rotation in rotations:
                rotation["host_view"] = {"error": probes[0]["error"]}
            return None
        answer["clock_offset"] = _offset(answer["epoch"], before, time.time())
        return answer

    def _discovered(self, rotations: Sequence[Rotation], answer: Mapping[str, Any]) -> list[Rotation]:
        """What the host's nginx serves takes the place of the default endpoint."""
        try:
            found, _vhosts, problems = discovered(answer["nginx"], self.options["defaults"] or {}, self.options["root"])
        except RotationError:
            return []
        for rotation in found:
            rotation["host"] = rotations[0]["host"] if rotations else str(self.task_vars.get("inventory_hostname"))
            for problem in problems:
                self.warn(rotation, problem)
        return found

    def _fill(self, rotations: Sequence[Rotation], answer: Mapping[str, Any]) -> None:
        nginx = _nginx(answer)
        for rotation in active(rotations):
            mine = [server for server in nginx["servers"] if _serves(server, rotation)]
            rotation["host_view"] = {
                "clock_offset": answer["clock_offset"],
                "sources": answer["sources"],
                "resolvers": answer["resolvers"],
                "log": answer["log"],
                "nginx": {**nginx, "servers": mine},
            }
            rotation["resolvers"] = answer["resolvers"]
            installed = answer["certificates"].get(rotation["name"])
            if installed and not installed.get("error"):
                rotation["installed"] = installed


def _offset(epoch: float, before: float, after: float) -> float:
    """Seconds that the host is ahead, for sure: no more than what the time of the execution leaves open."""
    least, most = epoch - after, epoch - before
    return round(least if least > 0 else min(most, 0.0), 1)


def _nginx(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the configuration says; its text, which can hold secrets, goes no further."""
    nginx = answer["nginx"]
    if not nginx:
        return {"ok": None, "servers": [], "warnings": []}
    warnings = [line.strip() for line in nginx["warnings"].splitlines() if "[warn]" in line or "[emerg]" in line]
    ignored = [line for line in warnings if "ssl_stapling" in line]
    try:
        servers = server_facts(read_dump(nginx["configuration"]), answer["files"], ignored)
    except RotationError:
        servers = []
    return {"ok": nginx["ok"], "servers": servers, "warnings": warnings}


def _serves(server: Mapping[str, Any], rotation: Rotation) -> bool:
    """By the certificate that is served, else by name and port."""
    shown = set((rotation.get("client_view") or {}).get("certificates") or {})
    if shown & {one["sha256"] for one in server["certificates"]}:
        return True
    ports = {listener["port"] for listener in rotation.get("listeners") or ()}
    names = set(rotation.get("server_names") or ())
    return bool(ports & set(server["ports"])) and (not names or bool(names & set(server["names"])))


def _targets_of_view(rotation: Rotation) -> list[dict[str, str]]:
    found = []
    for sha256, one in ((rotation.get("client_view") or {}).get("certificates") or {}).items():
        found += [{"url": url, "kind": "crl"} for url in one["crl_urls"]]
        if one.get("request_b64"):
            asked = {"kind": "ocsp", "request_b64": one["request_b64"], "about": sha256}
            found += [{"url": url, **asked} for url in one["ocsp_urls"]]
    return found


def _targets_of_files(files: Mapping[str, Any]) -> list[dict[str, str]]:
    """Of leaves that the host has on disk, and that were not seen served."""
    found: list[dict[str, str]] = []
    for path, facts in files.items():
        try:
            chain = read_certificates((facts.get("chain_pem") or "").encode(), path)
            found += targets_of(chain)
        except RotationError:
            continue
    return _distinct(found)


def _distinct(targets: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    return list({(one["url"], one.get("about")): one for one in targets}.values())
