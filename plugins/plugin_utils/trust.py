# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a step trusts, and the judge it makes of that."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.utils.display import Display
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging_options import (
    RETRIES,
    memory_from,
    system_anchors,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers

display = Display()


def judging(step: str, options: Mapping[str, Any]) -> Judging:
    """One judge for the whole step, with the options of ``TRUST_SPEC``. RotationError ``trust_anchor_unreadable``.

    It trusts the roots of the issuers, those in files, and the system's.
    """
    of_issuers = issuers_anchors(step, OpenIssuers(options["issuers"]), options["trust_anchors"])
    anchors = [*of_issuers, *_of_the_system()]
    timeout = options["timeout"]
    # Only what looks round may rely on what it was told an hour ago; what goes on to act asks.
    memory = memory_from(
        options["cache_dir"],
        timeout=timeout,
        always_ask=step != "detect" or options.get("revalidate", False),
        warn=lambda text: display.warning(f"{step}: {text}"),
    )
    http = HttpClient(timeout=timeout, retries=RETRIES)
    return Judging(http=http, policy=RevocationPolicy(), anchors=anchors, memory=memory)


@functools.lru_cache(maxsize=1)
def _of_the_system() -> tuple[x509.Certificate, ...]:
    return tuple(system_anchors())


# Where this file is imported: that is the parent process, and the forks of all steps inherit what took 15 ms to read.
with contextlib.suppress(RotationError):
    _of_the_system()


def issuers_anchors(step: str, issuers: OpenIssuers, files: Sequence[str]) -> list[x509.Certificate]:
    """The roots of the issuers and those in files; a warning for each issuer that does not open.

    Its certificates become unknown, and nothing worse.
    """
    notes: list[str] = []
    anchors = issuers.anchors(files, notes)
    for note in notes:
        display.warning(f"{step}: {note}")
    return anchors
