# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run leaves to later ones: verified answers, and the numbers of the CRLs it has seen."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once
from ansible_collections.certops.rotation.plugins.module_utils._core.crl import VerifiedCrl
from ansible_collections.certops.rotation.plugins.module_utils._fetch.cache import DiskCache
from ansible_collections.certops.rotation.plugins.module_utils._fetch.crl_numbers import CrlNumbers
from ansible_collections.certops.rotation.plugins.module_utils._fetch.keeper import Keeper

_LONGEST_NUMBER = 160  # bits (RFC 5280 5.2.3)
_CLOCKS_DIFFER = timedelta(minutes=5)


class Memory:
    """Thread-safe; one for a run.

    :param always_ask: no answer of an earlier run is used unless the server says now that it is the same still.
    :param timeout: of one request, for which another process may have to be waited for.
    :raises RotationError: ``cache_refused``. :raises OSError: if the directory cannot be used.
    """

    def __init__(self, directory: str, *, always_ask: bool = False, timeout: float = 10.0) -> None:
        cache = DiskCache(directory)
        cache.check()
        self.keeper = Keeper(cache, always_ask=always_ask, patience=timeout + 5)
        self._numbers = CrlNumbers(directory)
        self._highest: Once[str, int | None] = Once()
        self._noted: Once[tuple[str, int], None] = Once()

    def seen_number(self, crl: VerifiedCrl) -> int | None:
        """The highest CRLNumber that earlier runs saw of the CRL's stream; its own is remembered."""
        highest = self._highest.get(crl.stream, lambda: self._numbers.highest(crl.stream))
        number = crl.claims.number
        is_of_now = crl.claims.this_update <= datetime.now(timezone.utc) + _CLOCKS_DIFFER
        if number is not None and is_of_now and number.bit_length() <= _LONGEST_NUMBER:
            self._noted.get((crl.stream, number), lambda: self._numbers.note(crl.stream, number))
        return highest
