# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one program: argument list, bounded time, no shell, no terminal, C locale."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_SHOWN = 2048


@dataclass(frozen=True)
class Outcome:
    """What a program left behind. ``output`` can be anything; ``tail`` is what may be shown to people."""

    argv: tuple[str, ...]
    code: int
    output: bytes
    errors: bytes

    @property
    def tail(self) -> str:
        """The last 2 KB of what it said on standard error."""
        return self.errors[-_SHOWN:].decode("utf-8", "replace").strip()


def run(argv: list[str], *, timeout: float = 30.0, given: bytes | None = None, output_to: int | None = None) -> Outcome:
    """Run ``argv``; any exit code is an outcome, only a missing program or too much time is an error.

    With ``output_to``, a file descriptor, what it prints goes there and is never in this process.

    A session of its own: no terminal on which openssl could ask for a passphrase, and no share in the hang-up
    that an ssh connection sends when it is cut.
    """
    import subprocess  # not loaded where nothing is run

    environment = dict(os.environ, LC_ALL="C", LANGUAGE="C")
    try:
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE if output_to is None else output_to,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        ) as process:
            try:
                output, errors = process.communicate(given, timeout=timeout)
            except subprocess.TimeoutExpired as exc:
                process.kill()
                raise RotationError(
                    "command_timeout", f"{argv[0]} did not end within {timeout:g} seconds", command=argv
                ) from exc
    except (FileNotFoundError, PermissionError, NotADirectoryError) as exc:
        raise RotationError("command_missing", f"{argv[0]} cannot be run: {exc.strerror}", command=argv) from exc
    return Outcome(tuple(argv), process.returncode, output or b"", errors)
