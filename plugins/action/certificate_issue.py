# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get chains for prepared requests: one task for all hosts, issuers side by side."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import ip_address
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_version
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    NEEDS_HOST,
    AnswersOnHosts,
    Issued,
    Order,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import fallbacks
from ansible_collections.certops.rotation.plugins.modules.certificate_issue import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    FleetAction,
    Rotation,
    action_of,
    active,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.sharing import (
    RECEIVER,
    is_to_seal,
    receivers_of,
    role_of,
)

_MOST_ISSUERS_AT_ONCE = 8
# What another CA would refuse as well, or must not be asked for: what is wrong is the entry, the request or its key.
_NO_MATTER_OF_THE_ISSUER = frozenset(
    {
        "acme_bad_csr",
        "challenge_needs_host",
        "csr_invalid",
        "csr_names_differ",
        "issuer_invalid",
        "issuer_unknown",
        "key_blocked",
        "key_weak",
        "name_invalid",
    }
)

Outcome = Issued | RotationError


@dataclass
class _Wanted:
    """A rotation that needs a certificate, and who is still to be asked for it."""

    rotation: Rotation
    issuers: list[str]
    """The next to be asked first."""
    failures: list[tuple[str, RotationError]] = field(default_factory=list)


class ActionModule(FleetAction):
    """Adds ``issued`` and ``times.issued``, or ``error``."""

    step = "issue"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        self._issuers = OpenIssuers(self.options["issuers"])
        waiting = [one for one in map(self._wanted, self.active(rotations)) if one]
        if self.check_mode:
            return self._described(waiting)
        orders = [_described(one.rotation) for one in waiting]
        changed = False
        while waiting:
            outcomes = self._asked(waiting)
            for one, outcome in zip(waiting, outcomes, strict=True):
                changed |= self._note(one, outcome)
            waiting = [one for one in waiting if one.issuers]
        self._hand_on([one for of_host in rotations.values() for one in of_host])
        return {"changed": changed, "orders": orders}

    def _hand_on(self, rotations: Sequence[Rotation]) -> None:
        """Those that share a lead's key get its certificate; what answers the CA's challenges is to be on all hosts."""
        for lead in rotations:
            for rotation in active(receivers_of(lead, rotations)):
                if not rotation.get("prepared") or rotation.get("issued"):
                    continue
                rotation.pop("challenges", None)
                if lead.get("challenges"):
                    rotation["challenges"] = [dict(one) for one in lead["challenges"]]
                    continue
                try:
                    rotation["issued"] = self._issued_to(lead)
                except RotationError as error:
                    self.failing(rotation, error)
                    continue
                rotation["prepared"]["spki_sha256"] = rotation["issued"]["spki_sha256"]
                self.stamp(rotation, "issued")

    @staticmethod
    def _issued_to(lead: Rotation) -> dict[str, Any]:
        """What the lead has got in this run, or, where its key is live already, what it has installed."""
        version = live_version(lead) if is_to_seal(lead) else None
        if version is not None:
            issued = Issued(version["chain_pem"], version["trust_pem"], version["record"].get("order"))
            return {**_facts(issued), "issuer": version["record"].get("issuer")}
        if lead.get("issued") and not lead.get("error"):
            return dict(lead["issued"])
        why = (lead.get("error") or {}).get("msg") or "nobody knows why"
        raise RotationError(
            "share_without_certificate",
            f"{lead['host']}, which was to bring key and certificate for the group, has none: {why}",
            remedy="Nothing was touched. Run the same playbook again; another host leads if this one stays away.",
            lead=lead["host"],
        )

    def _described(self, waiting: Sequence[_Wanted]) -> dict[str, Any]:
        """Opens the issuers, and tells what would be ordered."""
        orders = []
        for one in waiting:
            try:
                self._issuers.get(one.issuers[0])
                orders.append(_described(one.rotation))
            except RotationError as error:
                self.failing(one.rotation, error)
        return {"changed": bool(orders), "orders": orders}

    def _wanted(self, rotation: Rotation) -> _Wanted | None:
        """Who is to be asked for the rotation's certificate; None if it needs none."""
        if not self._is_due(rotation):
            return None
        name = str(rotation.get("issuer") or "")
        try:
            return _Wanted(rotation, [name, *fallbacks(name, self.options["issuers"])])
        except RotationError as error:
            self.failing(rotation, error)
            return None

    def _is_due(self, rotation: Rotation) -> bool:
        """A decision is not asked of those who use this step alone. In check mode no request has been made yet."""
        if action_of(rotation) not in (None, "rotate") or rotation.get("issued") or role_of(rotation) == RECEIVER:
            return False
        return bool((rotation.get("prepared") or {}).get("csr_pem")) or (
            self.check_mode and action_of(rotation) == "rotate"
        )

    def _asked(self, waiting: Sequence[_Wanted]) -> list[Outcome]:
        """What the next issuer of each says; each issuer is asked once for all of its own, side by side."""
        groups: dict[str, list[int]] = {}
        for number, one in enumerate(waiting):
            groups.setdefault(one.issuers[0], []).append(number)
        outcomes: dict[int, Outcome] = {}
        with ThreadPoolExecutor(_MOST_ISSUERS_AT_ONCE) as pool:
            for numbers, found in zip(
                groups.values(),
                pool.map(lambda name: self._issue(name, [waiting[one].rotation for one in groups[name]]), groups),
                strict=True,
            ):
                outcomes.update(zip(numbers, found, strict=True))
        return [outcomes[number] for number in range(len(waiting))]

    def _issue(self, name: str, rotations: Sequence[Rotation]) -> list[Outcome]:
        try:
            issuer = self._issuers.get(name)
            if isinstance(issuer, AnswersOnHosts):
                issuer.placed(_placed_tokens(rotations))
            return issuer.issue([_order(rotation) for rotation in rotations])
        except RotationError as error:
            return [error] * len(rotations)

    def _note(self, one: _Wanted, outcome: Outcome) -> bool:
        """Put the outcome into the rotation; True if a CA made a certificate. Those left in ``issuers`` are next."""
        rotation, name = one.rotation, one.issuers.pop(0)
        rotation.pop("challenges", None)
        if isinstance(outcome, RotationError):
            self._note_failure(one, name, outcome)
            return False
        one.issuers.clear()
        try:
            rotation["issued"] = {**_facts(outcome), "issuer": name}
        except RotationError as error:
            self.failing(rotation, error)
            return True
        self.stamp(rotation, "issued")
        for other, failure in one.failures:
            self.warn(rotation, f"ISSUED BY {name} because {other} did not: {failure.message} ({failure.code})")
        for text in outcome.warnings:
            self.warn(rotation, text)
        return outcome.is_new

    def _note_failure(self, one: _Wanted, name: str, error: RotationError) -> None:
        """Let the next issuer try, or fail: with what the first said, because that is the one that was wanted."""
        if error.code == NEEDS_HOST and self.options["hand_out_challenges"]:
            one.rotation["challenges"] = error.facts["challenges"]
            one.issuers.clear()
            return
        one.failures.append((name, error))
        if error.code in _NO_MATTER_OF_THE_ISSUER:
            one.issuers.clear()
        if one.issuers:
            return
        for text in error.facts.pop("warnings", ()):
            self.warn(one.rotation, text)
        for other, failure in one.failures[1:]:
            self.warn(one.rotation, f"the fallback {other} did not issue either: {failure.message} ({failure.code})")
        self.failing(one.rotation, one.failures[0][1])


def _placed_tokens(rotations: Sequence[Rotation]) -> list[str]:
    challenges = (challenge for rotation in rotations for challenge in rotation.get("challenges") or [])
    return [str(challenge["token"]) for challenge in challenges if challenge.get("placed")]


def _order(rotation: Rotation) -> Order:
    predecessor = rotation.get("predecessor") or {}
    return Order(
        host=str(rotation.get("host") or ""),
        name=str(rotation.get("name") or ""),
        csr_pem=str(rotation["prepared"]["csr_pem"]),
        server_names=tuple(rotation.get("server_names") or ()),
        must_staple=bool(rotation.get("must_staple")),
        replaces=predecessor.get("serial"),
        predecessor_pem=predecessor.get("certificate_pem"),
        order=rotation["prepared"].get("order"),
        resolvers=_resolvers(rotation),
    )


def _resolvers(rotation: Rotation) -> tuple[str, ...]:
    """The host's name servers, without those on the host itself: asked from here, such an address is another server."""
    addresses = {str(one): ip_address(str(one)) for one in rotation.get("resolvers") or ()}
    return tuple(one for one, address in addresses.items() if address and not _is_of_one_machine(address))


def _is_of_one_machine(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified


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
