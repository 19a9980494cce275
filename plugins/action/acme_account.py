# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account at an ACME CA: there, with a new key, or ended."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers import acme_account
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import AcmeIssuer
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.plugins.modules.acme_account import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import RotationAction


class ActionModule(RotationAction):
    """One issuer, one account, one thing done to it."""

    _requires_connection = False
    argument_spec = ARGUMENT_SPEC

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(None, task_vars)
        try:
            self.options = self.validated_options(plain(self._task.args))
            client = self._client()
            result = self._planned(client) if self.check_mode else self._done(client)
        except RotationError as error:
            return {"failed": True, "changed": False, **plain(error.as_result())}
        return result

    def _client(self) -> AcmeClient:
        name = self.options["issuer"]
        issuer = open_issuer(name, self.options["issuers"])
        if not isinstance(issuer, AcmeIssuer):
            raise RotationError(
                "issuer_invalid",
                f"the issuer {name!r} has no account: its type is not acme",
                remedy="Name an issuer of the type acme.",
                issuer=name,
            )
        return issuer.client

    def _done(self, client: AcmeClient) -> dict[str, Any]:
        state = self.options["state"]
        if state == "deactivated":
            acme_account.deactivate(client)
            return self._result(client, None, changed=True)
        if state == "new_key":
            acme_account.roll_over(client)
            return self._result(client, client.account_uri, changed=True)
        ensured = acme_account.ensure(client)
        return self._result(client, ensured.uri, changed=ensured.is_new or ensured.is_updated)

    def _planned(self, client: AcmeClient) -> dict[str, Any]:
        """Without a key there is no account, and none is made."""
        has_key = bool(client.config.account_key_content)
        if not has_key and not acme_account.key_file(client.config, client.state).exists():
            return {"changed": True, "uri": None, "thumbprint": None, "key_path": self._key_path(client)}
        uri = acme_account.find(client, client.key)
        return self._result(client, uri, changed=uri is None or self.options["state"] != "present")

    def _result(self, client: AcmeClient, uri: str | None, *, changed: bool) -> dict[str, Any]:
        return {"changed": changed, "uri": uri, "thumbprint": client.thumbprint, "key_path": self._key_path(client)}

    @staticmethod
    def _key_path(client: AcmeClient) -> str | None:
        if client.config.account_key_content:
            return None
        return str(acme_account.key_file(client.config, client.state))
