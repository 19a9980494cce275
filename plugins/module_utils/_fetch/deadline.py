# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounding in time what offers no bound of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class OutOfTimeError(Exception):
    """The work was not done in its time; its thread is left behind and ends whenever it ends."""


class _Work(Generic[_Result]):
    def __init__(self, work: Callable[[], _Result]) -> None:
        self._work = work
        self._results: list[_Result] = []
        self._errors: list[BaseException] = []

    def run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as exc:  # handed to the thread that waits
            self._errors.append(exc)

    def result(self) -> _Result:
        if self._errors:
            raise self._errors[0]
        if not self._results:
            raise OutOfTimeError
        return self._results[0]


def within(seconds: float, work: Callable[[], _Result]) -> _Result:
    """The result of ``work()``, which may raise.

    The system's resolver knows no deadline, and a peer that sends one byte now and then renews every socket timeout.

    :raises OutOfTimeError: after ``seconds``.
    """
    job = _Work(work)
    thread = threading.Thread(target=job.run, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    return job.result()
