# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No test leaves anything in the cache of the user who runs it, nor finds anything there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest
from ansible_collections.certops.rotation.tests.support.own_cache import own_cache


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_session() -> Iterator[str]:
    """Where programs keep what they can fetch again, for this process and all that it starts."""
    with tempfile.TemporaryDirectory(prefix="certops-cache-") as folder, pytest.MonkeyPatch.context() as patch:
        for name, value in own_cache(folder).items():
            patch.setenv(name, value)
        yield folder
