# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calling a module's real ``main()`` in this process: JSON in, JSON out."""

from __future__ import annotations

import contextlib
import io
import json
from types import ModuleType
from typing import Any
from unittest import mock

from ansible.module_utils import basic


def run_main(module: ModuleType, **options: Any) -> dict[str, Any]:
    """What ``main()`` prints for these options; ``failed`` is in it if it failed."""
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"_ansible_remote_tmp": "/tmp", **options}}).encode()
    printed = io.StringIO()
    wanted: dict[str, Any] = {"_ANSIBLE_ARGS": arguments}
    if hasattr(basic, "_ANSIBLE_PROFILE"):  # ansible-core 2.19 and later
        wanted["_ANSIBLE_PROFILE"] = "legacy"
    with mock.patch.multiple(basic, **wanted), contextlib.redirect_stdout(printed):
        try:
            module.main()
        except SystemExit as end:
            assert end.code in (0, 1)
    result: dict[str, Any] = json.loads(printed.getvalue())
    return result
