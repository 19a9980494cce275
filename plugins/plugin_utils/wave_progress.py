# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a play is: waves, hosts, failures, rate, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_MANY_HOSTS = 200


class WaveProgress:
    """Told of by a callback; ``clock`` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._play, self._task = "", ""
        self._wave, self._before, self._all = 0, 0, 0
        self._hosts: set[str] = set()
        self._running: set[str] = set()
        self._done: set[str] = set()
        self._failed: set[str] = set()
        self._play_began = self._wave_began = clock()
        self.is_at_work = False

    @property
    def is_large(self) -> bool:
        """Whether so many hosts are in the wave that nobody could read a line for each."""
        return len(self._hosts) > _MANY_HOSTS

    @property
    def has_waves(self) -> bool:
        """Whether the play has more than one."""
        return self._all > len(self._hosts)

    def begin_wave(self, play: str, hosts: Sequence[str], of_play: int) -> None:
        """A play begins, or its next batch of hosts does."""
        is_next = play == self._play and of_play == self._all and self._before < of_play
        self._wave = self._wave + 1 if is_next else 1
        if not is_next:
            self._play, self._all, self._before = play, of_play, 0
            self._play_began = self._clock()
        self._hosts, self._running, self._done, self._failed = set(hosts), set(), set(), set()
        self._task, self._wave_began, self.is_at_work = "", self._clock(), True

    def end_wave(self) -> None:
        self._before += len(self._hosts)
        self._done, self._running, self._task = set(self._hosts), set(), ""
        self.is_at_work = False

    def begin_task(self, name: str) -> None:
        self._task, self._done, self._running = name, set(), set()

    def started(self, host: str) -> None:
        self._running.add(host)

    def ended(self, host: str, *, is_failed: bool) -> None:
        self._running.discard(host)
        self._done.add(host)
        if is_failed:
            self._failed.add(host)

    def text(self) -> str:
        """For people, in one line."""
        if not self.is_at_work:
            return ", ".join([self._place(), f"{len(self._hosts)} hosts through", *self._failures(), self._pace()])
        doing = f"{len(self._done)} of {len(self._hosts)} hosts done"
        running = [f"{len(self._running)} at it"] if self._running else []
        task = f": {self._task}" if self._task else ""
        return ", ".join([f"{self._place()}{task}", doing, *running, *self._failures(), self._pace()])

    def _place(self) -> str:
        if not self.has_waves:
            return self._play
        first = self._before + 1 if self.is_at_work else self._before - len(self._hosts) + 1
        last = first + len(self._hosts) - 1
        return f"{self._play}, wave {self._wave} (hosts {first} to {last} of {self._all})"

    def _failures(self) -> list[str]:
        return [f"{len(self._failed)} failed"] if self._failed else []

    def _pace(self) -> str:
        """How long it has been at it; and from the waves that are through, how quick it is and what is left."""
        now = self._clock()
        since = _duration(now - self._wave_began)
        elapsed = (self._wave_began if self.is_at_work else now) - self._play_began
        if not self._before or elapsed <= 0:
            return since
        left = (self._all - self._before) * elapsed / self._before - (now - self._wave_began if self.is_at_work else 0)
        rate = f"{self._before / elapsed:.1f} hosts/s"
        return f"{since}, {rate}" + (f", about {_duration(max(0.0, left))} left" if self._all > self._before else "")


def _duration(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
