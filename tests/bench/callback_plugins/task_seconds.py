# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the wall time between the start of each task and the start of the next to the file $TASK_SECONDS."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_seconds
type: aggregate
short_description: Wall time of each task, for the benchmarks
description: Wall time of each task, for the benchmarks.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_seconds"

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[tuple[str, float]] = []

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self.starts.append((task.get_name(), time.monotonic()))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        ends = [start for _name, start in self.starts[1:]] + [time.monotonic()]
        rows = [{"task": name, "seconds": end - start} for (name, start), end in zip(self.starts, ends, strict=True)]
        with open(os.environ["TASK_SECONDS"], "w", encoding="utf-8") as file:
            json.dump(rows, file)
