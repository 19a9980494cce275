# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands when a task is about to start, and lets the play go on when they have ended."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: at_task
type: aggregate
short_description: Runs commands when a task is about to start
description: The variable AT_TASK of the environment holds a JSON object of shell commands by task name.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "at_task"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        name = task.get_name().rpartition(" : ")[2]
        for command in json.loads(os.environ["AT_TASK"]).get(name, []):
            environment = {**os.environ, "PLAYBOOK_PID": str(os.getpid())}
            subprocess.run(["sh", "-c", command], env=environment, stdin=subprocess.DEVNULL, check=True)
