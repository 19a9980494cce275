# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the progress line says, with a clock that is moved by hand."""

from __future__ import annotations

from ansible_collections.certops.rotation.plugins.plugin_utils.wave_progress import WaveProgress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_waves_of_a_play() -> None:
    clock = Clock()
    progress = WaveProgress(clock)
    progress.begin_wave("Replace", ["a"], 30)
    progress.begin_task("Install")
    progress.started("a")
    clock.now = 5
    assert progress.text() == "Replace, wave 1 (hosts 1 to 1 of 30): Install, 0 of 1 hosts done, 1 at it, 0:05"
    progress.ended("a", is_failed=False)
    clock.now = 10
    progress.end_wave()
    assert (
        progress.text() == "Replace, wave 1 (hosts 1 to 1 of 30), 1 hosts through, 0:10, 0.1 hosts/s, about 4:50 left"
    )
    progress.begin_wave("Replace", ["b", "c", "d"], 30)
    progress.begin_task("Install")
    progress.started("b")
    progress.started("c")
    progress.ended("b", is_failed=True)
    clock.now = 20
    assert progress.text() == (
        "Replace, wave 2 (hosts 2 to 4 of 30): Install, 1 of 3 hosts done, 1 at it, 1 failed, 0:10, 0.1 hosts/s,"
        " about 4:40 left"
    )


def test_the_next_play_starts_anew() -> None:
    clock = Clock()
    progress = WaveProgress(clock)
    progress.begin_wave("Replace", ["a", "b"], 2)
    progress.end_wave()
    assert not progress.has_waves
    progress.begin_wave("Revoke", ["a", "b"], 2)
    clock.now = 3700
    assert progress.text() == "Revoke, 0 of 2 hosts done, 1:01:40"
    progress.end_wave()
    assert progress.text() == "Revoke, 2 hosts through, 1:01:40, 0.0 hosts/s"


def test_failures_are_of_the_wave_and_not_of_the_task() -> None:
    progress = WaveProgress(Clock())
    progress.begin_wave("Replace", ["a", "b"], 2)
    progress.begin_task("One")
    progress.ended("a", is_failed=True)
    progress.begin_task("Two")
    progress.ended("b", is_failed=False)
    assert "1 of 2 hosts done, 1 failed" in progress.text()
