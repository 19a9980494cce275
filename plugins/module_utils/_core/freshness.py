# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is an answer's time the time we judge for?"""

from __future__ import annotations

from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Reason, RevocationPolicy


def freshness_faults(
    this_update: datetime, next_update: datetime | None, *, at: datetime, policy: RevocationPolicy
) -> tuple[Reason, ...]:
    """What keeps an answer from speaking for ``at``: RFC 9919 section 5 for OCSP, RFC 5280 6.3.3 for CRLs.

    Without nextUpdate an answer could be replayed for ever, so it is refused.
    """
    faults = []
    if this_update > at + policy.tolerance:
        faults.append(Reason.FROM_THE_FUTURE)
    if next_update is None:
        faults.append(Reason.NEXT_UPDATE_MISSING)
    elif (
        next_update < at - policy.tolerance
        or next_update < this_update
        or (policy.max_age is not None and this_update + policy.max_age < at)
    ):
        faults.append(Reason.STALE)
    return tuple(faults)


def revocation_stands(
    faults: tuple[Reason, ...], revoked_at: datetime, *, on_hold: bool, at: datetime, policy: RevocationPolicy
) -> bool:
    """Does a signed "revoked" count although the answer it stands in does not speak for ``at``?

    A revocation is for ever, so an old answer proves it as well as a fresh one, and a later one proves it for every
    moment after ``revoked_at``. A hold can be lifted, so it needs an answer of the right time.
    """
    return not faults or (not on_hold and revoked_at <= at + policy.tolerance)
