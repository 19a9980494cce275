# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get chains for prepared requests: one task for all hosts, issuers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issued, Issuer, Order
from ansible_collections.certops.rotation.plugins.modules.certificate_issue import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    FleetAction,
    Rotation,
    action_of,
)

_MOST_ISSUERS_AT_ONCE = 8


class ActionModule(FleetAction):
    """Adds ``issued`` and ``times.issued``, or ``error``."""

    step = "issue"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        wanted = [one for one in self.active(rotations) if self._is_due(one)]
        groups = self._by_issuer(wanted)
        orders = [_described(one) for _issuer, group in groups for one in group]
        if self.check_mode:
            return {"changed": bool(orders), "orders": orders}
        with ThreadPoolExecutor(_MOST_ISSUERS_AT_ONCE) as pool:
            outcomes = list(pool.map(_issue, groups))
        changed = False
        for (_issuer, group), outcome in zip(groups, outcomes, strict=True):
            for rotation, one in zip(group, outcome, strict=True):
                changed |= self._note(rotation, one)
        return {"changed": changed, "orders": orders}

    def _is_due(self, rotation: Rotation) -> bool:
        """A decision is not asked of those who use this step alone. In check mode no request has been made yet."""
        if action_of(rotation) not in (None, "rotate"):
            return False
        return bool((rotation.get("prepared") or {}).get("csr_pem")) or (
            self.check_mode and action_of(rotation) == "rotate"
        )

    def _by_issuer(self, wanted: Sequence[Rotation]) -> list[tuple[Issuer, list[Rotation]]]:
        """Rotations by issuer; those whose issuer does not open get its error."""
        issuers = OpenIssuers(self.options["issuers"])
        groups: dict[str, tuple[Issuer, list[Rotation]]] = {}
        for rotation in wanted:
            name = str(rotation.get("issuer") or "")
            try:
                groups.setdefault(name, (issuers.get(name), []))[1].append(rotation)
            except RotationError as error:
                self.failing(rotation, error)
        return list(groups.values())

    def _note(self, rotation: Rotation, outcome: Issued | RotationError) -> bool:
        """Put the outcome into the rotation; True if the CA made a certificate."""
        if isinstance(outcome, RotationError):
            self.failing(rotation, outcome)
            return False
        try:
            rotation["issued"] = _facts(outcome)
        except RotationError as error:
            self.failing(rotation, error)
            return True
        self.stamp(rotation, "issued")
        for text in outcome.warnings:
            self.warn(rotation, text)
        return outcome.is_new


def _issue(group: tuple[Issuer, list[Rotation]]) -> list[Issued | RotationError]:
    issuer, rotations = group
    try:
        return issuer.issue([_order(rotation) for rotation in rotations])
    except RotationError as error:
        return [error] * len(rotations)


def _order(rotation: Rotation) -> Order:
    return Order(
        host=str(rotation.get("host") or ""),
        name=str(rotation.get("name") or ""),
        csr_pem=str(rotation["prepared"]["csr_pem"]),
        server_names=tuple(rotation.get("server_names") or ()),
        must_staple=bool(rotation.get("must_staple")),
        replaces=(rotation.get("predecessor") or {}).get("serial"),
    )


def _described(rotation: Rotation) -> dict[str, Any]:
    return {key: rotation.get(key) for key in ("host", "name", "issuer", "server_names")}


def _facts(issued: Issued) -> dict[str, Any]:
    facts = certificate_facts(read_certificate(issued.chain_pem.encode(), "what the issuer returned"))
    return {
        "chain_pem": issued.chain_pem,
        "trust_pem": issued.trust_pem,
        "serial": facts.serial,
        "spki_sha256": facts.spki_sha256,
        "not_before": as_text(facts.not_before),
        "not_after": as_text(facts.not_after),
        "issuer_name": facts.issuer,
        "ocsp_urls": list(facts.ocsp_urls),
        "crl_urls": list(facts.crl_urls),
        "must_staple": facts.must_staple,
        "order": issued.order,
    }
