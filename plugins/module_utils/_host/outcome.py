# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host step answers with, whether it is run by its module or by the lean execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_SHOWN = 4096


def outcome_of(
    step: Callable[[dict[str, Any], bool], dict[str, Any]], params: dict[str, Any], check_mode: bool
) -> dict[str, Any]:
    """The step's result, or why it has none: ``failed`` with ``msg``, ``code``, ``remedy`` and ``facts``."""
    try:
        return step(params, check_mode)
    except RotationError as error:
        return {"failed": True, **error.as_result()}
    except Exception as exc:
        import traceback

        return {
            "failed": True,
            "code": "host_failed",
            "msg": f"The step failed unexpectedly: {type(exc).__name__}: {exc}",
            "remedy": "This is a fault of the collection: report it with the facts.",
            "facts": {"traceback": traceback.format_exc()[-_SHOWN:]},
        }
