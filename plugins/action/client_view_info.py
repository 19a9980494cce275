# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnose, seen by a client: all addresses, several handshakes, and what comes after them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.declaration import probe, rotations_from_request
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls_talk import ClientCertificate
from ansible_collections.certops.rotation.plugins.modules.client_view_info import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.client_view import Client, ClientLook
from ansible_collections.certops.rotation.plugins.plugin_utils.diagnosing import diagnosing_judge
from ansible_collections.certops.rotation.plugins.plugin_utils.host_values import host_values
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import FleetAction, Rotation

_AT_ONCE = 8
_UNEXPECTED: tuple[type[Exception], ...] = (OSError, *DECODING_ERRORS)


class ActionModule(FleetAction):
    step = "client_view"
    argument_spec = ARGUMENT_SPEC

    def given_rotations(self) -> dict[str, list[Rotation]]:
        hosts, variable = self.options["hosts"], self.options["request"]
        if hosts is None or not variable:
            return super().given_rotations()
        requests = host_values(self, self.task_vars, variable, hosts)
        return {host: self._declared(host, plain(requests[host])) for host in hosts}

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any] | None:
        look = ClientLook(
            diagnosing_judge(self.step, self.options),
            timeout=self.options["timeout"],
            slow_after=self.options["slow_after"],
            handshakes=self.options["handshakes"],
            prime=self.options["prime"],
            client=self._client(),
            alerts=self.options["reported_alerts"],
        )
        only_new = self.options["only_new"]
        due = [one for one in self.active(rotations) if not only_new or one.get("client_view") is None]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for rotation, view in zip(
                due, pool.map(lambda one: self._view(look, one, rotations[one["host"]]), due), strict=True
            ):
                if isinstance(view, RotationError):
                    self.failing(rotation, view)
                else:
                    rotation["client_view"] = view
        return None

    @staticmethod
    def _declared(host: str, request: Mapping[str, Any]) -> list[Rotation]:
        """Where nothing is declared, the host's default endpoint is looked at until the host tells more."""
        return rotations_from_request(host, request) or [probe(host, request)]

    @staticmethod
    def _view(look: ClientLook, rotation: Rotation, of_host: list[Rotation]) -> dict[str, Any] | RotationError:
        try:
            return look.view(rotation, of_host)
        except RotationError as error:
            return error
        except _UNEXPECTED as exc:
            # One endpoint with a certificate of which nobody has thought must not keep the others from being seen.
            return RotationError("look_failed", f"What is served cannot be looked at: {type(exc).__name__}: {exc}")

    def _client(self) -> Client | None:
        path, key = self.options["client_certificate"], self.options["client_key"]
        if not path:
            return None
        try:
            chain = read_certificates(Path(path).read_bytes(), path)
        except OSError as exc:
            raise RotationError(
                "client_certificate_unusable",
                f"{path} cannot be read: {exc.strerror}",
                remedy="Name a file on the control node with the client certificate in PEM.",
            ) from exc
        return Client(tuple(chain), ClientCertificate(path, key) if key else None)
