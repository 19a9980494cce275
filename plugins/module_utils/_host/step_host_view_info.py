# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module host_view_info does: see what only the host can see, and change nothing."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import (
    CertificateFolder,
    refuse_unsafe_folder,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.look import (
    installed_facts,
    server_configuration,
    surroundings,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.nginx_files import log_lines, named_files
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.reach import reached
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors

_MOST_TARGETS = 32


def carry_out(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Everything the module returns; it changes nothing in any mode."""
    root, openssl = params["root"], Openssl(params["openssl"])
    with storage_errors(f"Looking below {root}"):
        refuse_unsafe_folder(root, follow=True)
        certificates = {name: installed_facts(CertificateFolder(root, name), None, openssl) for name in params["names"]}
    nginx = server_configuration(params["nginx_dump"])
    configuration = nginx["configuration"] if nginx else ""
    targets = params["targets"][:_MOST_TARGETS]
    return {
        "changed": False,
        "certificates": certificates,
        "nginx": nginx,
        "files": named_files(configuration, openssl),
        "log": log_lines(configuration, params["log_lines"]),
        "sources": [reached(target, params["timeout"], params["slow_after"]) for target in targets],
        **surroundings(),
        "epoch": time.time(),  # last, so that nothing comes between it and the answer
    }
