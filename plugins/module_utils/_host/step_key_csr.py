# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module key_csr does: look, and make keys and requests for what is due."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import refuse_unsafe_folder
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import read_file_options
from ansible_collections.certops.rotation.plugins.module_utils._host.look import (
    look_at,
    server_configuration,
    surroundings,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors


def carry_out(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Everything the module returns."""
    with storage_errors("Preparing below {}".format(params["root"])):
        read_file_options(params["files"])
        refuse_unsafe_folder(params["root"], follow=True)
        found = _looked_and_prepared(params, check_mode)
        return {**found, "nginx": server_configuration(params["nginx_dump"]), **surroundings()}


def _looked_and_prepared(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    if any(given["action"] == "rotate" for given in params["requests"]):
        # A host compiles what it imports at each execution; on the many where nothing is due, this is spared.
        from ansible_collections.certops.rotation.plugins.module_utils._host.prepare import prepare

        return prepare(params, check_mode)
    return {"changed": False, "certificates": look_at(params, Openssl(params["openssl"])), "prepared": {}}
