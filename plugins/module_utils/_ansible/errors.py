# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where a module ends, well or not. Runs on hosts too: standard library and Python 3.8."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError


@contextlib.contextmanager
def reporting_errors(module: AnsibleModule) -> Iterator[None]:
    """Turn a RotationError into ``fail_json(msg, code, remedy, facts)``."""
    try:
        yield
    except RotationError as error:
        module.fail_json(**error.as_result())


def end(module: AnsibleModule, result: dict[str, Any]) -> None:
    """End the module with what a host step answered."""
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
