# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CA would refuse, found before it is asked: each order it refuses counts against its limits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import ip_address
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import AcmeConfig
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_known_cas import Limit
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_state import AcmeState
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_request import Request


def check_request(config: AcmeConfig, request: Request) -> None:
    """What can be told without the CA's directory.

    :raises RotationError: ``must_staple_impossible``, ``too_many_names``, ``acme_unsupported_identifier``.
    """
    order = request.order
    if order.must_staple and not config.ocsp:
        raise RotationError(
            "must_staple_impossible",
            f"{order.name} wants Must-Staple, and {config.name} has no OCSP: nothing could be stapled",
            remedy="Set must_staple to false for the certificate. For a CA with OCSP, set ocsp: true for its issuer.",
        )
    if len(request.names) > config.max_names:
        raise RotationError(
            "too_many_names",
            f"{order.name} has {len(request.names)} names, and {config.name} takes {config.max_names} in a certificate",
            remedy="Split it into several certificates; max_names of the issuer is what the CA's documentation says.",
            names=len(request.names),
            most=config.max_names,
        )
    addresses = [name for name in request.names if ip_address(name)]
    capable = config.known.profiles_for_addresses
    if addresses and capable is not None and config.profile not in capable:
        raise RotationError(
            "acme_unsupported_identifier",
            f"{config.name} certifies IP addresses only with the profile {' or '.join(sorted(capable))}",
            remedy="Set profile for the issuer, or leave the addresses out.",
            addresses=addresses,
        )


def checked_profile(config: AcmeConfig, meta: Mapping[str, Any], warnings: list[str]) -> str | None:
    """The profile to order, if the CA has profiles. RotationError ``acme_invalid_profile``."""
    if config.profile is None:
        return None
    offered = meta.get("profiles")
    if not isinstance(offered, Mapping):
        warnings.append(f"{config.name} offers no profiles; ordered without {config.profile}")
        return None
    if config.profile not in offered:
        known = ", ".join(sorted(str(one) for one in offered))
        raise RotationError(
            "acme_invalid_profile",
            f"{config.name} has no profile {config.profile}; it offers {known or 'none'}",
            remedy="Correct profile of the issuer.",
            offered=sorted(str(one) for one in offered),
        )
    return config.profile


class Budget:
    """What is left of the CA's limits, by what this control node has ordered. Others may have used the account too."""

    def __init__(self, config: AcmeConfig, state: AcmeState, account: str | None) -> None:
        """:param account: thumbprint of its key; None for one that is still to be made."""
        self._config, self._state, self._account = config, state, account
        self._limits = config.limits
        self._now = time.time()
        self._ordered: list[float] | None = None
        self._same: dict[tuple[str, ...], list[float]] = {}

    def spend(self, names: Sequence[str]) -> None:
        """Count one more order for these names. RotationError ``acme_budget_exceeded``, with the time to try again."""
        issued = self._issued(tuple(names))
        if self._limits.same_names and len(issued) >= self._limits.same_names.count:
            raise self._exceeded(f"certificates for {', '.join(names[:3])}", self._limits.same_names, issued)
        # An order for the same names as before is a renewal, which no limit for all orders counts.
        if self._limits.orders and not issued:
            ordered = self._orders()
            if len(ordered) >= self._limits.orders.count:
                raise self._exceeded("orders of the account", self._limits.orders, ordered)
            ordered.append(self._now)
        issued.append(self._now)

    def _orders(self) -> list[float]:
        if self._ordered is None:
            since = self._now - self._limits.orders.hours * 3600 if self._limits.orders else self._now
            self._ordered = self._state.orders_since(self._account, since) if self._account else []
        return self._ordered

    def _issued(self, names: tuple[str, ...]) -> list[float]:
        if names not in self._same:
            limit = self._limits.same_names
            since = self._now - limit.hours * 3600 if limit else 0.0
            self._same[names] = self._state.issued_since(self._account, names, since) if self._account else []
        return self._same[names]

    def _exceeded(self, what: str, limit: Limit, used: Sequence[float]) -> RotationError:
        free = datetime.fromtimestamp(used[-limit.count], timezone.utc) + timedelta(hours=limit.hours)
        return RotationError(
            "acme_budget_exceeded",
            f"{limit.count} {what} in {limit.hours:g} hours is what {self._config.name} allows; they are used",
            remedy=f"Wait until {as_text(free)}, let a fallback CA issue, or raise limits if the CA has.",
            retry_at=as_text(free),
            used=len(used),
        )
