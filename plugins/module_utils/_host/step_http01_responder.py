# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module http01_responder does: have nginx answer ACME's http-01."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import refuse_unsafe_folder
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions, read_file_options
from ansible_collections.certops.rotation.plugins.module_utils._host.http01 import Http01Setup
from ansible_collections.certops.rotation.plugins.module_utils._host.http01_tokens import put, withdraw
from ansible_collections.certops.rotation.plugins.module_utils._host.lock import root_lock
from ansible_collections.certops.rotation.plugins.module_utils._host.service import Service, reload_result
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors
from ansible_collections.certops.rotation.plugins.module_utils._host.uninterrupted import uninterrupted


def carry_out(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Everything the module returns. RotationError ``challenge_not_answered`` if lines are left to others to add."""
    if params["tokens"]:
        return _tokens(params, check_mode)
    options, service, root = read_file_options(params["files"]), Service(params["service"]), params["root"]
    with storage_errors("Setting up http-01"):
        refuse_unsafe_folder(root, follow=True)
        with contextlib.nullcontext() if check_mode else _changing(params, options):
            setup = Http01Setup(params, options, service)
            changed = bool(setup.changes) or params["reload"]
            reload = None
            if changed and not check_mode:
                with uninterrupted():
                    done = setup.carry_out()
                reload = reload_result(done, service, setup.test_warnings) if done is not None else None
    result = {
        "changed": changed,
        "written": [change.path for change in setup.changes],
        "inserted": setup.inserted,
        "reload": reload,
        "diff": [change.diff for change in setup.changes],
    }
    if setup.to_add:
        return {"failed": True, **_left_to_others(setup.to_add).as_result(), **result}
    return result


def _tokens(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Files come and go with an order, and nothing has to be reloaded for them."""
    with storage_errors("Answering challenges by files"):
        if params["withdraw"]:
            paths = withdraw(params["tokens"], check_mode)
        else:
            paths = put(params["tokens"], read_file_options(params["files"]), check_mode)
    return {"changed": bool(paths), "written": paths, "inserted": [], "reload": None, "diff": []}


def _changing(params: dict[str, Any], options: FileOptions) -> contextlib.AbstractContextManager[None]:
    if not os.path.isdir(params["root"]):
        os.makedirs(params["root"], 0o755)
        options.dress_folder(params["root"])
    return root_lock(params["root"], params["lock_timeout"])


def _left_to_others(to_add: list[dict[str, Any]]) -> RotationError:
    lines = ["{path}:{line}: {include}".format(**one) for one in to_add]
    return RotationError(
        "challenge_not_answered",
        "The file that answers is there, but nginx includes it nowhere",
        remedy="Add, behind `server {{` of these lines, or let adopt: true do it: {}".format("; ".join(lines)),
        lines=lines,
    )
