# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a long run is: one live line a wave on a terminal, plain lines elsewhere."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: aggregate
short_description: Tell how far a long run over many hosts is
version_added: "0.1.0"
description:
  - On a terminal, the last line says which wave a play is in, how many hosts are done with the task, how many
    are at it, how many have failed, how many hosts are through in a second, and how long the rest will take.
  - Where there is no terminal, the same is said in a line of its own at the end of each wave, and now and then before.
  - Nothing of the normal output is changed or lost; any stdout callback may be used beside it.
requirements:
  - enabled in C(callbacks_enabled) of C(ansible.cfg), or by C(ANSIBLE_CALLBACKS_ENABLED)
options:
  interval:
    description:
      - Seconds between two lines where there is no terminal.
      - V(0) leaves only the line at the end of each wave.
    type: float
    default: 30.0
    env:
      - name: CERTOPS_PROGRESS_INTERVAL
    ini:
      - section: certops_progress
        key: interval
author: certops maintainers (@certops)
"""

EXAMPLES = r"""
# ansible.cfg
# [defaults]
# callbacks_enabled = certops.rotation.progress
"""

import sys
import time
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.certops.rotation.plugins.plugin_utils.live_line import LiveLine, live_line
from ansible_collections.certops.rotation.plugins.plugin_utils.wave_progress import WaveProgress


class CallbackModule(CallbackBase):
    """Counts what it is told of, and shows it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "certops.rotation.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._progress = WaveProgress(time.monotonic)
        self._line: LiveLine | None = None
        self._told = time.monotonic()

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._line = live_line() if sys.stdout.isatty() else None

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._end_of_wave()
        known = play.get_variable_manager().get_vars(play=play)
        self._progress.begin_wave(
            play.get_name(), list(known.get("ansible_play_batch") or ()), len(known.get("ansible_play_hosts_all") or ())
        )
        self._show()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._progress.begin_task(task.get_name().rpartition(" : ")[2])
        self._show()

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._progress.started(host.get_name())
        self._show()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._ended(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._ended(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._ended(result, is_failed=not ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._ended(result, is_failed=True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end_of_wave()
        if self._line is not None:
            self._line.end()

    def _ended(self, result: Any, *, is_failed: bool = False) -> None:
        # ansible-core 2.19 and later call it `host`, earlier ones `_host`.
        host = getattr(result, "host", None) or result._host
        self._progress.ended(host.get_name(), is_failed=is_failed)
        self._show()

    def _show(self) -> None:
        if self._line is not None:
            self._line.show(self._progress.text(), is_one_of_many=self._progress.is_large)
            return
        interval, now = float(self.get_option("interval")), time.monotonic()
        if interval and now - self._told >= interval and self._progress.is_at_work:
            self._told = now
            self._display.display(self._progress.text())

    def _end_of_wave(self) -> None:
        if not self._progress.is_at_work:
            return
        self._progress.end_wave()
        if self._line is None and self._progress.has_waves:
            self._told = time.monotonic()
            self._display.display(self._progress.text())
