# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module installed_info does: look."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CertificateFolder,
    folder_names,
    refuse_unsafe_folder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.look import (
    contents_of_path,
    installed_facts,
    server_configuration,
    surroundings,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors


def carry_out(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Everything the module returns; it changes nothing in any mode."""
    root, openssl = params["root"], Openssl(params["openssl"])
    with storage_errors(f"Looking below {root}"):
        refuse_unsafe_folder(root, follow=True)
        return {
            "changed": False,
            "certificates": {
                name: installed_facts(CertificateFolder(root, name), None, openssl)
                for name in params["names"] or folder_names(root)
            },
            "paths": {path: contents_of_path(path, openssl) for path in params["paths"]},
            "nginx": server_configuration(params["nginx_dump"]),
            "openssl_version": _version_or_none(openssl),
            **surroundings(),
        }


def _version_or_none(openssl: Openssl) -> str | None:
    try:
        return openssl.version()
    except RotationError:
        return None
