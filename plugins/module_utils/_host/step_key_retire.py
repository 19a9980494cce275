# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module key_retire does: write down how far each rotation came, and destroy the keys that were replaced."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import refuse_unsafe_folder
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import utc_now
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import read_file_options
from ansible_collections.certops.rotation.plugins.module_utils._host.lock import root_lock
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.retire import RetirementRun
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors
from ansible_collections.certops.rotation.plugins.module_utils._host.uninterrupted import uninterrupted


def carry_out(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Everything the module returns."""
    root = params["root"]
    with storage_errors(f"Retiring keys below {root}"):
        refuse_unsafe_folder(root, follow=True)
        run = RetirementRun(root, params, Openssl(params["openssl"]), read_file_options(params["files"]), utc_now())
        if check_mode:
            return run.foresee()
        with root_lock(root, params["lock_timeout"]), uninterrupted():
            return run.carry_out()
