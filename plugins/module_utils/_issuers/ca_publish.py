# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CA publishes: files that any web server hands out under the base URL, each replaced in one step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Callable

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import (
    sync_directory,
    write_all_atomically,
)

_SECONDS = 5.0

Fetch = Callable[[str], bytes]
"""GET of a URL, past caches if possible. RotationError if there is no answer with status 200."""


def publish(folder: Path, name: str, content: bytes) -> None:
    """Write ``folder/name`` for everybody to read, in one step.

    :raises RotationError: as ``publish_all``.
    """
    publish_all(folder, [(PurePosixPath(name), content)])


def publish_all(folder: Path, files: Sequence[tuple[PurePosixPath, bytes]]) -> None:
    """Write files below ``folder`` for everybody to read, each in one step.

    :raises RotationError: ``publish_failed``; also when ``folder`` is missing, because it may be a mount that is gone.
    """
    try:
        for parent in {(folder / name).parent for name, _content in files}:
            _make_folders(folder, parent)
        write_all_atomically([(folder / name, content) for name, content in files], mode=0o644)
    except OSError as error:
        raise RotationError(
            "publish_failed",
            f"what the CA publishes cannot be written to {folder}: {error.strerror or error}",
            remedy="Make the publish directory writable (and give it room), then run the internal_ca playbook.",
            path=str(folder),
        ) from error


def _make_folders(folder: Path, wanted: Path) -> None:
    if wanted == folder or wanted.is_dir():
        return
    _make_folders(folder, wanted.parent)
    wanted.mkdir(exist_ok=True)
    wanted.chmod(0o755)
    sync_directory(wanted.parent)


def withdraw(folder: Path, name: PurePosixPath) -> None:
    """Remove ``folder/name`` and the folders that are empty without it."""
    path = folder / name
    path.unlink(missing_ok=True)
    for parent in path.parents:
        if parent == folder:
            return
        try:
            parent.rmdir()
        except OSError:
            return


def is_published(folder: Path, name: PurePosixPath | str, content: bytes) -> bool:
    """Whether the file has exactly this content."""
    try:
        return (folder / name).read_bytes() == content
    except OSError:
        return False


def check_public(fetch: Fetch, url: str, content: bytes) -> RotationError | None:
    """None if ``url`` delivers exactly ``content``, else ``publish_unreachable`` or ``publish_differs``."""
    try:
        delivered = fetch(url)
    except RotationError as error:
        return RotationError(
            "publish_unreachable",
            f"{url} cannot be fetched: {error.message}",
            remedy="Start the web server for the CA's publish directory, or correct base_url.",
            url=url,
        )
    if delivered != content:
        return RotationError(
            "publish_differs",
            f"{url} delivers something else than what was published",
            remedy="Look for a cache or another folder behind this URL; clients see the old state until it is gone.",
            url=url,
        )
    return None


def fetch_anew(url: str) -> bytes:
    """Fetch past caches on the way: what they hold must not be mistaken for what is published."""
    return HttpClient(timeout=_SECONDS).get(url, headers={"Cache-Control": "no-cache"}).body
