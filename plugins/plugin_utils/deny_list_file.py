# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deny list as a file on the control node: keys that must never be served again, by whatever run.

A line each: the fingerprint (SHA-256 of the SubjectPublicKeyInfo, hex), then whatever people should know about it.
Lines are only ever added, under a lock, so runs side by side do not lose each other's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_policy import deny_list


def denied_in(path: str | None) -> frozenset[str]:
    """The fingerprints in the file; none if there is no file.

    :raises RotationError: ``deny_list_unreadable``, and ``policy_invalid`` for a line that begins with none.
    """
    if not path:
        return frozenset()
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return frozenset()
    except OSError as exc:
        raise _failed("unreadable", path, exc) from exc
    return _fingerprints(text)


def deny(path: str, fingerprints: Iterable[str], note: str) -> list[str]:
    """Add those that are not in the file yet, and return them. On disk when this returns.

    :raises RotationError: ``deny_list_not_written``, and as ``denied_in``.
    """
    try:
        Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _locked(path):
            known = denied_in(path)
            new = sorted(frozenset(fingerprints) - known)
            if new:
                _append(path, "".join(f"{one} {note}".rstrip() + "\n" for one in new))
            return new
    except OSError as exc:
        raise _failed("not_written", path, exc) from exc


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _append(path: str, lines: str) -> None:
    """A new file in its place, with ``lines`` more: one that was half written would stop all runs."""
    try:
        before = Path(path).read_bytes()
    except FileNotFoundError:
        before = b""
    start = b"\n" if before and not before.endswith(b"\n") else b""
    temporary = f"{path}.{secrets.token_hex(8)}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines((before, start, lines.encode()))
            file.flush()
            os.fsync(handle)
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _fingerprints(text: str) -> frozenset[str]:
    lines = [line.split() for line in text.splitlines()]
    return deny_list(words[0] for words in lines if words and not words[0].startswith("#"))


def _failed(what: str, path: str, exc: OSError) -> RotationError:
    return RotationError(
        f"deny_list_{what}",
        f"The deny list {path} is {what.replace('_', ' ')}: {exc.strerror}",
        remedy="Make the file readable and writable for this user, or name another one.",
        path=path,
    )
